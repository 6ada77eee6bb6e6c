// One run, while it trains and afterwards.

import { ProblemError, get, post, v1 } from "../api.js";
import { announce, h, perFrame, put } from "../dom.js";
import { duration, elapsed, integer, moment, number } from "../format.js";
import { problemBox, warningsBox } from "../problems.js";
import { lackingNotice } from "../session.js";
import { startWith } from "../start/handover.js";
import { t, word } from "../text.js";
import { fileLink } from "../models/downloads.js";
import { curves } from "./curves.js";
import { epochNamed, keptEpoch } from "./fits.js";
import { History, followRun } from "./history.js";
import { showReport } from "./report/section.js";
import { sentenceOf, statusChip } from "./status.js";

export async function page({ given: [id], signal }) {
  const [run, history] = await Promise.all([get(v1("runs", id), signal), History.load(id, signal)]);
  const parts = { head: h("div", {}), progress: h("div", { class: "progress" }), figures: h("div", {}), notices: h("div", {}), report: h("div", {}), facts: h("dl", { class: "pairs wide" }) };
  const charts = curves(history);
  const state = { run };
  const draw = () => {
    put(parts.head, head(state.run, signal));
    drawProgress(parts.progress, state.run, history);
    put(parts.figures, figures(state.run, history));
    put(parts.facts, facts(state.run));
    charts.update(state.run);
  };
  const settle = () => {
    put(parts.notices, state.run.error && problemBox(state.run.error), warningsBox(state.run.warnings, t("run.warnings")));
    if (state.run.ended_at) showReport(state.run, history, parts.report, signal).catch((error) => put(parts.report, problemBox(problemIn(error))));
  };
  draw();
  settle();
  if (!run.ended_at) {
    watch(state, history, { draw, settle, charts, progress: parts.progress }, signal).catch((error) => put(parts.notices, problemBox(problemIn(error))));
  }
  return h("section", { class: "run" }, parts.head, lackingNotice(["runs:write"]), parts.progress, parts.notices, charts.element, parts.figures, parts.report, details(state.run, parts.facts));
}

/** Of what went wrong behind the page's back; being left is nothing wrong. */
function problemIn(error) {
  return error.problem ?? { title: t("nav.failed"), detail: String(error) };
}

function watch(state, history, { draw, settle, charts, progress }, signal) {
  const drawSoon = perFrame(() => {
    drawProgress(progress, state.run, history);
    charts.update(state.run);
  });
  const epoch = (event) => {
    state.run = { ...state.run, status: "running", progress: { epoch: event.epoch, epochs: event.epochs, eta_seconds: event.eta_seconds } };
    drawSoon();
  };
  const status = (run) => {
    const isNews = run.status !== state.run.status;
    state.run = run;
    draw();
    settle();
    if (isNews) announce(`${word("status", run.status)}. ${sentenceOf(run, history)}`);
  };
  return followRun(state.run.id, history, { epoch, status }, signal);
}

function head(run) {
  const cancel = h("button", { type: "button", class: "danger" }, t("run.cancel"));
  const failed = h("div", {});
  cancel.addEventListener("click", async () => {
    cancel.disabled = true;
    try {
      await post(v1("runs", run.id, "cancel"), {});
      cancel.textContent = t("run.cancelling");
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      put(failed, problemBox(error.problem));
    }
  });
  const again = h("button", { type: "button", on: { click: () => startWith(plainSpec(run.spec)) } }, t("run.again"));
  const version = run.model_version && h("a", { class: "button primary", href: `#/models/${encodeURIComponent(run.model_name)}/${run.model_version}` }, t("run.try", { version: run.model_version }));
  return [
    h("div", { class: "head" },
      h("h1", { tabindex: "-1" }, run.model_name, " ", h("span", { class: "id" }, run.id.slice(-6))),
      statusChip(run.status),
      h("div", { class: "actions" }, run.ended_at ? null : cancel, h("a", { class: "button", href: `#/compare/${run.id}` }, t("run.compare")), again, version)),
    failed,
  ];
}

/** The spec without the seed: the same network trained again, not the same numbers. */
function plainSpec(spec) {
  const copy = structuredClone(spec);
  delete copy.fit.seed;
  return copy;
}

/** Kept in place while it changes, so that nothing flickers and nobody loses the focus. */
function drawProgress(element, run, history) {
  if (!element.firstChild) put(element, h("progress", { "aria-label": t("run.progress") }), h("p", {}));
  const [bar, said] = element.children;
  const { epoch, epochs } = run.progress;
  bar.max = 1;
  if (run.status === "running" && !epoch) bar.removeAttribute("value");
  else bar.value = run.status === "succeeded" ? 1 : epoch / epochs;
  bar.className = run.status;
  said.textContent = sentenceOf(run, history);
}

function figures(run, history) {
  const names = Object.keys(run.metrics);
  if (!names.length) return null;
  const sides = [["validation", "val_"], ["test", "test_"], ["training", ""]];
  const plain = names.filter((name) => !/^(val|test)_/.test(name));
  const shown = sides.filter(([, prefix]) => plain.some((name) => `${prefix}${name}` in run.metrics));
  return h("section", { class: "card", "aria-labelledby": "figures" },
    h("h2", { id: "figures" }, t("figures.title", { epoch: epochNamed(run, history, keptEpoch(run) ?? run.progress.epoch) })),
    h("div", { class: "scroll", role: "group", tabindex: "0", "aria-labelledby": "figures" },
      h("table", { class: "figures" },
        h("thead", {}, h("tr", {}, h("td", {}), plain.map((name) => h("th", { scope: "col" }, name)))),
        h("tbody", {}, shown.map(([side, prefix]) =>
          h("tr", {}, h("th", { scope: "row" }, word("split", side === "training" ? "train" : side)), plain.map((name) => h("td", { class: "figure" }, number(run.metrics[`${prefix}${name}`])))))))));
}

/** What is known of the run; more of it once it has ended. */
function facts(run) {
  const pairs = [
    [t("run.dataset"), h("a", { href: `#/?dataset=${encodeURIComponent(run.dataset.name)}` }, run.dataset.name)],
    [t("plan.target"), run.target],
    [t("plan.task"), word("task", run.task)],
    [t("plan.params"), integer(run.num_params)],
    ...Object.entries(run.num_rows).filter(([, n]) => n).map(([split, n]) => [t("plan.rows", { split: word("split", split) }), integer(n)]),
    [t("run.created"), moment(run.created_at)],
    [t("run.took"), run.started_at && run.ended_at ? duration(elapsed(run.started_at, run.ended_at)) : "–"],
    [t("run.attempt"), integer(run.attempt)],
    [t("run.id"), h("code", {}, run.id)],
  ];
  return pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)));
}

function details(run, known) {
  const links = ["history.svg", "history.png"].map((name) => fileLink(`v1/runs/${run.id}/${name}`, name));
  return h("section", { class: "card", "aria-labelledby": "details" },
    h("h2", { id: "details" }, t("run.details")),
    known,
    h("p", { class: "links" }, t("run.plots"), " ", links),
    h("details", {}, h("summary", {}, t("run.spec")), h("pre", { tabindex: "0" }, JSON.stringify(run.spec, null, 2))));
}
