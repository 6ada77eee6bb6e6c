// The report of a run: metrics on held-out rows, charts and advice.

import { find, isPassing, newKey, outcome, ProblemError, v1 } from "../../api.js";
import { bar } from "../../charts/bars.js";
import { isBetter } from "../../comparing.js";
import { pause } from "../../connection.js";
import { h, prose, put } from "../../dom.js";
import { aligned, plural, word } from "../../format.js";
import { fileLink } from "../../models/downloads.js";
import { card, table } from "../../parts.js";
import { attempt, warningsBox } from "../../problems.js";
import { startRun, startWith } from "../../start/draft.js";
import { verdictOf } from "../verdict.js";
import { classification, regression } from "./charts.js";

const [PAUSE_MS, TRIES] = [2000, 60];

/** Show the verdict, what to do and the report in `places`. Update them when the baselines
 *  are ready. */
export async function showReport(run, history, places, signal) {
  let parts = null;
  const advise = whenNew((report) => put(places.next, nextSteps(report)));
  for (let tries = 0; tries < TRIES && !signal.aborted; tries += 1) {
    const { value: report, problem } = await outcome(find(v1("runs", run.id, "report"), signal));
    if (problem && !isPassing(problem)) throw new ProblemError(problem);
    const isReady = report?.status === "ready";
    if (report) {
      put(places.verdict, verdictOf(run, report));
      advise(report, [report.traps, report.reading]);
    }
    if (isReady) {
      parts ??= begin(report, chosenBy(run.spec.fit, history), places.report);
      put(parts.scores, scores(report));
      put(parts.files, files(report));
    }
    if (!problem && (isReady ? report.baselines : report)?.status !== "pending") return;
    await pause(PAUSE_MS, signal);
  }
}

/** Return a function that draws only if `facts` are new, so that a button keeps its focus. */
function whenNew(draw) {
  let drawn = null;
  return (report, facts) => {
    const now = JSON.stringify(facts);
    if (now !== drawn) draw(report);
    drawn = now;
  };
}

/** Build the section with the problems of the data, and the advice; null without both. */
function nextSteps({ traps, reading: read }) {
  const told = (traps ?? []).map((trap) => trap.sentence);
  if (!read && !told.length) return null;
  return card("next", "What to do", [warningsBox(told, "Traps in the data"), reading(read)]);
}

/** Show the parts that do not change, and return the elements of the other parts. */
function begin(report, chosen, place) {
  const parts = { scores: h("div"), files: h("div") };
  put(place, card("report", "Report", [
    report.held_out && h("p.hint", heldSentence(report.held_out, chosen)),
    parts.scores,
    h("div.charts",
      report.classification && classification(report.classification),
      report.regression && regression(report.regression), importance(report.importance)),
    missing(report.missing ?? []), parts.files,
  ], { className: "report" }));
  return parts;
}

/** Return a sentence about the scored rows and about their use in training. */
function heldSentence({ side, num_scored: count, sample_weight: weight }, chosen) {
  const isOne = count === 1, weighted = weight ? `, weighted by ${weight}` : "";
  if (side === "test") {
    return `Measured on ${plural(count, "test row")} not used in training${weighted}.`;
  }
  const rows = `Measured on ${plural(count, "validation row")}${weighted}.`;
  if (!chosen.length) return `${rows} The network did not train on ${isOne ? "it" : "them"}.`;
  return `${rows} ${isOne ? "This row" : "These rows"} also chose the ${chosen.join(" and the ")}, `
    + "so the metrics are slightly optimistic.";
}

/** Return what the validation rows chose: the fit, or the epoch by early stopping, or both. */
function chosenBy({ early_stopping: stopping }, { pieces }) {
  const isEpochChosen = stopping?.restore_best_weights && stopping.monitor.startsWith("val_");
  return [pieces.length > 1 && "fit", isEpochChosen && "epoch"].filter(Boolean);
}

/** Build a table of the metrics of the network and of the baselines, the best in bold. */
function scores({ metrics, baselines, reasons, missing: lacking }) {
  const names = Object.keys(metrics);
  if (!names.length) return null;
  const lines = [
    { name: "this network", read: metrics },
    ...(baselines?.results ?? []).map(({ title: name, metrics: read, note }) =>
      ({ name, read, note })),
  ];
  const best = (figure) => bestOf(figure, lines.map(({ read }) => read[figure]));
  const texts = Object.fromEntries(names.map((figure) =>
    [figure, aligned(lines.map(({ read }) => read[figure]))]));
  const cell = (read, figure, i) => {
    const isBest = lines.length > 1 && read[figure] === best(figure);
    const text = texts[figure][i];
    return h("td.figure", { title: read === metrics ? reasons?.[figure] : null },
      isBest ? h("strong", text) : text);
  };
  const title = "Comparison with baselines";
  const heads = names.map((name) => [word(name), "figure"]);
  return [
    h("h3", title),
    table(title, "figures", [h("td"), ...heads], lines.map(({ name, read, note }, i) =>
      h("tr", h("th", { scope: "row" }, name, note && h("span.note", note)),
        names.map((one) => cell(read, one, i))))),
    !lacking?.some((one) => one.part === "baselines") && about(baselines ?? {}),
  ];
}

function bestOf(figure, values) {
  const known = values.filter(Number.isFinite);
  return known.length ? known.reduce((a, b) => (isBetter(figure, b, a) ? b : a)) : null;
}

function about({ status, reason }) {
  if (status === "pending") {
    return h("p.hint", "The baselines are being trained on the same rows.");
  }
  return reason && h("p.hint", prose(`Baselines: ${reason}.`));
}

function importance(read) {
  if (!read?.features.length) return null;
  const most = Math.max(...read.features.map((one) => one.mean), 1e-12);
  const metric = word(read.metric);
  const shown = read.features.slice(0, 15);
  const texts = aligned(shown.map(({ mean }) => mean));
  return h("figure.importance",
    h("figcaption", `Importance: increase of ${metric} with shuffled values`),
    h("ul.bars", shown.map(({ feature, mean }, i) => bar(feature, mean / most, texts[i]))));
}

/** List the missing parts, grouped by reason. */
function missing(parts) {
  if (!parts.length) return null;
  const reasons = [...new Set(parts.map((one) => one.reason))].map((reason) => {
    const alike = parts.filter((one) => one.reason === reason);
    return `${alike.map((one) => word(one.part)).join(", ")}: ${reason}`;
  });
  return h("p.hint", prose(`Not in this report: ${reasons.join("; ")}.`));
}

/** Build links to download each plot. */
function files({ plots }) {
  const names = Object.entries(plots ?? {});
  const links = ([name, path]) => ["svg", "png"].map((form) =>
    fileLink(path.slice(1).replace(/svg$/, form), `${name}.${form}`));
  return names.length > 0 && h("details", h("summary", "Download the plots"),
    h("ul.files", names.map((one) => h("li", links(one)))));
}

function reading(read) {
  if (!read) return null;
  const { title, word: diagnosis, sentence, advice, suggestion } = read;
  return h("div.notice.reading",
    h("strong", title || word(diagnosis)), h("p", prose(sentence)), h("p", prose(advice)),
    suggestion && suggested(suggestion));
}

/** Build the buttons that train or edit a suggested spec. */
function suggested({ label, spec }) {
  const failed = h("div");
  const key = newKey(); // a second click starts no second run
  const train = h("button.primary", {
    onclick: () => attempt(train, failed, () => startRun(spec, key)),
  }, label);
  const open = h("button", { onclick: () => startWith(structuredClone(spec)) },
    "Edit the suggested spec");
  return [h("p.links", train, open), failed];
}
