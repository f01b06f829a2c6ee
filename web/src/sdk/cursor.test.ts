import { describe, expect, it } from "vitest";
import { Cursor } from "./cursor.js";

describe("Cursor", () => {
  it("has nothing to resume before the first welcome", () => {
    expect(new Cursor().resume).toBeUndefined();
  });

  it("takes every event once", () => {
    const cursor = new Cursor();
    cursor.welcome("c_1", false, 0);
    expect([1, 2, 2, 1, 3].map((seq) => cursor.accept(seq))).toEqual([true, true, false, false, true]);
  });

  it("goes on counting after a resume, so that replayed events are no news", () => {
    const cursor = new Cursor();
    cursor.welcome("c_1", false, 0);
    cursor.accept(1);
    cursor.accept(2);
    cursor.welcome("c_1", true, 4);
    expect(cursor.resume).toEqual({ connectionId: "c_1", lastSeq: 2 });
    expect([2, 3, 4].map((seq) => cursor.accept(seq))).toEqual([false, true, true]);
  });

  it("starts anew on a connection that was not resumed", () => {
    const cursor = new Cursor();
    cursor.welcome("c_1", false, 0);
    cursor.accept(41);
    cursor.welcome("c_2", false, 0);
    expect(cursor.accept(1)).toBe(true);
  });

  it("refuses what is no number", () => {
    expect(new Cursor().accept(Number.NaN)).toBe(false);
  });
});
