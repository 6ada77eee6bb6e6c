// Predicted numbers against true ones.

import { lineChart } from "../../charts/lines.js";
import { extent } from "../../charts/scale.js";
import { number } from "../../format.js";
import { t } from "../../text.js";

export function regression({ pairs, residual_quantiles: quantiles }) {
  return pairs ? [cloud(pairs), residuals(pairs)] : quantileChart(quantiles);
}

function cloud({ actual, predicted }) {
  const ends = extent([actual, predicted]);
  const chart = lineChart({ title: t("report.actual_vs_predicted"), xLabel: t("report.predicted_number"), height: 280, xDomain: ends, yDomain: ends });
  const rows = { name: t("report.actual"), colour: 0, isCloud: true, ...sorted(predicted, actual) };
  const diagonal = { name: t("report.perfect"), colour: 7, dashed: true, xs: ends, ys: ends };
  chart.update({ series: [rows, diagonal], label: t("report.cloud_label", { n: actual.length, title: t("report.actual_vs_predicted") }) });
  return chart.element;
}

function residuals({ actual, predicted }) {
  const chart = lineChart({ title: t("report.residuals"), xLabel: t("report.predicted_number"), height: 280, xDomain: extent([predicted]) });
  const rows = { name: t("report.residual"), colour: 0, isCloud: true, ...sorted(predicted, actual.map((y, i) => y - predicted[i])) };
  const none = { name: t("report.perfect"), colour: 7, dashed: true, xs: extent([predicted]), ys: [0, 0] };
  chart.update({ series: [rows, none], label: t("report.cloud_label", { n: actual.length, title: t("report.residuals") }) });
  return chart.element;
}

/** By x, so that the arrow keys walk from left to right. */
function sorted(xs, ys) {
  const order = [...xs.keys()].sort((a, b) => xs[a] - xs[b]);
  return { xs: order.map((i) => xs[i]), ys: order.map((i) => ys[i]) };
}

/** Of reports made before they kept pairs. */
function quantileChart(quantiles) {
  const chart = lineChart({ title: t("report.residuals"), xLabel: t("report.residual"), height: 240, yDomain: [0, 1], xText: number });
  chart.update({ series: [{ name: t("report.share_below"), colour: 0, dots: true, xs: quantiles.map((one) => one.residual), ys: quantiles.map((one) => one.quantile) }] });
  return chart.element;
}
