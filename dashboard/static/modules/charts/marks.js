// Marks of a chart: lines at an x, and above the plot their words.

import { s } from "../dom.js";

const [TOP, TEXT_ROW, LETTER, GAP] = [14, 15, 6.2, 5];

/** Where the plot begins, below the rows of words. */
export function topOf(marks) {
  return TOP + TEXT_ROW * rowsOf(marks).length;
}

/** A row of words for each mark, or one for all of a `row`: no curve and no other word runs through them. */
function rowsOf(marks) {
  return [...new Set(marks.filter((mark) => mark.text).map((mark) => mark.row ?? mark))];
}

/** A mark of a `row` is told only where its words have room between the two x of `within`. */
export function drawnMarks(marks, chart) {
  const rows = rowsOf(marks);
  return marks.map((mark) => {
    const words = placed(mark, chart);
    const [least, most] = mark.within?.map(chart.atX) ?? [-Infinity, Infinity];
    const isTold = mark.text && (!mark.within || (words.from >= least && words.to <= Math.min(most, chart.width)));
    return drawnMark(mark, isTold ? rows.indexOf(mark.row ?? mark) : null, words.isBefore, chart);
  });
}

/** Behind the line; before it where they would leave the chart, or where the mark says so. */
function placed({ x, text, isBefore: wanted }, { atX, width }) {
  const [at, long] = [atX(x), GAP + text.length * LETTER];
  const isBefore = wanted ?? at > width * 0.6;
  return isBefore ? { isBefore, from: at - long, to: at } : { isBefore, from: at, to: at + long };
}

function drawnMark({ x, text, kind = "" }, row, isBefore, { atX, base, top }) {
  const isTold = row !== null;
  return s("g", { class: `mark ${kind}`, transform: `translate(${atX(x).toFixed(1)} 0)` },
    s("line", { y1: isTold ? 3 + TEXT_ROW * row : top, y2: base }),
    isTold && s("text", { x: isBefore ? -GAP : GAP, y: 12 + TEXT_ROW * row, "text-anchor": isBefore ? "end" : "start" }, text));
}
