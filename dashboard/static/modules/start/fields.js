// Fields of the form, each for one place of the spec. `edit(value)` changes the spec.

import { h } from "../dom.js";
import { field, select } from "../parts.js";
import { asNumber } from "./layers.js";

export function choice(draft, label, place, options, value, edit) {
  const control = select(options, value ?? "", {
    "data-pointer": `#/${place}`,
    onchange: () => draft.change("fit", () => edit(control.value)),
  });
  return field(label, control);
}

export function numeric(draft, label, place, value, edit, options) {
  const asValue = (text) => edit(text === "" ? undefined : asNumber(text));
  return textual(draft, label, place, value, asValue, { inputmode: "decimal", ...options });
}

export function textual(draft, label, place, value = "", edit, { hint = null, ...props } = {}) {
  const control = h("input", {
    type: "text", value, autocomplete: "off", "data-pointer": `#/${place}`, ...props,
    oninput: () => draft.change("fit", () => edit(control.value.trim())),
  });
  return field(label, control, { hint });
}
