// The report of a run, where the service has one: figures on held-out rows.

import { find, v1 } from "../api.js";
import { bar } from "../charts/bars.js";
import { lineChart } from "../charts/lines.js";
import { h, put } from "../dom.js";
import { integer, number, percent } from "../format.js";
import { warningsBox } from "../problems.js";
import { startWith } from "../start/handover.js";
import { t, word } from "../text.js";

const [PAUSE_MS, TRIES] = [2000, 60];

/** Put the report into `place`, and again when its baselines have come; nothing without one. */
export async function showReport(run, place, signal) {
  for (let tries = 0; tries < TRIES && !signal.aborted; tries += 1) {
    const report = await find(v1("runs", run.id, "report"), signal);
    if (report?.status === "ready") put(place, reportSection(report));
    const isComing = report?.status === "pending" || (report?.status === "ready" && report.baselines?.status === "pending");
    if (!isComing) return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

function reportSection(report) {
  return h("section", { class: "card report", "aria-labelledby": "report" },
    h("h2", { id: "report" }, t("report.title")),
    h("p", { class: "lead" }, report.summary),
    reading(report.reading),
    warningsBox((report.traps ?? []).map((trap) => trap.sentence), t("report.traps")),
    scores(report),
    h("div", { class: "charts" }, report.classification && classification(report.classification), report.regression && residuals(report.regression), importance(report.importance)),
    missing(report.missing ?? []));
}

function reading(read) {
  if (!read) return null;
  return h("div", { class: "notice" }, h("strong", {}, word("reading", read.word)), h("p", {}, read.sentence, " ", read.advice),
    read.next_spec && h("button", { type: "button", on: { click: () => startWith(structuredClone(read.next_spec)) } }, t("report.next")));
}

/** The network's figures beside the baselines', on the same rows. */
function scores(report) {
  const names = Object.keys(report.metrics);
  const lines = [[t("report.network"), report.metrics], ...(report.baselines?.results ?? []).map((one) => [word("baseline", one.name), one.metrics])];
  return h("div", { class: "scroll", role: "group", tabindex: "0", "aria-label": t("report.scores") }, h("table", { class: "figures" },
    h("thead", {}, h("tr", {}, h("td", {}), names.map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, lines.map(([name, metrics]) => h("tr", {}, h("th", { scope: "row" }, name), names.map((one) => h("td", { class: "figure" }, number(metrics[one]))))))));
}

function classification(read) {
  const share = (value) => percent(value);
  const unit = [0, 1];
  const roc = read.thresholds.filter((one) => one.false_positive_rate !== null && one.recall !== null)
    .map((one) => [one.false_positive_rate, one.recall]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  return [
    read.confusion_matrix && matrix(read),
    roc.length > 1 && curve(t("report.roc"), t("report.false_positives"), roc, unit, share),
    read.calibration.length > 1 && curve(t("report.calibration"), t("report.predicted"), read.calibration.map((bin) => [bin.mean_predicted, bin.share_true]), unit, share),
  ];
}

function curve(title, xLabel, points, domain, xText) {
  const chart = lineChart({ title, xLabel, height: 240, xDomain: domain, yDomain: domain, xText });
  const diagonal = { name: t("report.chance"), colour: 7, dashed: true, xs: [0, 1], ys: [0, 1] };
  chart.update({ series: [{ name: title, colour: 0, dots: points.length < 20, xs: points.map(([x]) => x), ys: points.map(([, y]) => y) }, diagonal] });
  return chart.element;
}

function matrix({ classes, confusion_matrix: counts }) {
  const labels = classes.map((one) => one.label);
  const cell = (count, row, i, j) => {
    const share = count / (row.reduce((a, b) => a + b, 0) || 1);
    const element = h("td", { class: `figure ${i === j ? "hit" : "miss"}` }, integer(count));
    element.style.setProperty("--share", share.toFixed(3));
    return element;
  };
  return h("figure", { class: "matrix" }, h("figcaption", {}, t("report.confusion")),
    h("div", { class: "scroll", role: "group", tabindex: "0", "aria-label": t("report.confusion") }, h("table", {},
      h("thead", {}, h("tr", {}, h("td", {}, t("report.true_predicted")), labels.map((label) => h("th", { scope: "col" }, label)))),
      h("tbody", {}, counts.map((row, i) => h("tr", {}, h("th", { scope: "row" }, labels[i]), row.map((count, j) => cell(count, row, i, j))))))));
}

function residuals({ residual_quantiles: quantiles }) {
  const chart = lineChart({ title: t("report.residuals"), xLabel: t("report.residual"), height: 240, yDomain: [0, 1] });
  chart.update({ series: [{ name: t("report.share_below"), colour: 0, dots: true, xs: quantiles.map((one) => one.residual), ys: quantiles.map((one) => one.quantile) }] });
  return chart.element;
}

function importance(read) {
  if (!read?.features.length) return null;
  const most = Math.max(...read.features.map((one) => one.mean), 1e-12);
  return h("figure", { class: "importance" }, h("figcaption", {}, t("report.importance", { metric: read.metric })),
    h("ul", { class: "bars" }, read.features.slice(0, 15).map((one) => bar(one.feature, one.mean / most, number(one.mean)))));
}

function missing(parts) {
  if (!parts.length) return null;
  return h("p", { class: "hint" }, parts.map((one) => `${one.part}: ${one.reason}`).join(" "));
}
