// How answers of a classification stand to the truth.

import { lineChart } from "../../charts/lines.js";
import { h } from "../../dom.js";
import { integer, number, percent } from "../../format.js";
import { t } from "../../text.js";

const UNIT = [0, 1];
const MOST_CURVES = 6;

export function classification(read) {
  return [
    read.confusion_matrix && matrix(read),
    roc(read),
    precisionRecall(read),
    calibration(read),
  ];
}

/** Of every threshold where the report has them, else of the nineteen that it always had. */
function roc(read) {
  const curves = (read.curves ?? []).slice(0, MOST_CURVES).map((one, i) => ({ name: one.label, colour: i, xs: one.false_positive_rate, ys: one.true_positive_rate }));
  if (!curves.length) curves.push(...fromThresholds(read));
  if (!curves.length) return null;
  return share(t("report.roc"), t("report.false_positives"), [...curves, diagonal(t("report.guessing"))]);
}

function fromThresholds({ thresholds, positive_class: name }) {
  const known = thresholds.filter((one) => one.false_positive_rate !== null && one.recall !== null)
    .map((one) => [one.false_positive_rate, one.recall]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  return known.length > 1 ? [{ name, colour: 0, dots: true, xs: known.map(([x]) => x), ys: known.map(([, y]) => y) }] : [];
}

function precisionRecall({ curves = [], best_threshold: best, positive_class: name }) {
  if (!curves.length) return null;
  const series = curves.slice(0, MOST_CURVES).map((one, i) => ({ name: one.label, colour: i, xs: one.recall, ys: one.precision }));
  const figure = share(t("report.precision_recall"), t("report.recall"), series);
  if (best) figure.append(h("p", { class: "hint" }, t("report.threshold", { name, at: number(best) })));
  return figure;
}

function calibration({ calibration: bins, positive_class: name }) {
  if (bins.length < 2) return null;
  const series = { name: name ?? t("report.the_answer"), colour: 0, dots: true, xs: bins.map((bin) => bin.mean_predicted), ys: bins.map((bin) => bin.share_true) };
  return share(t("report.calibration"), t("report.predicted"), [series, diagonal(t("report.perfect"))]);
}

function diagonal(name) {
  return { name, colour: 7, dashed: true, xs: UNIT, ys: UNIT };
}

/** A chart whose both axes are shares. */
function share(title, xLabel, series) {
  const chart = lineChart({ title, xLabel, height: 260, xDomain: UNIT, yDomain: UNIT, xText: percent, yText: percent });
  chart.update({ series });
  return chart.element;
}

function matrix({ classes, confusion_matrix: counts }) {
  const labels = classes.map((one) => one.label);
  const cell = (count, row, i, j) => {
    const part = count / (row.reduce((a, b) => a + b, 0) || 1);
    const element = h("td", { class: `figure ${i === j ? "hit" : "miss"}`, title: t("report.cell", { share: percent(part), name: labels[i], as: labels[j] }) }, integer(count));
    element.style.setProperty("--share", part.toFixed(3));
    return element;
  };
  return h("figure", { class: "matrix" }, h("figcaption", {}, t("report.confusion")),
    h("div", { class: "scroll", role: "group", tabindex: "0", "aria-label": t("report.confusion") }, h("table", {},
      h("thead", {}, h("tr", {}, h("td", {}, t("report.true_predicted")), labels.map((label) => h("th", { scope: "col", class: "figure" }, label)))),
      h("tbody", {}, counts.map((row, i) => h("tr", {}, h("th", { scope: "row" }, labels[i]), row.map((count, j) => cell(count, row, i, j))))))));
}
