// A field of the prediction form for each input of a model.

import { h, newId } from "../dom.js";
import { number } from "../format.js";
import { field, select } from "../parts.js";
import { datePattern } from "./dates.js";

const MOST_CHOICES = 12;

/** Build the field of a column from its JSON Schema. `read()` returns the value, or null. */
export function inputField(name, property, example) {
  const types = [property.type].flat();
  const isRequired = !types.includes("null");
  const value = String(example ?? "");
  const choices = choicesOf(property, types);
  const isList = choices && choices.length <= MOST_CHOICES;
  const control = isList
    ? select(choices.map((one) => [one, one || "missing"]), value, { "data-column": name })
    : textInput(name, types, choices, value);
  control.setAttribute("aria-required", String(isRequired));
  const hint = [isRequired ? "required" : "may be empty", ...hintsOf(property)].join(", ");
  const element = field(name, control, { hint });
  if (choices && !isList) element.append(suggestions(control, choices));
  const read = () => parsed(control.value.trim(), types);
  return { name, element, control, isRequired, read };
}

function choicesOf({ enum: known }, types) {
  const values = types.includes("boolean") ? (known ?? [true, false]) : known;
  const choices = values?.filter((one) => one !== null).map(String);
  if (types.includes("null")) choices?.unshift("");
  return choices;
}

function textInput(name, types, choices, value) {
  const inputmode = types.includes("number") && !choices ? "decimal" : null;
  return h("input", { type: "text", inputmode, value, autocomplete: "off", "data-column": name });
}

function suggestions(control, choices) {
  const id = newId("choices");
  control.setAttribute("list", id);
  return h("datalist", { id }, choices.map((one) => h("option", { value: one })));
}

/** Return the range and the notation of the training rows. */
function hintsOf(property) {
  const { minimum, maximum, format, enum: known } = property;
  const { "x-minimum": first, "x-maximum": last, "x-formats": formats } = property;
  const count = known?.filter((one) => one !== null).length;
  return [
    minimum !== undefined && `${number(minimum)} to ${number(maximum)}`,
    first !== undefined && `${first} to ${last}`,
    formats ? formats.map(datePattern).join(" or ") : format && datePattern(format),
    count > MOST_CHOICES && `${count} known values`,
  ].filter(Boolean);
}

function parsed(text, types) {
  if (text === "") return null;
  if (types.includes("boolean")) return { true: true, false: false }[text] ?? text;
  return types.includes("number") && !Number.isNaN(Number(text)) ? Number(text) : text;
}
