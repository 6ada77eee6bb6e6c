// The network, a row a layer.

import { h, newId, put, select } from "../dom.js";
import { t } from "../text.js";
import { newLayer, shownFields } from "./schema.js";

/** The list of layers of a draft, of the `kinds` that there are by type; `shapes(plan)` writes what each will be. */
export function layerList(draft, kinds) {
  const list = h("ol", { class: "layers" });
  const add = h("button", { type: "button" }, t("layers.add"));
  const draw = (focus = null) => {
    put(list, layersOf(draft).map((_, i) => layerRow(draft, kinds, i, draw)));
    if (focus !== null) list.children[Math.min(focus, list.children.length - 1)]?.querySelector("select")?.focus();
  };
  add.addEventListener("click", () => {
    const layers = layersOf(draft);
    const at = layers.at(-1)?.type === "Output" ? layers.length - 1 : layers.length;
    draft.change("layers", () => layers.splice(at, 0, newLayer(kinds, "Dense")));
    draw(at);
  });
  draw();
  const shapes = (plan) => writeShapes(list, plan);
  return { element: h("div", {}, list, add), draw, shapes };
}

function layersOf(draft) {
  return draft.spec.model?.layers ?? [];
}

function layerRow(draft, kinds, i, draw) {
  const layer = layersOf(draft)[i];
  const type = select([...kinds.keys()], layer.type, { "aria-label": t("layers.type", { n: i + 1 }), "data-pointer": `#/model/layers/${i}` });
  type.addEventListener("change", () => {
    draft.change("layers", () => (layersOf(draft)[i] = newLayer(kinds, type.value)));
    draw(i);
  });
  const move = (to) => {
    const layers = layersOf(draft);
    draft.change("layers", () => layers.splice(to, 0, ...layers.splice(i, 1)));
    draw(to);
  };
  const drop = () => {
    draft.change("layers", () => layersOf(draft).splice(i, 1));
    draw(i);
  };
  const last = layersOf(draft).length - 1;
  const fields = kinds.has(layer.type) ? shownFields(kinds.get(layer.type)) : [];
  const button = (name, sign, action, disabled) =>
    h("button", { type: "button", class: "icon", "aria-label": t(`layers.${name}`, { n: i + 1 }), title: t(`layers.${name}`, { n: i + 1 }), disabled, on: { click: action } }, sign);
  return h("li", {}, type, h("span", { class: "arguments" }, fields.map((field) => argument(draft, i, field))),
    h("span", { class: "shape" }),
    h("span", { class: "buttons" }, button("up", "↑", () => move(i - 1), i === 0), button("down", "↓", () => move(i + 1), i === last), button("remove", "×", drop, last === 0)));
}

function argument(draft, i, [name, field]) {
  const value = layersOf(draft)[i][name] ?? field.default;
  const props = { id: newId("argument"), "data-pointer": `#/model/layers/${i}/${name}` };
  const control = controlOf(field, value, props);
  const read = { checkbox: () => control.checked, number: () => asNumber(control.value) }[control.type] ?? (() => control.value);
  control.addEventListener("input", () => draft.change("layers", () => (layersOf(draft)[i][name] = read())));
  return h("span", { class: "argument" }, h("label", { for: control.id }, name), control);
}

function controlOf(field, value, props) {
  if (field.enum) return select(field.enum, value, props);
  if (field.type === "boolean") return h("input", { type: "checkbox", checked: value, ...props });
  const { minimum: min = field.exclusiveMinimum, maximum: max = field.exclusiveMaximum } = field;
  return h("input", { type: "number", value, min, max, step: field.type === "integer" ? 1 : "any", ...props });
}

/** What is no number goes to the service as it is: its sentence says what is wrong. */
export function asNumber(text) {
  return text === "" || Number.isNaN(Number(text)) ? text : Number(text);
}

function writeShapes(list, plan) {
  const layers = plan?.layers ?? [];
  [...list.children].forEach((row, i) => {
    const layer = layers.length === list.children.length ? layers[i] : null;
    row.querySelector(".shape").textContent = layer ? t("layers.shape", { shape: layer.output_shape.join(" × "), n: layer.params, params: layer.params.toLocaleString() }) : "";
  });
}
