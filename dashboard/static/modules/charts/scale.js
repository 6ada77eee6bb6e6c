// Converts values to pixels: scales, axis ticks, and the path of a line. A line with more
// points than pixels keeps the first, last, lowest and highest point of each pixel, so that
// 5,000 epochs draw quickly and every peak remains.

const FACTORS = [1, 2, 2.5, 5];

/** Return round numbers from `low` to `high`: up to `most`, and at least two if possible.
 *  Return only integers if `isWhole`. */
export function ticks(low, high, most, isWhole = false) {
  if (!(high > low)) return [low];
  let finer = [];
  for (const step of steps((high - low) / (4 * most), isWhole)) {
    const found = multiples(step, low, high);
    if (found.length < 2) return finer.length ? thinned(finer, most) : found;
    if (found.length <= most) return found;
    finer = found;
  }
  return finer;
}

/** Return the round steps from about `least` up; only integers if `isWhole`. */
function steps(least, isWhole) {
  const power = Math.floor(Math.log10(least));
  const all = [0, 1, 2, 3, 4].flatMap((more) => FACTORS.map((one) => one * 10 ** (power + more)));
  const whole = [0, 1, 2].flatMap((more) => FACTORS.map((one) => one * 10 ** more));
  if (!isWhole) return all;
  return [...new Set([...(power < 0 ? whole : []), ...all])]
    .filter((step) => Number.isInteger(rounded(step))).toSorted((a, b) => a - b);
}

function multiples(step, low, high) {
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => rounded((first + i) * step));
}

/** Return every second, third, … value, so that at most `most` remain. */
function thinned(values, most) {
  const stride = Math.ceil(values.length / most);
  return values.filter((_, i) => i % stride === 0);
}

/** Return powers of ten, with round numbers between them in a short range. */
export function logTicks(low, high, most) {
  const [first, last] = [low, high].map((end) => Math.floor(Math.log10(end)));
  const powers = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const between = (factors) => powers
    .flatMap((power) => factors.map((factor) => rounded(factor * 10 ** power)))
    .filter((value) => value >= low && value <= high);
  const choices = [between([1, 2, 5]), between([1]), thinned(between([1]), most)];
  const fits = choices.find((values) => values.length >= 2 && values.length <= most);
  return fits ?? ticks(low, high, most);
}

function rounded(value) {
  return Number(value.toPrecision(15));
}

/** Return a function from [low, high] to [from, to]; logarithmic if `isLog`. */
export function scale(low, high, from, to, isLog = false) {
  const f = isLog ? Math.log : (value) => value;
  const span = f(high) - f(low) || 1;
  return (value) => from + ((f(value) - f(low)) / span) * (to - from);
}

/** Return the smallest and the largest finite number, or [0, 1] if no number is finite. */
export function extent(lists) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of lists.flat()) {
    if (Number.isFinite(value)) [low, high] = [Math.min(low, value), Math.max(high, value)];
  }
  if (low > high) return [0, 1];
  const room = low === high ? Math.abs(low || 1) * 0.1 : 0;
  return [low - room, high + room];
}

/** Return the path of sorted `xs`. Start a new line after a NaN and at each of `starts`. */
export function linePath(xs, ys, atX, atY, starts = []) {
  const ends = [0, ...starts, xs.length];
  const part = (end, i) => piece(xs.slice(ends[i], end), ys.slice(ends[i], end), atX, atY);
  return ends.slice(1).map(part).join("");
}

function piece(xs, ys, atX, atY) {
  const parts = [];
  let command = "M";
  for (const i of kept(xs, ys, atX)) {
    if (Number.isFinite(ys[i])) {
      parts.push(`${command}${atX(xs[i]).toFixed(1)} ${atY(ys[i]).toFixed(1)}`);
      command = "L";
    } else command = "M";
  }
  return parts.length === 1 ? `${parts[0]}h0` : parts.join(""); // a round line cap draws a dot
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
  return [...new Set([start, low, high, end - 1])].toSorted((a, b) => a - b);
}
