import { describe, expect, it } from "vitest";
import { fit } from "./layout.js";

describe("fit", () => {
  it("gives one tile the whole box, as far as its shape allows", () => {
    expect(fit(1, 1600, 900, 10)).toEqual({ columns: 1, width: 1600, height: 900 });
    expect(fit(1, 400, 800, 10)).toEqual({ columns: 1, width: 400, height: 400 });
  });

  it("puts nine people in three rows of three on a wide screen", () => {
    expect(fit(9, 1256, 644, 10).columns).toBe(3);
  });

  it("stacks people on a phone held upright", () => {
    expect(fit(3, 374, 700, 10).columns).toBe(1);
    expect(fit(9, 374, 700, 10).columns).toBe(2);
  });

  it("never lets tiles stick out of the box, for any count and size", () => {
    for (let count = 1; count <= 30; count++) {
      for (const [width, height] of [[320, 568], [1280, 640], [240, 700], [1920, 1080], [90, 90]] as const) {
        const tile = fit(count, width, height, 10);
        const rows = Math.ceil(count / tile.columns);
        expect(tile.columns * tile.width + (tile.columns - 1) * 10).toBeLessThanOrEqual(width);
        expect(rows * tile.height + (rows - 1) * 10).toBeLessThanOrEqual(height);
      }
    }
  });

  it("answers zero for a box that is too small for anything", () => {
    expect(fit(9, 5, 5, 10).width).toBe(0);
  });
});
