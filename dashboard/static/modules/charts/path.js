// The `d` of a line. One with more points than pixels keeps each pixel's ends and extremes,
// so that 5,000 epochs cost what the screen can show and no spike is lost.

/** Points are `[x, y]` in pixels, `y` NaN where there is none, sorted by `x`. */
export function linePath(xs, ys, atX, atY) {
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
  return parts.join("");
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
