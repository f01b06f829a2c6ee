import { describe, expect, it } from "vitest";
import { Silence } from "./silence.js";

/** Looks every 100 ms; packets of the connection come until `dead`, sound until `quiet`. Gives when silence was noticed. */
function run({ quiet = Infinity, dead = Infinity, until = 2_000, every = 100 }): number[] {
  const silence = new Silence();
  const noticed: number[] = [];
  for (let now = 0; now <= until; now += every) {
    if (silence.look(now, now <= quiet) !== "count") continue;
    if (silence.counted(now, Math.floor(Math.min(now, dead) / 20)) === "silent") noticed.push(now);
  }
  return noticed;
}

describe("Silence", () => {
  it("notices a dead network within some 300 ms, once", () => {
    const [soon] = run({ quiet: 1_000, dead: 1_000, every: 50 });
    expect(soon! - 1_000).toBeLessThanOrEqual(300);
    const [first, ...more] = run({ quiet: 1_000, dead: 1_000 });
    expect(first! - 1_000).toBeLessThanOrEqual(400);
    expect(more).toEqual([]);
  });

  it("takes a sender who stops for no dead network", () => {
    expect(run({ quiet: 500 })).toEqual([]);
  });

  it("says nothing before anything was heard", () => {
    expect(run({ quiet: -1, dead: -1 })).toEqual([]);
  });

  it("forgives a gap of 200 ms", () => {
    const silence = new Silence();
    for (let now = 0; now < 3_000; now += 100) {
      const gap = now % 1_000 >= 800;
      const step = silence.look(now, !gap);
      if (step === "count") expect(silence.counted(now, 7)).toBe("none");
    }
  });

  it("does not trust a timer that comes late", () => {
    expect(run({ quiet: 1_000, dead: 1_000, every: 1_000, until: 10_000 })).toEqual([]);
  });

  it("notices the next silence after something was heard", () => {
    const silence = new Silence();
    const noticed: number[] = [];
    for (let now = 0; now < 3_000; now += 100) {
      const news = now < 500 || (now >= 1_500 && now < 2_000);
      if (silence.look(now, news) === "count" && silence.counted(now, news ? now : 0) === "silent") noticed.push(now);
    }
    expect(noticed).toHaveLength(2);
  });
});
