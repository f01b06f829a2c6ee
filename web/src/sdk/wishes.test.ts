import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LESS_MS, MORE_MS, Wishes, wantsMore, wishFor, type PairWish } from "./wishes.js";

describe("wishFor", () => {
  const view = { width: 630, height: 351, visible: true };

  it("says nothing of what nobody has said or watches", () => {
    expect(wishFor(0, undefined, undefined)).toBeUndefined();
  });

  it("wishes for the pixels on the screen, roughly", () => {
    expect(wishFor(1, view, undefined)).toEqual({ pair: 1, width: 640, height: 352 });
    expect(wishFor(1, { width: 0, height: 0, visible: false }, undefined)).toEqual({ pair: 1, hidden: true });
  });

  it("puts the application's word above what is seen", () => {
    expect(wishFor(1, view, { pinned: true, width: 1280 })).toEqual({ pair: 1, width: 1280, height: 352, pinned: true });
    expect(wishFor(1, { width: 0, height: 0, visible: false }, { width: 320, height: 180 })).toEqual({ pair: 1, width: 320, height: 180 });
    expect(wishFor(1, undefined, { paused: true })).toEqual({ pair: 1, paused: true });
  });
});

describe("wantsMore", () => {
  it("compares pair by pair, and a pair that is not named wants everything", () => {
    expect(wantsMore([{ pair: 0, hidden: true }], [{ pair: 0, width: 160, height: 90 }])).toBe(true);
    expect(wantsMore([{ pair: 0, width: 160, height: 90 }], [])).toBe(true);
    expect(wantsMore([], [{ pair: 0, width: 160, height: 90 }])).toBe(false);
    expect(wantsMore([{ pair: 0, width: 640, height: 360 }], [{ pair: 0, width: 160, height: 90 }])).toBe(false);
  });
});

describe("Wishes", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function setUp(send: (wishes: PairWish[]) => Promise<unknown> = async () => {}) {
    const sent: PairWish[][] = [];
    let now: PairWish[] = [];
    const wishes = new Wishes(() => now, (list) => (sent.push(list), send(list)));
    return { sent, wishes, want: (list: PairWish[]) => ((now = list), wishes.changed()) };
  }
  const small = [{ pair: 0, width: 160, height: 90 }];
  const large = [{ pair: 0, width: 1280, height: 720 }];
  const hidden = [{ pair: 0, hidden: true }];

  it("asks soon for more, late for less", async () => {
    const { sent, want } = setUp();
    want(hidden);
    await vi.advanceTimersByTimeAsync(LESS_MS - 1);
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    want(large);
    await vi.advanceTimersByTimeAsync(MORE_MS + 250);
    expect(sent).toEqual([hidden, large]);
  });

  it("tells the end of many changes, and nothing when it is back where it was", async () => {
    const { sent, want } = setUp();
    want(small);
    want(large);
    want([]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sent).toEqual([]);
    for (let i = 0; i < 50; i++) {
      want([{ pair: 0, width: 160 + 16 * i, height: 90 }]);
      await vi.advanceTimersByTimeAsync(20);
    }
    await vi.advanceTimersByTimeAsync(2_000);
    expect(sent.length).toBeLessThanOrEqual(6);
    expect(sent.at(-1)?.[0]?.width).toBe(160 + 16 * 49);
  });

  it("tries again when it was refused, and tells a new place everything", async () => {
    let fail = true;
    const { sent, wishes, want } = setUp(async () => {
      if (fail) throw new Error("away");
    });
    want(small);
    await vi.advanceTimersByTimeAsync(LESS_MS);
    expect(sent).toEqual([small]);
    fail = false;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(sent).toEqual([small, small]);
    wishes.reset();
    await vi.advanceTimersByTimeAsync(LESS_MS);
    expect(sent).toEqual([small, small, small]);
    wishes.close();
    want(large);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sent).toHaveLength(3);
  });
});
