// Small bars: what a column's values are like, how likely each class is.

import { h, s } from "../dom.js";
import { integer, number, percent } from "../format.js";
import { t } from "../text.js";

const BINS = 16;
const [WIDTH, HEIGHT] = [112, 26];

/** A histogram of numbers, as high as a line of text or two. */
export function histogram(values, name) {
  const numbers = values.filter(Number.isFinite);
  if (!numbers.length) return null;
  const low = numbers.reduce((a, b) => Math.min(a, b));
  const high = numbers.reduce((a, b) => Math.max(a, b));
  const counts = new Array(low === high ? 1 : BINS).fill(0);
  for (const value of numbers) {
    counts[Math.min(counts.length - 1, Math.floor(((value - low) / (high - low || 1)) * counts.length))] += 1;
  }
  const most = Math.max(...counts);
  const step = WIDTH / counts.length;
  const label = t("columns.histogram", { name, low: number(low), high: number(high) });
  return s("svg", { class: "histogram", role: "img", "aria-label": label, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT },
    s("title", {}, label),
    counts.map((count, i) => {
      const tall = count ? Math.max(1, (count / most) * HEIGHT) : 0;
      return s("rect", { x: i * step, y: HEIGHT - tall, width: Math.max(1, step - 1), height: tall });
    }));
}

/** The commonest values of a column, the first of them as bars. */
export function topBars(top, total) {
  return h("ul", { class: "bars small" }, top.slice(0, 3).map(({ value, count }) => bar(value, count / total, integer(count))));
}

/** Shares with names, longest first. */
export function shares(pairs) {
  const sorted = [...pairs].sort((a, b) => b[1] - a[1]);
  return h("ul", { class: "bars" }, sorted.map(([name, share]) => bar(name, share, percent(share))));
}

/** One bar: `share` of the whole length. Its length is a number's, so it is set by script. */
export function bar(name, share, text, className = "") {
  const fill = h("span", { class: "fill" });
  fill.style.inlineSize = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return h("li", { class: className }, h("span", { class: "name", title: name }, name), h("span", { class: "track" }, fill), h("span", { class: "figure" }, text));
}
