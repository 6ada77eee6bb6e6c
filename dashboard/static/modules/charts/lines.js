// Line charts with a shared x axis, drawn at the available width. They are SVG, so that the
// colours follow the theme and the arrow keys can move along the curve.

import { h, newId, perFrame, put, s } from "../dom.js";
import { axisTexts, number } from "../format.js";
import { drawnMarks, topOf } from "./marks.js";
import { extent, linePath, logTicks, scale, ticks } from "./scale.js";
import { widest } from "./text.js";

const MARGIN = { right: 14, bottom: 34, left: 34 };
const [TICK_ROW, GAP] = [38, 18]; // the least distance of two ticks, and of two labels
const DEFAULTS = {
  height: 260, xDomain: null, yDomain: null, isWhole: false, xText: number, yText: number,
};

/** Build a chart from `{ title, xLabel, … }` and an optional `heading(x)` for its tooltip.
 *  `update({ series, marks, isLog, label })` redraws the chart, at most once per frame. */
export function lineChart(options) {
  const chart = { ...DEFAULTS, ...options, data: { series: [], marks: [] }, cursor: null };
  const { title, height } = chart;
  chart.heading ??= (x) => `${chart.xLabel} ${chart.xText(x)}`;
  const id = newId("chart");
  chart.svg = s("svg", { role: "img", "aria-labelledby": id, tabindex: "0", height });
  chart.tip = h("div.tip", { hidden: true });
  chart.spoken = h("p.hidden-visually", { "aria-live": "polite" });
  const legend = h("ul.legend");
  const draw = perFrame(() => drawChart(chart));
  new ResizeObserver(draw).observe(chart.svg);
  listen(chart);
  const update = (data) => {
    chart.data = { marks: [], isLog: false, ...data };
    put(legend, data.series.map((one) => h("li", { class: styleOf(one) }, one.name)));
    chart.svg.setAttribute("aria-label", data.label ?? title);
    if (data.label) chart.svg.removeAttribute("aria-labelledby");
    draw();
  };
  const element = h("figure.chart", h("figcaption", h("span", { id }, title), legend),
    h("div.plot", chart.svg, chart.tip), chart.spoken);
  return { element, update };
}

function styleOf({ colour, isDashed }) {
  return `series-${colour} ${isDashed ? "dashed" : ""}`;
}

function drawChart(chart) {
  const width = chart.svg.clientWidth;
  if (!width) return;
  const { marks, isLog } = chart.data;
  const series = chart.data.series.filter((one) => one.xs.length)
    .map((one) => (isLog ? { ...one, ys: one.ys.map((y) => (y > 0 ? y : NaN)) } : one));
  if (!series.some(({ ys }) => ys.some(Number.isFinite))) return drawNothing(chart, width);
  const axes = axesOf(chart, series, width);
  const { atX, atY } = axes;
  Object.assign(chart, axes);
  return put(chart.svg, yAxis(chart), xAxis(chart),
    series.filter((one) => !one.isCloud).map((one) =>
      s("path.line", { class: styleOf(one), d: linePath(one.xs, one.ys, atX, atY, one.starts) })),
    series.filter((one) => one.xs.length === 1 || one.hasDots || one.isCloud)
      .map((one) => dots(one, chart)),
    drawnMarks(marks, chart), s("g.cursor"));
}

/** Show a sentence instead of axes that no value supports. */
function drawNothing(chart, width) {
  chart.atX = null;
  const middle = { x: width / 2, y: chart.height / 2, "text-anchor": "middle" };
  put(chart.svg, s("text", middle, chart.data.isLog ? "No positive values" : "No values"));
}

/** Return the scales and the ticks with their texts. The texts decide the margins. */
function axesOf(chart, series, width) {
  const { height, isWhole, svg, data: { marks, isLog } } = chart;
  const [x0, x1] = chart.xDomain ?? extent(series.map(({ xs }) => [xs[0], xs.at(-1)]));
  const [y0, y1] = chart.yDomain ?? padded(extent(series.map(({ ys }) => ys)), isLog);
  const [top, base] = [topOf(marks), height - MARGIN.bottom];
  const rows = Math.max(3, Math.floor((base - top) / TICK_ROW));
  const yTicks = isLog ? logTicks(y0, y1, rows) : ticks(y0, y1, rows);
  const yTexts = textsOf(yTicks, chart.yText, isLog);
  const left = Math.max(MARGIN.left, Math.ceil(widest(yTexts, svg)) + 10);
  const { xTicks, xTexts } = columnsThatFit(chart, x0, x1, width - left, isWhole);
  const right = Math.max(MARGIN.right, Math.ceil(widest(xTexts.slice(-1), svg) / 2));
  const atX = scale(x0, x1, left, width - right);
  const atY = scale(y0, y1, base, top, isLog);
  return { width, left, right, x0, x1, top, base, atX, atY, xTicks, xTexts, yTicks, yTexts };
}

/** Return as many ticks of the x axis as have room for their texts. */
function columnsThatFit(chart, x0, x1, room, isWhole) {
  let most = Math.max(3, Math.floor(room / 50));
  for (;;) {
    const xTicks = ticks(x0, x1, most, isWhole);
    const xTexts = textsOf(xTicks, chart.xText);
    const needed = xTicks.length * (widest(xTexts, chart.svg) + GAP);
    if (needed <= room || most <= 2) return { xTicks, xTexts };
    most -= 1;
  }
}

/** Return the texts of ticks. On a logarithmic axis, each text has its own unit. */
function textsOf(values, text, isLog = false) {
  if (text !== number) return values.map(text);
  return isLog ? values.flatMap((value) => axisTexts([value])) : axisTexts(values);
}

function padded([low, high], isLog) {
  if (isLog) return [low / 1.1, high * 1.1];
  const room = (high - low) * 0.05;
  return [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
}

function yAxis({ atY, width, left, right, yTicks, yTexts }) {
  const label = { x: left - 8, dy: "0.32em", "text-anchor": "end" };
  return yTicks.map((value, i) =>
    s("g.tick", { transform: `translate(0 ${atY(value).toFixed(1)})` },
      s("line", { x1: left, x2: width - right }), s("text", label, yTexts[i])));
}

function xAxis({ atX, base, width, right, height, xLabel, xTicks, xTexts }) {
  const middle = { y: base + 16, "text-anchor": "middle" };
  const end = { x: width - right, y: height - 4, "text-anchor": "end" };
  return [
    xTicks.map((value, i) =>
      s("text.tick", { x: atX(value).toFixed(1), ...middle }, xTexts[i])),
    s("text", end, xLabel),
  ];
}

function dots(one, chart) {
  const style = `${styleOf(one)} ${one.isCloud ? "cloud" : ""}`;
  return one.xs.map((x, i) => Number.isFinite(one.ys[i]) && dot(x, one.ys[i], style, chart));
}

function dot(x, y, style, { atX, atY }) {
  return s("circle.dot", { class: style, cx: atX(x).toFixed(1), cy: atY(y).toFixed(1), r: 3.5 });
}

function listen(chart) {
  const leave = () => {
    chart.cursor = null;
    chart.tip.hidden = true;
    chart.svg.querySelector(".cursor")?.replaceChildren();
  };
  chart.svg.addEventListener("pointermove", (event) => {
    const left = event.clientX - chart.svg.getBoundingClientRect().left;
    const share = (left - chart.left) / (chart.width - chart.left - chart.right);
    point(chart, chart.x0 + share * (chart.x1 - chart.x0));
  });
  chart.svg.addEventListener("pointerleave", leave);
  chart.svg.addEventListener("blur", leave);
  chart.svg.addEventListener("keydown", (event) => walk(chart, event));
}

/** Move the cursor by one point, or by ten with Shift, and announce the values there. */
function walk(chart, event) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const xs = chart.data.series[0]?.xs ?? [];
  if (!step || !xs.length) return;
  event.preventDefault();
  const now = chart.cursor === null ? -1 : nearest(xs, chart.cursor);
  const next = now + step * (event.shiftKey ? 10 : 1);
  point(chart, xs[Math.min(xs.length - 1, Math.max(0, next))]);
  chart.spoken.textContent = chart.tip.innerText.replaceAll("\n", ", ");
}

/** Move the cursor to the point nearest to `x`, and show the values in the tooltip. */
function point(chart, x) {
  const { atX, data, svg, tip, top, base, width } = chart;
  const read = data.series.filter((one) => one.xs.length).map((one) => {
    const i = nearest(one.xs, x);
    return { one, x: one.xs[i], y: one.ys[i] };
  });
  if (!read.length || !atX) return;
  chart.cursor = read[0].x;
  const at = atX(chart.cursor);
  const shown = read.filter(({ y }) => Number.isFinite(y));
  put(svg.querySelector(".cursor"), s("line", { x1: at, x2: at, y1: top, y2: base }),
    shown.map(({ one, x: own, y }) => dot(own, y, `series-${one.colour}`, chart)));
  put(tip, h("strong", chart.heading(chart.cursor)), shown.map(({ one, y }) =>
    h("span", { class: `series-${one.colour}` }, `${one.name} ${chart.yText(y)}`)));
  tip.hidden = false;
  tip.style.top = `${top}px`; // below the labels of the marks
  tip.style.left = at > width / 2 ? "" : `${at + 12}px`;
  tip.style.right = at > width / 2 ? `${width - at + 12}px` : "";
}

/** Return the index of the number nearest to `x` in a sorted list. */
function nearest(xs, x) {
  let [low, high] = [0, xs.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low > 0 && x - xs[low - 1] < xs[low] - x ? low - 1 : low;
}
