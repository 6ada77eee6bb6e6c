// Loss and every metric by epoch, training and validation.

import { lineChart } from "../charts/lines.js";
import { h } from "../dom.js";
import { integer, number } from "../format.js";
import { t } from "../text.js";

/** Charts of a history; `update(run)` draws what is there now. */
export function curves(history) {
  const charts = new Map();
  const grid = h("div", { class: "charts" });
  const log = h("input", { type: "checkbox", id: "log-scale" });
  const waiting = h("p", { class: "hint waiting" }, t("curves.waiting"));
  let shownRun = null;
  const update = (run) => {
    shownRun = run;
    waiting.hidden = history.epochs.length > 0 || run.ended_at !== null;
    for (const name of history.names) {
      if (!charts.has(name)) addChart(charts, grid, name);
      charts.get(name).update({ series: seriesOf(history, name), marks: marksOf(run, history, name === "loss"), isLog: log.checked && name === "loss", label: label(history, name, run) });
    }
  };
  log.addEventListener("change", () => update(shownRun));
  const first = lineChart({ title: "loss", xLabel: t("curves.epoch"), height: 320, isWhole: true, xText: integer });
  charts.set("loss", first);
  const element = h("section", { class: "card", "aria-labelledby": "curves" },
    h("div", { class: "head" }, h("h2", { id: "curves" }, t("curves.title")), h("span", { class: "check" }, log, h("label", { for: log.id }, t("curves.log")))),
    waiting, first.element, grid);
  return { element, update };
}

function addChart(charts, grid, name) {
  const chart = lineChart({ title: name, xLabel: t("curves.epoch"), height: 200, isWhole: true, xText: integer });
  charts.set(name, chart);
  grid.append(chart.element);
}

function seriesOf(history, name) {
  const pairs = [[t("curves.training"), name, 0], [t("curves.validation"), `val_${name}`, 1]];
  return pairs.filter(([, key]) => history.metrics.has(key)).map(([title, key, colour]) => ({ name: title, colour, xs: history.epochs, ys: history.of(key) }));
}

/** Lines in every chart; words in the first. */
function marksOf(run, history, isTold) {
  const last = history.epochs.at(-1);
  const marks = [];
  history.borders.forEach((x, i) => marks.push({ x, text: isTold ? t("curves.fit", { fit: integer(i + 2) }) : "", kind: "end" }));
  if (run.stop_reason === "early_stopping" && last && !history.borders.length) marks.push({ x: last, text: isTold ? t("curves.stopped", { epoch: integer(last) }) : "", kind: "end" });
  if (run.best_epoch) marks.push({ x: run.best_epoch, text: isTold ? t("curves.best", { epoch: integer(run.best_epoch) }) : "", kind: "best" });
  return marks;
}

/** What somebody who does not see the curve would want to be told of it. */
function label(history, name, run) {
  const ends = seriesOf(history, name).map((one) => t("curves.from_to", { name: one.name, from: number(one.ys[0]), to: number(one.ys.at(-1)) }));
  const best = run.best_epoch ? t("curves.best", { epoch: run.best_epoch }) : "";
  return [`${name}, ${t("curves.count", { n: history.epochs.length, epochs: integer(history.epochs.length) })}`, ...ends, best].filter(Boolean).join("; ");
}
