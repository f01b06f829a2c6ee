// How big the tiles of a call are.

export interface Fit {
  columns: number;
  /** Pixels. */
  width: number;
  height: number;
}

/** No tile is wider than this (width over height). */
const widest = 16 / 9;

/**
 * The arrangement that gives count tiles in a box the largest area each. Sizes are in pixels; gap is the space between
 * tiles, narrowest the least width over height of a tile.
 */
export function fit(count: number, boxWidth: number, boxHeight: number, gap: number, narrowest = 1): Fit {
  let best: Fit = { columns: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns);
    const width = (boxWidth - gap * (columns - 1)) / columns;
    const height = (boxHeight - gap * (rows - 1)) / rows;
    if (width <= 0 || height <= 0) continue;
    const shape = Math.min(Math.max(width / height, narrowest), widest);
    const tileWidth = Math.min(width, height * shape);
    const candidate = { columns, width: Math.floor(tileWidth), height: Math.floor(Math.min(height, tileWidth / shape)) };
    if (candidate.width * candidate.height > best.width * best.height) best = candidate;
  }
  return best;
}
