// Loss and every metric by epoch, training and validation.

import { lineChart } from "../charts/lines.js";
import { h } from "../dom.js";
import { integer, number } from "../format.js";
import { t } from "../text.js";
import { earlyStops, epochNamed, fitsOf, keptEpoch, placed } from "./fits.js";

/** Charts of a history; `update(run)` draws what is there now. */
export function curves(history) {
  const charts = new Map();
  const grid = h("div", { class: "charts" });
  const log = h("input", { type: "checkbox", id: "log-scale" });
  const waiting = h("p", { class: "hint waiting" }, t("curves.waiting"));
  let shownRun = null;
  const heading = (epoch) => epochNamed(shownRun, history, epoch);
  const update = (run) => {
    shownRun = run;
    waiting.hidden = history.epochs.length > 0 || run.ended_at !== null;
    for (const name of history.names) {
      if (!charts.has(name)) addChart(charts, grid, name, heading);
      charts.get(name).update({ series: seriesOf(history, name), marks: marksOf(run, history, name === "loss"), isLog: log.checked && name === "loss", label: label(history, name, run) });
    }
  };
  log.addEventListener("change", () => update(shownRun));
  const first = lineChart({ title: "loss", xLabel: t("curves.epoch"), height: 320, isWhole: true, xText: integer, heading });
  charts.set("loss", first);
  const element = h("section", { class: "card", "aria-labelledby": "curves" },
    h("div", { class: "head" }, h("h2", { id: "curves" }, t("curves.title")), h("span", { class: "check" }, log, h("label", { for: log.id }, t("curves.log")))),
    waiting, first.element, grid);
  return { element, update };
}

function addChart(charts, grid, name, heading) {
  const chart = lineChart({ title: name, xLabel: t("curves.epoch"), height: 200, isWhole: true, xText: integer, heading });
  charts.set(name, chart);
  grid.append(chart.element);
}

function seriesOf(history, name) {
  const pairs = [[t("curves.training"), name, 0], [t("curves.validation"), `val_${name}`, 1]];
  const { starts } = history; // no line leads from one fit to the next
  return pairs.filter(([, key]) => history.metrics.has(key)).map(([title, key, colour]) => ({ name: title, colour, xs: history.epochs, ys: history.of(key), starts }));
}

/** Lines in every chart; words in the first. */
function marksOf(run, history, isTold) {
  const marks = [...(fitsOf(run) > 1 ? begins(history) : []), ...stops(run, history)];
  if (keptEpoch(run)) marks.push({ x: run.best_epoch, text: bestNamed(run, history), kind: "best" });
  return isTold ? marks : marks.map((mark) => ({ ...mark, text: "" }));
}

function begins({ pieces }) {
  return pieces.map(({ fit, first, last }, i) => ({ x: first, text: t("curves.fit", { fit: integer(fit) }), kind: "begin", row: "begin", isBefore: false, within: [first, i < pieces.length - 1 ? last + 1 : Infinity] }));
}

function stops(run, history) {
  const ends = earlyStops(run, history);
  if (fitsOf(run) === 1) return ends.map(({ last: x }) => ({ x, text: t("curves.stopped", { epoch: integer(x) }), kind: "end" }));
  return ends.map(({ first, last: x }) => ({ x, text: t("curves.fit_stopped"), kind: "end", row: "end", isBefore: true, within: [first, x] }));
}

function bestNamed(run, history) {
  const given = placed(run, history, run.best_epoch);
  return t(given.isOfSeveral ? "curves.best_of_fit" : "curves.best", given);
}

/** What somebody who does not see the curve would want to be told of it. */
function label(history, name, run) {
  const ends = seriesOf(history, name).map((one) => t("curves.from_to", { name: one.name, from: number(one.ys[0]), to: number(one.ys.at(-1)) }));
  const count = t("curves.count", { n: history.epochs.length, epochs: integer(history.epochs.length) });
  const fits = fitsOf(run) > 1 && t("curves.fits", { fit: integer(history.pieces.length), fits: integer(fitsOf(run)) });
  return [[name, count, fits].filter(Boolean).join(", "), ...ends, keptEpoch(run) && bestNamed(run, history)].filter(Boolean).join("; ");
}
