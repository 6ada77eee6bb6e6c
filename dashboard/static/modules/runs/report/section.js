// The report of a run, where the service has one: figures on held-out rows.

import { find, v1 } from "../../api.js";
import { bar } from "../../charts/bars.js";
import { h, prose, put } from "../../dom.js";
import { integer, number } from "../../format.js";
import { fileLink } from "../../models/downloads.js";
import { warningsBox } from "../../problems.js";
import { t, word } from "../../text.js";
import { classification } from "./classes.js";
import { regression } from "./numbers.js";
import { reading } from "./reading.js";

const [PAUSE_MS, TRIES] = [2000, 60];
const LESS_IS_BETTER = new Set(["mae", "rmse", "median_absolute_error", "log_loss", "brier"]);

/** Put the report into `place`, and what hangs on baselines again when they have come; nothing without one. */
export async function showReport(run, history, place, signal) {
  let parts = null;
  for (let tries = 0; tries < TRIES && !signal.aborted; tries += 1) {
    const report = await find(v1("runs", run.id, "report"), signal);
    if (report?.status === "ready") {
      parts ??= begin(report, chosenBy(run.spec.fit, history), place);
      put(parts.scores, reading(report.reading), scores(report));
      put(parts.files, files(report));
    }
    const isComing = report?.status === "pending" || (report?.status === "ready" && report.baselines?.status === "pending");
    if (!isComing) return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** What stays as it is; the rest comes into the places that are returned. */
function begin(report, chosen, place) {
  const parts = { scores: h("div", {}), files: h("div", {}) };
  put(place, h("section", { class: "card report", "aria-labelledby": "report" },
    h("h2", { id: "report" }, t("report.title")),
    held(report, chosen),
    warningsBox((report.traps ?? []).map((trap) => trap.sentence), t("report.traps")),
    parts.scores,
    h("div", { class: "charts" }, report.classification && classification(report.classification), report.regression && regression(report.regression), importance(report.importance)),
    missing(report.missing ?? []), parts.files));
  return parts;
}

function held({ held_out: held }, chosen) {
  if (!held) return null;
  const key = [held.side, ...(held.side === "validation" ? chosen : [])].join("_");
  return h("p", { class: "hint" }, t(`report.held_${key}`, { n: held.num_scored, rows: integer(held.num_scored) }));
}

/** What validation rows chose: one of the fits that were begun, and an epoch where early stopping watched them. */
function chosenBy({ early_stopping: stopping }, { pieces }) {
  const isEpochChosen = stopping?.restore_best_weights && stopping.monitor.startsWith("val_");
  return [pieces.length > 1 && "fit", isEpochChosen && "epoch"].filter(Boolean);
}

/** The network's figures beside the baselines', on the same rows; the best of each is marked. */
function scores({ metrics, baselines, reasons, missing: lacking }) {
  const names = Object.keys(metrics);
  if (!names.length) return null;
  const lines = [[t("report.network"), metrics], ...(baselines?.results ?? []).map((one) => [word("baseline", one.name), one.metrics, one.note])];
  const best = Object.fromEntries(names.map((name) => [name, bestOf(name, lines.map(([, read]) => read[name]))]));
  const cell = (read, name) => {
    const isBest = lines.length > 1 && read[name] === best[name];
    return h("td", { class: "figure", title: read === metrics ? reasons?.[name] : null }, isBest ? h("strong", {}, number(read[name])) : number(read[name]));
  };
  return [
    h("h3", {}, t("report.scores")),
    h("div", { class: "scroll", role: "group", tabindex: "0", "aria-label": t("report.scores") }, h("table", { class: "figures" },
      h("thead", {}, h("tr", {}, h("td", {}), names.map((name) => h("th", { scope: "col" }, word("figure", name))))),
      h("tbody", {}, lines.map(([name, read, note]) => h("tr", {}, h("th", { scope: "row" }, name, note && h("span", { class: "note" }, note)), names.map((one) => cell(read, one))))))),
    lacking?.some((one) => one.part === "baselines") ? null : about(baselines),
  ];
}

function bestOf(name, values) {
  const known = values.filter(Number.isFinite);
  return known.length ? known.reduce((a, b) => (LESS_IS_BETTER.has(name) === a < b ? a : b)) : null;
}

function about(baselines) {
  if (baselines?.status === "pending") return h("p", { class: "hint" }, t("report.baselines_pending"));
  return baselines?.reason && h("p", { class: "hint" }, prose(t("report.baselines_missing", { why: baselines.reason })));
}

function importance(read) {
  if (!read?.features.length) return null;
  const most = Math.max(...read.features.map((one) => one.mean), 1e-12);
  return h("figure", { class: "importance" }, h("figcaption", {}, t("report.importance", { metric: word("figure", read.metric) })),
    h("ul", { class: "bars" }, read.features.slice(0, 15).map((one) => bar(one.feature, one.mean / most, number(one.mean)))));
}

/** Parts that lack for one reason are named together, and the reason once. */
function missing(parts) {
  if (!parts.length) return null;
  const named = (reason) => parts.filter((one) => one.reason === reason).map((one) => word("part", one.part)).join(", ");
  const what = [...new Set(parts.map((one) => one.reason))].map((reason) => `${named(reason)}: ${reason}`);
  return h("p", { class: "hint" }, prose(t("report.missing", { what: what.join("; ") })));
}

/** Each picture as a file, for a README or a chat. */
function files({ plots }) {
  const names = Object.entries(plots ?? {});
  if (!names.length) return null;
  return h("details", {}, h("summary", {}, t("report.files")),
    h("ul", { class: "files" }, names.map(([name, path]) => h("li", {}, ["svg", "png"].map((form) => fileLink(path.slice(1).replace(/svg$/, form), `${name}.${form}`))))));
}
