// The list of layers, one row for each layer.

import { h, put } from "../dom.js";
import { plural } from "../format.js";
import { labelled, select } from "../parts.js";
import { newLayer, shownFields } from "./schema.js";

/** Build the list of a draft's layers. `kinds` maps each layer type to its schema. */
export function layerList(draft, kinds) {
  const list = h("ol.layers");
  const draw = (focus = null) => {
    put(list, layersOf(draft).map((_, i) => layerRow(draft, kinds, i, draw)));
    const row = focus === null ? null : list.children[Math.min(focus, list.children.length - 1)];
    row?.querySelector("select").focus();
  };
  const onclick = () => {
    const layers = layersOf(draft);
    const at = layers.at(-1)?.type === "Output" ? layers.length - 1 : layers.length;
    draft.change("layers", () => layers.splice(at, 0, newLayer(kinds, "Dense")));
    draw(at);
  };
  draw();
  const element = h("div", list, h("button", { onclick }, "Add a layer"));
  return { element, draw, showShapes: (plan) => showShapes(list, plan) };
}

function layersOf(draft) {
  return draft.spec.model?.layers ?? [];
}

function layerRow(draft, kinds, i, draw) {
  const layers = layersOf(draft);
  const change = (edit, focus) => {
    draft.change("layers", edit);
    draw(focus);
  };
  const move = (to) => () => change(() => layers.splice(to, 0, ...layers.splice(i, 1)), to);
  const drop = () => change(() => layers.splice(i, 1), i);
  const button = (label, sign, onclick, disabled) =>
    h("button.icon", { "aria-label": label, title: label, disabled, onclick }, sign);
  const type = select([...kinds.keys()], layers[i].type, {
    "aria-label": `Type of layer ${i + 1}`, "data-pointer": `#/model/layers/${i}`,
    onchange: () => change(() => (layers[i] = newLayer(kinds, type.value)), i),
  });
  const fields = kinds.has(layers[i].type) ? shownFields(kinds.get(layers[i].type)) : [];
  return h("li", type,
    h("span.arguments", fields.map((field) => argument(draft, i, field))), h("span.shape"),
    h("span.buttons",
      button(`Move layer ${i + 1} up`, "↑", move(i - 1), i === 0),
      button(`Move layer ${i + 1} down`, "↓", move(i + 1), i === layers.length - 1),
      button(`Remove layer ${i + 1}`, "×", drop, layers.length === 1)));
}

function argument(draft, i, [name, schema]) {
  const layer = layersOf(draft)[i];
  const control = controlOf(schema, layer[name] ?? schema.default, {
    "data-pointer": `#/model/layers/${i}/${name}`,
    oninput: () => draft.change("layers", () => (layer[name] = valueOf(control))),
  });
  return labelled("argument", name, control);
}

function controlOf(schema, value, props) {
  if (schema.enum) return select(schema.enum, value, props);
  if (schema.type === "boolean") return h("input", { type: "checkbox", checked: value, ...props });
  const { minimum: min = schema.exclusiveMinimum, maximum: max = schema.exclusiveMaximum } = schema;
  const step = schema.type === "integer" ? 1 : "any";
  return h("input", { type: "number", value, min, max, step, ...props });
}

function valueOf(control) {
  if (control.type === "checkbox") return control.checked;
  return control.type === "number" ? asNumber(control.value) : control.value;
}

/** Parse a number. Return other text unchanged: the service reports the error. */
export function asNumber(text) {
  return text === "" || Number.isNaN(Number(text)) ? text : Number(text);
}

function showShapes(list, plan) {
  const rows = [...list.children];
  const layers = plan?.layers.length === rows.length ? plan.layers : [];
  const text = (layer) =>
    `→ ${layer.output_shape.join(" × ")} · ${plural(layer.params, "parameter")}`;
  rows.forEach((row, i) => put(row.querySelector(".shape"), layers[i] && text(layers[i])));
}
