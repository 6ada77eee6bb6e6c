// The page of a run, during and after training.

import { get, outcome, send, v1, versionPath } from "../api.js";
import { announce, h, perFrame, put } from "../dom.js";
import { aligned, duration, elapsed, integer, moment, word } from "../format.js";
import { fileLink } from "../models/downloads.js";
import { standing } from "../models/standing.js";
import { card, pairs, rowCounts, table } from "../parts.js";
import { attempt, problemBox, warningsBox } from "../problems.js";
import { lackingNotice } from "../session.js";
import { startWith } from "../start/draft.js";
import { curves } from "./curves.js";
import { epochNamed, keptEpoch, sentenceOf, statusChip } from "./status.js";
import { History, followRun } from "./history.js";
import { notesCard } from "./notes.js";
import { showReport } from "./report/section.js";
import { verdictOf } from "./verdict.js";

export async function page({ given: [id], signal }) {
  const [first, history] =
    await Promise.all([get(v1("runs", id), signal), History.load(id, signal)]);
  let run = first;
  const [head, measures, notices, next, warnings, report, facts, place] =
    Array.from({ length: 8 }, () => h("div"));
  const verdict = h("p.verdict", { role: "status" });
  const bar = h("progress", { "aria-label": "Training progress" });
  const progress = h("div.progress", bar, h("p"));
  const charts = curves(history);
  const drawProgress = () => {
    showProgress(progress, run, history);
    charts.update(run);
  };
  const draw = () => {
    put(head, headOf(run));
    put(verdict, verdictOf(run));
    put(measures, measuresOf(run, history));
    put(facts, pairs(factsOf(run)));
    drawProgress();
    put(notices, run.error && problemBox(run.error));
    put(warnings, warningsBox(run.warnings, "Training warnings"));
    if (run.ended_at) {
      showReport(run, history, { verdict, next, report }, signal)
        .catch((error) => put(report, failureBox(error)));
      showStanding(run, place, signal);
    }
  };
  draw();
  const drawSoon = perFrame(drawProgress);
  const epoch = ({ epoch: done, epochs, eta_seconds }) => {
    run = { ...run, status: "running", progress: { epoch: done, epochs, eta_seconds } };
    drawSoon();
  };
  const status = (read) => {
    const isNews = read.status !== run.status;
    run = read;
    draw();
    if (isNews) announce(`${run.status}. ${sentenceOf(run, history)}`);
  };
  if (!run.ended_at) {
    followRun(id, history, { epoch, status }, signal)
      .catch((error) => put(notices, failureBox(error)));
  }
  return h("section", head, verdict, place, progress, lackingNotice(["runs:write"]), notices, next,
    warnings, report, charts.element, measures, details(run, facts));
}

/** Say whether the version of the run serves, and how it compares to the one before. */
async function showStanding({ model_name: name, model_version: version }, place, signal) {
  if (!version) return;
  const path = versionPath({ model_name: name, version });
  const { value } = await outcome(get(path, signal)); // deleted, or hidden from the key
  const href = `#/models/${encodeURIComponent(name)}`;
  put(place, value && standing(value, h("p.links", h("a", { href }, `Versions of ${name}`))));
}

/** Build a box for an error of a background task. */
function failureBox(error) {
  const other = { title: "The page could not be loaded", detail: String(error) };
  return problemBox(error.problem ?? other);
}

function headOf(run) {
  const failed = h("div");
  const onclick = async () => {
    const stop = () => send("POST", v1("runs", run.id, "cancel"), {});
    if (!(await attempt(cancel, failed, stop))) return;
    cancel.disabled = true;
    put(cancel, "Cancelling…");
  };
  const cancel = h("button.danger", { onclick }, "Cancel");
  const again = h("button", { onclick: () => startWith(unseeded(run.spec)) },
    "Edit and train again");
  const href = `#/models/${encodeURIComponent(run.model_name)}/${run.model_version}`;
  return [
    h("div.head",
      h("h1", { tabindex: "-1" }, run.model_name, " ", h("span.id", run.id.slice(-6))),
      statusChip(run.status),
      h("div.actions", !run.ended_at && cancel,
        h("a.button", { href: `#/compare/${run.id}` }, "Compare"), again,
        run.model_version && h("a.button.primary", { href }, `Try version ${run.model_version}`))),
    failed,
  ];
}

/** Return the spec without its seed, so that a new run draws other random numbers. */
function unseeded(spec) {
  const { seed: _seed, ...fit } = spec.fit;
  return structuredClone({ ...spec, fit });
}

/** Update the progress in place, to avoid flicker. */
function showProgress({ children: [bar, text] }, run, history) {
  const { epoch, epochs } = run.progress;
  if (run.status === "running" && !epoch) bar.removeAttribute("value");
  else bar.value = run.status === "succeeded" ? 1 : epoch / epochs;
  bar.className = run.status;
  bar.hidden = Boolean(run.ended_at);
  put(text, sentenceOf(run, history));
}

function measuresOf({ metrics, ...run }, history) {
  const plain = Object.keys(metrics).filter((name) => !/^(val|test)_/.test(name));
  if (!plain.length) return null;
  const sides = [["validation", "val_"], ["test", "test_"], ["training", ""]]
    .filter(([, prefix]) => plain.some((name) => `${prefix}${name}` in metrics));
  const title = `Metrics at ${epochNamed(run, history, keptEpoch(run) ?? run.progress.epoch)}`;
  const heads = plain.map((name) => [word(name), "figure"]);
  const columns = plain.map((name) => aligned(sides.map(([, prefix]) => metrics[`${prefix}${name}`])));
  return card("figures", title,
    table(title, "", [h("td"), ...heads], sides.map(([side], i) =>
      h("tr", h("th", { scope: "row" }, side), columns.map((column) => h("td.figure", column[i]))))));
}

/** Return the properties of the run. Some are known only after the run has ended. */
function factsOf(run) {
  const { dataset, started_at: started, ended_at: ended } = run;
  return [
    ["Dataset", h("a", { href: `#/?dataset=${encodeURIComponent(dataset.name)}` }, dataset.name)],
    ["Target", run.target],
    ["Task", word(run.task)],
    ["Parameters", integer(run.num_params)],
    ...rowCounts(run.num_rows),
    ["Created", moment(run.created_at)],
    ["Training time", duration(ended && elapsed(started, ended))],
    ["Attempt", integer(run.attempt)],
    ["Run ID", h("code", run.id)],
  ];
}

function details(run, facts) {
  const { id, spec } = run;
  const link = (name) => fileLink(v1("runs", id, name), name);
  return [notesCard(run), card("details", "Details", [
    facts,
    h("p.links", "Download the loss plot:", " ",
      link("history.svg"), link("history.png"),
      h("a", { href: `#/webhooks?run=${id}` }, "Give this run a webhook")),
    h("details", h("summary", "Full spec with all defaults"),
      h("pre", { tabindex: "0" }, JSON.stringify(spec, null, 2))),
  ])];
}
