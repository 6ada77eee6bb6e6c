// Small bar charts: the values of a column, the probability of each class.

import { h, s } from "../dom.js";
import { integer, percent } from "../format.js";

const [WIDTH, HEIGHT] = [112, 26];

/** Build a histogram with the height of about two lines of text. `counts` are the numbers of
 *  values in intervals of equal width; `label` names the column and its range. */
export function histogram(counts, label) {
  const most = Math.max(...counts);
  const step = WIDTH / counts.length;
  const size = { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT };
  return s("svg.histogram", { role: "img", "aria-label": label, ...size },
    s("title", label),
    counts.map((count, i) => {
      const height = count ? Math.max(1, (count / most) * HEIGHT) : 0;
      return s("rect", { x: i * step, y: HEIGHT - height, width: Math.max(1, step - 1), height });
    }));
}

/** Build bars of a column's most frequent values. */
export function topBars(top, total) {
  const row = ({ value, count }) => bar(value, count / total, integer(count));
  return h("ul.bars.small", top.slice(0, 3).map(row));
}

/** Build bars of `[name, share]` pairs, longest first. */
export function shares(list) {
  const sorted = list.toSorted((a, b) => b[1] - a[1]);
  return h("ul.bars", sorted.map(([name, share]) => bar(name, share, percent(share))));
}

/** Build one bar with a length of `share`. The security policy forbids a style attribute. */
export function bar(name, share, text) {
  const fill = h("span.fill");
  fill.style.inlineSize = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return h("li",
    h("span.name", { title: name }, name), h("span.track", fill), h("span.figure", text));
}
