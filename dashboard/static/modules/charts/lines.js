// Lines over a shared x axis, drawn at the size that the page gives: SVG, so that colours
// follow the theme and a reader can walk along the curve with the arrow keys.

import { h, newId, perFrame, put, s } from "../dom.js";
import { number } from "../format.js";
import { drawnMarks, topOf } from "./marks.js";
import { linePath } from "./path.js";
import { extent, logTicks, scale, ticks } from "./scale.js";

const MARGIN = { right: 14, bottom: 34, left: 56 };

/** A chart; `update({series, marks, isLog, label})` draws it anew, at most once a frame. */
export function lineChart({ title, xLabel, height = 260, xDomain = null, yDomain = null, isWhole = false, xText = number, yText = number, heading = (x) => `${xLabel} ${xText(x)}` }) {
  const id = newId("chart");
  const svg = s("svg", { role: "img", "aria-labelledby": `${id}-title`, tabindex: "0", height });
  const tip = h("div", { class: "tip", hidden: true });
  const legend = h("ul", { class: "legend" });
  const spoken = h("p", { class: "hidden-visually", "aria-live": "polite" });
  const element = h("figure", { class: "chart" },
    h("figcaption", {}, h("span", { id: `${id}-title` }, title), legend), h("div", { class: "plot" }, svg, tip), spoken);
  const chart = { svg, tip, spoken, height, xLabel, heading, xDomain, yDomain, isWhole, xText, yText, title, id, data: { series: [], marks: [] }, cursor: null };
  const draw = perFrame(() => drawChart(chart));
  new ResizeObserver(draw).observe(svg);
  listen(chart);
  const update = (data) => {
    chart.data = { marks: [], isLog: false, ...data };
    put(legend, chart.data.series.map((one) => h("li", { class: `series-${one.colour} ${one.dashed ? "dashed" : ""}` }, one.name)));
    svg.setAttribute("aria-label", data.label ?? title);
    if (data.label) svg.removeAttribute("aria-labelledby");
    draw();
  };
  return { element, update };
}

function drawChart(chart) {
  const width = chart.svg.clientWidth;
  if (!width) return;
  const { series, marks, isLog } = chart.data;
  const drawn = series.filter((one) => one.xs.length);
  const [x0, x1] = chart.xDomain ?? extent(drawn.map((one) => [one.xs[0], one.xs.at(-1)]));
  const positive = (ys) => (isLog ? ys.filter((y) => y > 0) : ys);
  const [y0, y1] = chart.yDomain ?? padded(extent(drawn.map((one) => positive(one.ys))), isLog);
  const [top, base] = [topOf(marks), chart.height - MARGIN.bottom];
  const atX = scale(x0, x1, MARGIN.left, width - MARGIN.right);
  const atY = scale(y0, y1, base, top, isLog);
  Object.assign(chart, { atX, atY, width, x0, x1, top, base });
  put(
    chart.svg,
    yAxis(isLog ? logTicks(y0, y1) : ticks(y0, y1, 4), atY, chart),
    xAxis(ticks(x0, x1, Math.max(3, width / 110), chart.isWhole), atX, chart),
    drawn.filter((one) => !one.isCloud).map((one) => s("path", { class: `line series-${one.colour} ${one.dashed ? "dashed" : ""}`, d: linePath(one.xs, isLog ? one.ys.map((y) => (y > 0 ? y : NaN)) : one.ys, atX, atY, one.starts) })),
    drawn.filter((one) => one.xs.length === 1 || one.dots || one.isCloud).map((one) => dots(one, atX, atY)),
    drawnMarks(marks, chart),
    s("g", { class: "cursor" }),
  );
}

function padded([low, high], isLog) {
  if (isLog) return [low / 1.1, high * 1.1];
  const room = (high - low) * 0.05;
  return [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
}

function yAxis(values, atY, { width, yText }) {
  return values.map((value) =>
    s("g", { class: "tick", transform: `translate(0 ${atY(value).toFixed(1)})` },
      s("line", { x1: MARGIN.left, x2: width - MARGIN.right }),
      s("text", { x: MARGIN.left - 8, dy: "0.32em", "text-anchor": "end" }, yText(value))));
}

function xAxis(values, atX, chart) {
  return [
    values.map((value) => s("text", { class: "tick", x: atX(value).toFixed(1), y: chart.base + 16, "text-anchor": "middle" }, chart.xText(value))),
    s("text", { class: "axis", x: chart.width - MARGIN.right, y: chart.height - 4, "text-anchor": "end" }, chart.xLabel),
  ];
}

function dots(one, atX, atY) {
  return one.xs.map((x, i) => Number.isFinite(one.ys[i]) &&
    s("circle", { class: `dot ${one.isCloud ? "cloud" : ""} series-${one.colour}`, cx: atX(x).toFixed(1), cy: atY(one.ys[i]).toFixed(1), r: one.isCloud ? 3 : 3.5 }));
}

function listen(chart) {
  chart.svg.addEventListener("pointermove", (event) => {
    const left = event.clientX - chart.svg.getBoundingClientRect().left;
    const share = (left - MARGIN.left) / (chart.width - MARGIN.left - MARGIN.right);
    point(chart, chart.x0 + share * (chart.x1 - chart.x0));
  });
  chart.svg.addEventListener("pointerleave", () => leave(chart));
  chart.svg.addEventListener("blur", () => leave(chart));
  chart.svg.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || !chart.data.series[0]?.xs.length) return;
    event.preventDefault();
    const { xs } = chart.data.series[0];
    const now = chart.cursor === null ? -1 : nearest(xs, chart.cursor);
    const next = Math.min(xs.length - 1, Math.max(0, now + step * (event.shiftKey ? 10 : 1)));
    point(chart, xs[next]);
    chart.spoken.textContent = chart.tip.innerText.replaceAll("\n", ", ");
  });
}

function leave(chart) {
  chart.cursor = null;
  chart.tip.hidden = true;
  chart.svg.querySelector(".cursor")?.replaceChildren();
}

function point(chart, x) {
  const read = chart.data.series.filter((one) => one.xs.length).map((one) => ({ one, i: nearest(one.xs, x) }));
  if (!read.length || !chart.atX) return;
  const at = read[0].one.xs[read[0].i];
  chart.cursor = at;
  const shown = read.filter(({ one, i }) => Number.isFinite(one.ys[i]));
  put(chart.svg.querySelector(".cursor"),
    s("line", { x1: chart.atX(at), x2: chart.atX(at), y1: chart.top, y2: chart.base }),
    shown.map(({ one, i }) => s("circle", { class: `dot series-${one.colour}`, cx: chart.atX(one.xs[i]), cy: chart.atY(one.ys[i]), r: 3.5 })));
  put(chart.tip, h("strong", {}, chart.heading(at)),
    shown.map(({ one, i }) => h("span", { class: `series-${one.colour}` }, `${one.name} ${chart.yText(one.ys[i])}`)));
  chart.tip.hidden = false;
  chart.tip.style.top = `${chart.top}px`; // below the words of the marks
  const isRight = chart.atX(at) > chart.width / 2;
  chart.tip.style.left = isRight ? "" : `${chart.atX(at) + 12}px`;
  chart.tip.style.right = isRight ? `${chart.width - chart.atX(at) + 12}px` : "";
}

/** The index of the nearest of sorted numbers. */
function nearest(xs, x) {
  let [low, high] = [0, xs.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low > 0 && x - xs[low - 1] < xs[low] - x ? low - 1 : low;
}
