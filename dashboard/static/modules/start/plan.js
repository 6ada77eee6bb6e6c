// Beside the form: what would be trained, asked of the service at every change; and Train.

import { ProblemError, newKey, post } from "../api.js";
import { h, put, settled } from "../dom.js";
import { bytes, integer } from "../format.js";
import { problemBox, warningsBox } from "../problems.js";
import { t, word } from "../text.js";
import { mark } from "./marks.js";

const QUIET_MS = 250;

export function planSection(draft, signal) {
  const body = h("div", { class: "plan-body", "aria-live": "polite" });
  const train = h("button", { class: "primary", type: "button" }, t("plan.train"));
  const failed = h("div", {});
  const listeners = [];
  let asking = new AbortController();
  const ask = async () => {
    asking.abort();
    asking = new AbortController();
    signal.addEventListener("abort", () => asking.abort(), { once: true });
    const answer = await validated(draft.spec, asking.signal);
    if (answer === null) return;
    put(body, answer.plan ? facts(answer.plan) : problemBox(answer.problem));
    mark(answer.problem);
    train.disabled = !answer.plan;
    listeners.forEach((listener) => listener(answer.plan));
  };
  const askSoon = settled(ask, QUIET_MS);
  let key = newKey();
  draft.listen(() => {
    key = newKey(); // another spec is another request
    askSoon();
  });
  train.addEventListener("click", () => start(draft.spec, key, train, failed));
  ask();
  const element = h("aside", { class: "card plan", "aria-labelledby": "step-plan" },
    h("h2", { id: "step-plan" }, t("plan.title")), body, failed, h("div", { class: "go" }, train));
  return { element, listen: (listener) => listeners.push(listener) };
}

/** The service's plan or its problem; null if a later question came between. */
async function validated(spec, signal) {
  try {
    return { plan: await post("v1/runs/validate", spec, { signal }) };
  } catch (error) {
    if (error instanceof ProblemError) return { problem: error.problem };
    if (error.name === "AbortError") return null;
    throw error;
  }
}

async function start(spec, key, train, failed) {
  train.disabled = true;
  put(failed);
  try {
    const run = await post("v1/runs", spec, { key });
    location.hash = `#/runs/${run.id}`;
  } catch (error) {
    train.disabled = false;
    if (!(error instanceof ProblemError)) throw error;
    put(failed, problemBox(error.problem));
  }
}

function facts(plan) {
  const rows = Object.entries(plan.num_rows).filter(([, n]) => n > 0);
  const pairs = [
    [t("plan.task"), word("task", plan.task)],
    [t("plan.features"), integer(plan.features.length)],
    ...rows.map(([split, n]) => [t("plan.rows", { split: word("split", split) }), integer(n)]),
    [t("plan.loss"), plan.spec.compile.loss],
    [t("plan.params"), integer(plan.num_params)],
    [t("plan.steps"), integer(plan.num_steps)],
    [t("plan.memory"), bytes(plan.memory_bytes)],
  ];
  return [
    stack(plan),
    h("dl", { class: "pairs" }, pairs.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
    warningsBox(plan.warnings),
  ];
}

/** The network from top to bottom, each layer as wide as its output. */
function stack(plan) {
  const most = Math.max(...plan.layers.map((layer) => layer.output_shape.at(-1) ?? 1));
  const widths = plan.layers.map((layer) => Math.sqrt((layer.output_shape.at(-1) ?? 1) / most));
  return h("ol", { class: "stack", "aria-label": t("plan.stack") }, plan.layers.map((layer, i) => {
    const block = h("span", { class: `block ${layer.params ? "" : "bare"}` });
    block.style.inlineSize = `${Math.max(6, widths[i] * 100)}%`;
    return h("li", {}, h("span", { class: "name" }, layer.type), h("span", { class: "track" }, block), h("span", { class: "figure" }, layer.output_shape.join(" × ")));
  }));
}
