// Measures the labels of a chart, so that the margins and the number of ticks fit them.

const SIZE = "11.5px"; // as in charts.css
const pen = document.createElement("canvas").getContext("2d");

/** Return the width in pixels of the longest text, in the font of an element. */
export function widest(texts, element) {
  pen.font = `${SIZE} ${getComputedStyle(element).fontFamily}`;
  return Math.max(0, ...texts.map((text) => pen.measureText(text).width));
}
