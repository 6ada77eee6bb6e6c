// The fields for the weights of the rows, and for the class that is the positive one.

import { typeOf } from "./draft.js";
import { choice, textual } from "./fields.js";
import { asNumber } from "./layers.js";

/** Build the fields. `set(spec, part, name, value)` sets or removes a key of the spec. */
export function weightFields(draft, set) {
  const { spec } = draft;
  const { compile = {}, fit = {} } = spec;
  return [
    choice(draft, "Sample weight", "fit/sample_weight", [["", "none"], ...weightsOf(draft)],
      fit.sample_weight, (name) => set(spec, "fit", "sample_weight", name || undefined)),
    textual(draft, "Positive class", "positive_class", nameOf(spec.positive_class),
      (text) => setPositive(draft, text), {
        hint: "Of two classes, the one that precision, recall and thresholds are about.",
      }),
    textual(draft, "Weighted metrics", "compile/weighted_metrics",
      compile.weighted_metrics?.join(", "),
      (text) => set(spec, "compile", "weighted_metrics", namesIn(text)),
      { hint: "Names with commas between them. They are weighted by the sample weight." }),
  ];
}

/** Return the columns that can weigh the rows. */
function weightsOf({ spec, dataset }) {
  const isWeight = (one) => typeOf(spec, one) === "numeric" && one.name !== spec.target;
  return dataset.columns.filter(isWeight).map(({ name }) => name);
}

function nameOf(value) {
  return value === null || value === undefined ? "" : String(value);
}

function namesIn(text) {
  const names = text.split(",").map((one) => one.trim()).filter(Boolean);
  return names.length ? names : undefined;
}

/** Set the positive class, as the column's type writes it. */
function setPositive({ spec, dataset }, text) {
  const { type, format } = dataset.columns.find((one) => one.name === spec.target) ?? {};
  if (text === "") delete spec.positive_class;
  else if (type === "numeric") spec.positive_class = asNumber(text);
  else if (type === "boolean" && !format.labels.length) {
    spec.positive_class = { true: true, false: false }[text] ?? text;
  } else spec.positive_class = text;
}
