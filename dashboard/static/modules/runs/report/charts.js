// The charts of a report: predictions compared with the true values.

import { lineChart } from "../../charts/lines.js";
import { extent } from "../../charts/scale.js";
import { h } from "../../dom.js";
import { aligned, integer, number, percent } from "../../format.js";
import { table } from "../../parts.js";

const UNIT = [0, 1];
const MOST_CURVES = 6;
const [MOST_NAMED, MOST_ROWS] = [3, 20];

export function classification(read) {
  return [
    read.confusion_matrix && matrix(read), classTable(read),
    roc(read), precisionRecall(read), calibration(read),
  ];
}

/** Draw all thresholds if the report has them, otherwise the 19 that every report has. */
function roc({ curves = [], thresholds, positive_class: name }) {
  const known = thresholds
    .filter((one) => one.false_positive_rate !== null && one.recall !== null)
    .toSorted((a, b) => a.false_positive_rate - b.false_positive_rate || a.recall - b.recall);
  const series = curves.length
    ? curvesOf(curves, "false_positive_rate", "true_positive_rate")
    : known.length > 1 && [dotted(name, known, "false_positive_rate", "recall")];
  return series && share("ROC curve", "false positive rate", [...series, diagonal("random guess")]);
}

function precisionRecall({ curves = [], best_threshold: best, positive_class: name }) {
  if (!curves.length) return null;
  const figure = share("Precision-recall curve", "recall", curvesOf(curves, "recall", "precision"));
  if (best) {
    figure.append(h("p.hint",
      `F1 is highest if ${name} is predicted at a probability of ${number(best)} or more.`));
  }
  return figure;
}

function calibration({ calibration: bins, positive_class: name }) {
  if (bins.length < 2) return null;
  const series = dotted(name ?? "predicted class", bins, "mean_predicted", "share_true");
  return share("Calibration: observed frequency", "predicted probability",
    [series, diagonal("perfect")]);
}

function curvesOf(curves, x, y) {
  return curves.slice(0, MOST_CURVES)
    .map((one, colour) => ({ name: one.label, colour, xs: one[x], ys: one[y] }));
}

function dotted(name, points, x, y) {
  const of = (key) => points.map((one) => one[key]);
  return { name, colour: 0, hasDots: true, xs: of(x), ys: of(y) };
}

function diagonal(name) {
  return { name, colour: 7, isDashed: true, xs: UNIT, ys: UNIT };
}

/** Draw a chart with shares on both axes. */
function share(title, xLabel, series) {
  const domains = { xDomain: UNIT, yDomain: UNIT, xText: percent, yText: percent };
  const chart = lineChart({ title, xLabel, ...domains });
  chart.update({ series });
  return chart.element;
}

/** Draw the counts. With several classes, the columns are headed by numbers, which fit. */
function matrix({ classes, confusion_matrix: counts }) {
  const labels = classes.map((one) => one.label);
  const isMany = labels.length > MOST_NAMED;
  const cell = (count, row, i, j) => {
    const part = count / (row.reduce((a, b) => a + b, 0) || 1);
    const title = `${percent(part)} of ${labels[i]} were predicted as ${labels[j]}`;
    const element = h("td.figure", { class: i === j ? "hit" : "", title }, integer(count));
    element.style.setProperty("--share", part.toFixed(3));
    return element;
  };
  const columnHead = (label, i) => h("th.figure", { scope: "col", title: label },
    isMany ? [String(i + 1), h("span.hidden-visually", ` ${label}`)] : label);
  const rowHead = (label, i) => h("th", { scope: "row", title: label },
    isMany && h("span.number", `${i + 1} `), h("span.name", label));
  const title = "Confusion matrix";
  const heads = [h("td", h("span", "true ↓ predicted →")), ...labels.map(columnHead)];
  const note = isMany && h("span.hint", "Each row is a true class, each column a predicted one.");
  return h("figure.matrix", { class: isMany ? "many" : "" }, h("figcaption", title, note),
    table(title, "", heads, counts.map((row, i) => h("tr",
      rowHead(labels[i], i), row.map((count, j) => cell(count, row, i, j))))));
}

/** Build a table of the metrics of each class; fold a long one. */
function classTable({ classes }) {
  const title = "Precision and recall by class";
  const heads = [h("td", "class"), ...["precision", "recall", "F1", "rows"]
    .map((name) => [name, "figure"])];
  const isMany = classes.length > MOST_NAMED;
  const texts = ["precision", "recall", "f1"].map((name) => aligned(classes.map((one) => one[name])));
  const row = ({ label, num_rows: rows }, i) => h("tr",
    h("th", { scope: "row" }, isMany && h("span.number", `${i + 1} `), label),
    texts.map((column) => h("td.figure", column[i])),
    h("td.figure", integer(rows)));
  const shown = table(title, "", heads, classes.map(row));
  const isLong = classes.length > MOST_ROWS;
  return h("figure.classes", { class: isMany ? "many" : "" }, h("figcaption", title), isLong
    ? h("details", h("summary", `Show ${integer(classes.length)} classes`), shown) : shown);
}

export function regression({ pairs, residual_quantiles: quantiles }) {
  if (!pairs) return quantileChart(quantiles);
  const { actual, predicted } = pairs;
  const ends = extent([actual, predicted]);
  const xDomain = extent([predicted]);
  const residuals = actual.map((y, i) => y - predicted[i]);
  return [
    cloud("Actual and predicted values", "actual", predicted, actual, ends,
      { xDomain: ends, yDomain: ends }),
    cloud("Residuals", "actual minus predicted", predicted, residuals, [0, 0], { xDomain }),
  ];
}

/** Draw a dot for each row, sorted for the arrow keys, and the line of a perfect network. */
function cloud(title, name, predicted, values, perfect, domains) {
  const chart = lineChart({ title, xLabel: "predicted", height: 280, ...domains });
  const order = [...predicted.keys()].toSorted((a, b) => predicted[a] - predicted[b]);
  const sorted = (list) => order.map((i) => list[i]);
  chart.update({
    series: [
      { name, colour: 0, isCloud: true, xs: sorted(predicted), ys: sorted(values) },
      { name: "perfect", colour: 7, isDashed: true, xs: domains.xDomain, ys: perfect },
    ],
    label: `${title}, ${values.length} rows`,
  });
  return chart.element;
}

/** Draw the quantiles of a report from an earlier release, which has no pairs. */
function quantileChart(quantiles) {
  const chart = lineChart({
    title: "Residuals", xLabel: "actual minus predicted", height: 240, yDomain: [0, 1],
  });
  chart.update({
    series: [{
      name: "share of rows below the residual", colour: 0, hasDots: true,
      xs: quantiles.map((one) => one.residual), ys: quantiles.map((one) => one.quantile),
    }],
  });
  return chart.element;
}
