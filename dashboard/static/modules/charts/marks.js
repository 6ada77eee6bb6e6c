// Marks of a chart: vertical lines with labels above the plot.

import { s } from "../dom.js";

const [TOP, TEXT_ROW, LETTER, GAP] = [14, 15, 6.2, 5];

/** Return the y of the plot's top edge, below the rows of labels. */
export function topOf(marks) {
  return TOP + TEXT_ROW * rowsOf(marks).length;
}

/** Return a row of labels for each mark, or one row for all marks with the same `row`. */
function rowsOf(marks) {
  return [...new Set(marks.filter((mark) => mark.text).map((mark) => mark.row ?? mark))];
}

/** Draw the marks. Hide the label of a mark with `within` unless it fits between those x. */
export function drawnMarks(marks, chart) {
  const rows = rowsOf(marks);
  return marks.map((mark) => {
    const words = placed(mark, chart);
    const [least, most] = mark.within?.map(chart.atX) ?? [-Infinity, Infinity];
    const hasRoom = words.from >= least && words.to <= Math.min(most, chart.width);
    const isNamed = mark.text && (!mark.within || hasRoom);
    return drawnMark(mark, isNamed ? rows.indexOf(mark.row ?? mark) : null, words.isBefore, chart);
  });
}

/** Place a label after the line, or before it near the right edge. `isBefore` overrides this. */
function placed({ x, text, isBefore: wanted }, { atX, width }) {
  const [at, length] = [atX(x), GAP + text.length * LETTER];
  const isBefore = wanted ?? at > width * 0.6;
  const from = isBefore ? at - length : at;
  return { isBefore, from, to: from + length };
}

function drawnMark({ x, text, kind }, row, isBefore, { atX, base, top }) {
  const isNamed = row !== null;
  const words = isBefore ? { x: -GAP, "text-anchor": "end" } : { x: GAP };
  return s("g.mark", { class: kind, transform: `translate(${atX(x).toFixed(1)} 0)` },
    s("line", { y1: isNamed ? 3 + TEXT_ROW * row : top, y2: base }),
    isNamed && s("text", { y: 12 + TEXT_ROW * row, ...words }, text));
}
