// The training plan next to the form, validated by the service after each change, and Train.

import { newKey, outcome, send } from "../api.js";
import { h, put } from "../dom.js";
import { bytes, integer, word } from "../format.js";
import { pairs, rowCounts } from "../parts.js";
import { attempt, markFields, problemBox, warningsBox } from "../problems.js";
import { startRun } from "./draft.js";
import { planWords } from "./plan_words.js";

const QUIET_MS = 250;
let isNumbersOpen = false; // the fold stays as it is when the plan changes

export function planSection(draft, signal) {
  const body = h("div.plan-body", { "aria-live": "polite" });
  const failed = h("div");
  const listeners = [];
  let asking = new AbortController();
  let timer = null;
  let key = newKey();
  const ask = async () => {
    asking.abort();
    asking = new AbortController();
    const both = AbortSignal.any([signal, asking.signal]);
    const { value: plan = null, problem } =
      await outcome(send("POST", "v1/runs/validate", draft.spec, { signal: both }));
    put(body, plan ? facts(plan) : problemBox(problem));
    markFields(problem);
    train.disabled = !plan;
    listeners.forEach((listener) => listener(plan));
  };
  draft.listen(() => {
    key = newKey(); // a changed spec is a new request
    clearTimeout(timer);
    timer = setTimeout(ask, QUIET_MS);
  });
  const train = h("button.primary", {
    onclick: () => attempt(train, failed, () => startRun(draft.spec, key)),
  }, "Train");
  ask();
  const element = h("aside.card.plan", { "aria-labelledby": "step-plan" },
    h("h2", { id: "step-plan" }, "Training plan"), body, failed, h("div.go", train));
  return { element, listen: (listener) => listeners.push(listener) };
}

function facts(plan) {
  return [
    planWords(plan),
    warningsBox(plan.warnings),
    h("details", { open: isNumbersOpen, ontoggle: (event) => (isNumbersOpen = event.target.open) },
      h("summary", "Layers and numbers"),
      stack(plan),
      pairs([
        ["Task", word(plan.task)],
        ["Features", integer(plan.features.length)],
        ...rowCounts(plan.num_rows),
        ["Loss", plan.spec.compile.loss],
        ["Parameters", `at most ${integer(plan.num_params)}`],
        ["Maximum steps", integer(plan.num_steps)],
        ["Memory for training", bytes(plan.memory_bytes)],
      ])),
  ];
}

/** Build the list of layers. The width of each bar shows the width of the layer's output. */
function stack({ layers }) {
  const widthOf = ({ output_shape: shape }) => shape.at(-1) ?? 1;
  const most = Math.max(...layers.map(widthOf));
  const row = (layer) => {
    const block = h("span.block", { class: layer.params ? "" : "bare" });
    block.style.inlineSize = `${Math.max(6, Math.sqrt(widthOf(layer) / most) * 100)}%`;
    return h("li", h("span.name", layer.type), h("span.track", block),
      h("span.figure", layer.output_shape.join(" × ")));
  };
  return h("ol.stack", { "aria-label": "Layers and output shapes" }, layers.map(row));
}
