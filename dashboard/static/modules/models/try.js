// The card that predicts: one row in a form, or the rows of a file.

import { outcome, send, versionPath } from "../api.js";
import { shares } from "../charts/bars.js";
import { h, prose, put } from "../dom.js";
import { number } from "../format.js";
import { card } from "../parts.js";
import { markField, markFields, problemBox, warningsBox } from "../problems.js";
import { inputField } from "./inputs.js";
import { fileForm } from "./try_file.js";

const NO_VALUE = { detail: "enter a value: every row of the training data had one" };
const INCOMPLETE = "No prediction: enter a value in each marked field.";

export function tryForm(version, schema) {
  const path = versionPath(version, "predict");
  return card("try", "Predict",
    [rowForm(version, schema), fileForm({ path, target: version.target })]);
}

/** Build the form for one row. It begins with a row of the training data. */
function rowForm(version, schema) {
  const example = schema.examples?.[0] ?? {};
  const inputs = Object.entries(schema.properties)
    .map(([name, property]) => inputField(name, property, example[name]));
  const answer = h("div.answer", { "aria-live": "polite" },
    h("p.hint", "The form contains a row of the training data. Edit the values and predict."));
  const form = h("form", { novalidate: true },
    h("div.fields", inputs.map((one) => one.element)),
    h("div.go", h("button.primary", `Predict ${version.target}`)));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!areComplete(inputs)) return put(answer, h("p.hint", INCOMPLETE));
    const row = Object.fromEntries(inputs.map(({ name, read }) => [name, read()]));
    const path = versionPath(version, "predict");
    const { value, problem } = await outcome(send("POST", path, { instances: [row] }));
    put(answer, value ? answered(version.target, value) : problemBox(problem));
    const wrong = markFields(problem, form);
    wrong?.focus();
    return (wrong ?? answer).scrollIntoView({ block: "nearest" });
  });
  return [form, answer];
}

/** Mark the required fields that are empty, and focus the first. Return whether none is. */
function areComplete(inputs) {
  const empty = inputs.filter(({ isRequired, read }) => isRequired && read() === null);
  inputs.forEach((one) => markField(one.control, empty.includes(one) ? [NO_VALUE] : []));
  empty[0]?.control.focus();
  return empty.length === 0;
}

function answered(target, { predictions: [prediction], probabilities, warnings = [] }) {
  const shown = typeof prediction === "number" ? number(prediction) : String(prediction);
  return [
    h("p.prediction", h("span", target), h("output", shown)),
    warningsBox(warnings.map(({ column, detail }) =>
      h("span", h("strong", column), ": ", prose(detail))), "Unlike the training data"),
    probabilities && shares(Object.entries(probabilities[0])),
  ];
}
