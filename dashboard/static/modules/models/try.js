// A form made of the model's own schema, filled with a training row.

import { ProblemError, post, v1 } from "../api.js";
import { shares } from "../charts/bars.js";
import { h, newId, prose, put } from "../dom.js";
import { number } from "../format.js";
import { problemBox, warningsBox } from "../problems.js";
import { t } from "../text.js";

const MOST_CHOICES = 12;

export function tryForm(version, schema) {
  const example = schema.examples?.[0] ?? {};
  const fields = Object.entries(schema.properties).map(([name, property]) => control(name, property, example[name]));
  const answer = h("div", { class: "answer", "aria-live": "polite" }, h("p", { class: "hint" }, t("try.waiting")));
  const submit = async (event) => {
    event.preventDefault();
    const instance = Object.fromEntries(fields.map(({ name, read }) => [name, read()]));
    try {
      put(answer, answered(version, await post(v1("models", version.model_name, "versions", String(version.version), "predict"), { instances: [instance] })));
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      put(answer, problemBox(error.problem));
    }
  };
  return h("section", { class: "card try", "aria-labelledby": "try" }, h("h2", { id: "try" }, t("try.title")),
    h("form", { on: { submit }, novalidate: true }, h("div", { class: "fields" }, fields.map((one) => one.element)),
      h("div", { class: "go" }, h("button", { class: "primary" }, t("try.predict", { target: version.target })))),
    answer);
}

/** A control that says what the training rows were like; `read()` is its cell. */
function control(name, property, value) {
  const id = newId("cell");
  const types = [property.type].flat();
  const props = { id, "aria-describedby": `${id}-hint`, autocomplete: "off" };
  const choices = types.includes("boolean") ? (property.enum ?? [true, false]) : property.enum;
  const controls = choices ? choiceOf(choices, value, types, props) : [h("input", { type: "text", inputmode: types.includes("number") ? "decimal" : null, value: value ?? "", ...props })];
  const element = h("div", { class: "field" }, h("label", { for: id }, name), controls, h("span", { class: "hint", id: `${id}-hint` }, hint(property, types)));
  return { name, element, read: () => cell(controls[0].value, types) };
}

function choiceOf(choices, value, types, props) {
  const listed = choices.filter((one) => one !== null).map(String);
  if (types.includes("null")) listed.unshift("");
  if (listed.length > MOST_CHOICES) {
    const input = h("input", { type: "text", list: `${props.id}-list`, value: value ?? "", ...props });
    return [input, h("datalist", { id: `${props.id}-list` }, listed.map((one) => h("option", { value: one })))];
  }
  const input = h("select", props, listed.map((one) => h("option", { value: one }, one || t("try.missing"))));
  input.value = value === null || value === undefined ? "" : String(value);
  return [input];
}

function hint(property, types) {
  const known = property.enum?.filter((one) => one !== null).length;
  const said = [
    property.minimum !== undefined && t("columns.range", { low: number(property.minimum), high: number(property.maximum) }),
    property.format,
    known > MOST_CHOICES && t("try.known", { n: known }),
    types.includes("null") && t("try.may_be_missing"),
  ];
  return said.filter(Boolean).join(", ");
}

function cell(text, types) {
  const trimmed = text.trim();
  if (trimmed === "") return null;
  if (types.includes("boolean")) return trimmed === "true" ? true : trimmed === "false" ? false : trimmed;
  if (types.includes("number") && !Number.isNaN(Number(trimmed))) return Number(trimmed);
  return trimmed;
}

function answered(version, read) {
  const [prediction] = read.predictions;
  const shown = typeof prediction === "number" ? number(prediction) : String(prediction);
  const warnings = (read.warnings ?? []).map((one) => h("span", {}, h("strong", {}, one.column), ": ", prose(one.detail)));
  return [
    h("p", { class: "prediction" }, h("span", {}, version.target), h("output", {}, shown)),
    read.probabilities && shares(Object.entries(read.probabilities[0])),
    warningsBox(warnings, t("try.warnings")),
  ];
}
