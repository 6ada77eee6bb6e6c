// The `d` of a line. One with more points than pixels keeps each pixel's ends and extremes,
// so that 5,000 epochs cost what the screen can show and no spike is lost.

/** Points are `[x, y]` in pixels, `y` NaN where there is none, sorted by `x`; at each index of `starts` a line of its own begins. */
export function linePath(xs, ys, atX, atY, starts = []) {
  const ends = [0, ...starts, xs.length];
  return ends.slice(1).map((end, i) => piece(xs.slice(ends[i], end), ys.slice(ends[i], end), atX, atY)).join("");
}

function piece(xs, ys, atX, atY) {
  const parts = [];
  let pen = false;
  for (const index of kept(xs, ys, atX)) {
    if (!Number.isFinite(ys[index])) {
      pen = false;
      continue;
    }
    parts.push(`${pen ? "L" : "M"}${atX(xs[index]).toFixed(1)} ${atY(ys[index]).toFixed(1)}`);
    pen = true;
  }
  return parts.length === 1 ? `${parts[0]}h0` : parts.join(""); // a round cap makes a dot of it
}

function kept(xs, ys, atX) {
  const width = Math.abs(atX(xs.at(-1)) - atX(xs[0]));
  if (xs.length <= width * 2 || xs.length < 500) return xs.keys();
  const found = [];
  let start = 0;
  for (let i = 1; i <= xs.length; i += 1) {
    if (i < xs.length && Math.floor(atX(xs[i])) === Math.floor(atX(xs[start]))) continue;
    found.push(...extremes(ys, start, i));
    start = i;
  }
  return found;
}

function extremes(ys, start, end) {
  let [low, high] = [start, start];
  for (let i = start; i < end; i += 1) {
    if (ys[i] < ys[low] || Number.isNaN(ys[low])) low = i;
    if (ys[i] > ys[high] || Number.isNaN(ys[high])) high = i;
  }
  return [...new Set([start, low, high, end - 1])].sort((a, b) => a - b);
}
