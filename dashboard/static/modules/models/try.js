// A prediction form built from the model's schema and filled with a training row.

import { outcome, send, versionPath } from "../api.js";
import { shares } from "../charts/bars.js";
import { h, newId, prose, put } from "../dom.js";
import { number } from "../format.js";
import { card, field, select } from "../parts.js";
import { problemBox, warningsBox } from "../problems.js";

const MOST_CHOICES = 12;

export function tryForm(version, schema) {
  const example = schema.examples?.[0] ?? {};
  const cells = Object.entries(schema.properties)
    .map(([name, property]) => cell(name, property, example[name]));
  const answer = h("div.answer", { "aria-live": "polite" },
    h("p.hint", "The form contains a row of the training data. Edit the values and predict."));
  const onsubmit = async (event) => {
    event.preventDefault();
    const body = { instances: [Object.fromEntries(cells.map(({ name, read }) => [name, read()]))] };
    const { value, problem } = await outcome(send("POST", versionPath(version, "predict"), body));
    put(answer, value ? answered(version.target, value) : problemBox(problem));
  };
  return card("try", "Predict", [
    h("form", { onsubmit, novalidate: true },
      h("div.fields", cells.map((one) => one.element)),
      h("div.go", h("button.primary", `Predict ${version.target}`))),
    answer,
  ]);
}

/** Build a control with the range of the training rows as a hint. `read()` returns its value. */
function cell(name, property, example) {
  const types = [property.type].flat();
  const value = String(example ?? "");
  const known = types.includes("boolean") ? (property.enum ?? [true, false]) : property.enum;
  const choices = known?.filter((one) => one !== null).map(String);
  if (types.includes("null")) choices?.unshift("");
  const isList = choices && choices.length <= MOST_CHOICES;
  const listId = choices && !isList ? newId("choices") : null;
  const inputmode = types.includes("number") && !choices ? "decimal" : null;
  const control = isList
    ? select(choices.map((one) => [one, one || "missing"]), value)
    : h("input", { type: "text", inputmode, list: listId, value, autocomplete: "off" });
  const element = field(name, control, { hint: hintOf(property, types) });
  const options = choices?.map((one) => h("option", { value: one }));
  if (listId) element.append(h("datalist", { id: listId }, options));
  return { name, element, read: () => parsed(control.value.trim(), types) };
}

function hintOf({ minimum, maximum, format, enum: known }, types) {
  const count = known?.filter((one) => one !== null).length;
  return [
    minimum !== undefined && `${number(minimum)} to ${number(maximum)}`,
    format,
    count > MOST_CHOICES && `${count} known values`,
    types.includes("null") && "may be empty",
  ].filter(Boolean).join(", ");
}

function parsed(text, types) {
  if (text === "") return null;
  if (types.includes("boolean")) return { true: true, false: false }[text] ?? text;
  return types.includes("number") && !Number.isNaN(Number(text)) ? Number(text) : text;
}

function answered(target, { predictions: [prediction], probabilities, warnings = [] }) {
  const shown = typeof prediction === "number" ? number(prediction) : String(prediction);
  return [
    h("p.prediction", h("span", target), h("output", shown)),
    probabilities && shares(Object.entries(probabilities[0])),
    warningsBox(warnings.map(({ column, detail }) =>
      h("span", h("strong", column), ": ", prose(detail))), "Unlike the training data"),
  ];
}
