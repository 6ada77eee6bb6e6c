// The network, a row a layer.

import { h, newId, put, select } from "../dom.js";
import { t } from "../text.js";
import { ACTIVATIONS, LAYERS } from "./vocabulary.js";

const FIRST = {
  Dense: { type: "Dense", units: 64, activation: "relu" },
  Activation: { type: "Activation", activation: "relu" },
  Dropout: { type: "Dropout", rate: 0.3 },
  GaussianNoise: { type: "GaussianNoise", stddev: 0.1 },
};
const NUMBERS = {
  units: { min: 1, max: 65536, step: 1 },
  rate: { min: 0, max: 0.99, step: "any" },
  stddev: { min: 0, max: 100, step: "any" },
};
const FIELDS = { Dense: ["units", "activation"], Activation: ["activation"], Dropout: ["rate"], GaussianNoise: ["stddev"] };

/** The list of layers of a draft; `shapes(plan)` writes what each will be. */
export function layerList(draft) {
  const list = h("ol", { class: "layers" });
  const add = h("button", { type: "button" }, t("layers.add"));
  const draw = (focus = null) => {
    put(list, layersOf(draft).map((layer, i) => layerRow(draft, layer, i, draw)));
    if (focus !== null) list.children[Math.min(focus, list.children.length - 1)]?.querySelector("select")?.focus();
  };
  add.addEventListener("click", () => {
    const layers = layersOf(draft);
    const at = layers.at(-1)?.type === "Output" ? layers.length - 1 : layers.length;
    draft.change("layers", () => layers.splice(at, 0, { ...FIRST.Dense }));
    draw(at);
  });
  draw();
  const shapes = (plan) => writeShapes(list, plan);
  return { element: h("div", {}, list, add), draw, shapes };
}

function layersOf(draft) {
  return draft.spec.model?.layers ?? [];
}

function layerRow(draft, layer, i, draw) {
  const type = select(LAYERS, layer.type, { "aria-label": t("layers.type", { n: i + 1 }), "data-pointer": `#/model/layers/${i}` });
  type.addEventListener("change", () => {
    draft.change("layers", () => (layersOf(draft)[i] = { ...(FIRST[type.value] ?? { type: type.value }) }));
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
  const button = (name, sign, action, disabled) =>
    h("button", { type: "button", class: "icon", "aria-label": t(`layers.${name}`, { n: i + 1 }), title: t(`layers.${name}`, { n: i + 1 }), disabled, on: { click: action } }, sign);
  return h("li", {}, type, h("span", { class: "arguments" }, (FIELDS[layer.type] ?? []).map((name) => argument(draft, i, name))),
    h("span", { class: "shape" }),
    h("span", { class: "buttons" }, button("up", "↑", () => move(i - 1), i === 0), button("down", "↓", () => move(i + 1), i === last), button("remove", "×", drop, last === 0)));
}

function argument(draft, i, name) {
  const value = layersOf(draft)[i][name];
  const props = { id: newId("argument"), "data-pointer": `#/model/layers/${i}/${name}` };
  const control = name === "activation" ? select(ACTIVATIONS, value ?? "linear", props) : h("input", { type: "number", value, ...NUMBERS[name], ...props });
  control.addEventListener("input", () => draft.change("layers", () => (layersOf(draft)[i][name] = name === "activation" ? control.value : asNumber(control.value))));
  return h("span", { class: "argument" }, h("label", { for: control.id }, name), control);
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
