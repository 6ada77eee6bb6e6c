// Step 3: the network and how it is fitted, as a form and as JSON.

import { field, h, newId, select } from "../dom.js";
import { t } from "../text.js";
import { asNumber, layerList } from "./layers.js";
import { presetField, presetLayers } from "./preset.js";

/** Who else than the fields themselves changes what they show. */
const REDRAWS = new Set(["json", "columns", "preset", "layers-taken"]);

/** `words` is the vocabulary that `schema.js` reads. */
export function networkSection(draft, plan, words) {
  const layers = layerList(draft, words.layers);
  const preset = presetField(draft, words.presets);
  const chosen = presetLayers(draft, plan, layers.element);
  const fit = h("div", { class: "fields" });
  let resolved = null;
  const draw = () => {
    fit.replaceChildren(...fitFields(draft, () => resolved, words));
    showChosen(fit, resolved);
  };
  draw();
  plan.listen((read) => {
    resolved = read?.spec ?? resolved;
    layers.shapes(read);
    showChosen(fit, resolved);
  });
  const json = jsonView(draft);
  draft.listen((source) => {
    if (REDRAWS.has(source)) draw();
    if (REDRAWS.has(source) && source !== "columns") layers.draw();
    if (source !== "json") json.refresh();
    preset.refresh();
    chosen.refresh();
  });
  return h("section", { class: "card", "aria-labelledby": "step-network" },
    h("h2", { id: "step-network" }, t("network.title")), preset.element, chosen.element, layers.element,
    h("h3", {}, t("network.fit")), fit, json.element);
}

/** `chosen()` is the spec as the service resolved it last, or null. */
function fitFields(draft, chosen, { optimizers: kinds, losses: fitting }) {
  const { spec } = draft;
  const task = taskOf(draft);
  const optimizers = spec.compile?.optimizer ? kinds : [["", t("network.chosen")], ...kinds];
  const losses = [["", t("network.loss_default")], ...(task ? fitting[task] : Object.values(fitting).flat())];
  return [
    choice(draft, t("network.optimizer"), "#/compile/optimizer", optimizers, optimizerName(spec.compile?.optimizer, kinds), (value) => setOptimizer(spec, chosen(), kinds, { type: value })),
    numeric(draft, t("network.learning_rate"), "#/compile/optimizer/learning_rate", rateOf(spec), (value) => setOptimizer(spec, chosen(), kinds, { learning_rate: value })),
    choice(draft, t("network.loss"), "#/compile/loss", losses, spec.compile?.loss ?? "", (value) => set(spec, "compile", "loss", value || undefined)),
    numeric(draft, t("network.epochs"), "#/fit/epochs", spec.fit?.epochs ?? "", (value) => set(spec, "fit", "epochs", value)),
    numeric(draft, t("network.batch_size"), "#/fit/batch_size", spec.fit?.batch_size ?? "", (value) => set(spec, "fit", "batch_size", value), t("network.chosen")),
    numeric(draft, t("network.validation_split"), "#/fit/validation_split", spec.fit?.validation_split ?? "", (value) => set(spec, "fit", "validation_split", value)),
    numeric(draft, t("network.patience"), "#/fit/early_stopping/patience", spec.fit?.early_stopping?.patience ?? "", (value) => setPatience(spec, value), t("network.none")),
    numeric(draft, t("network.num_seeds"), "#/fit/num_seeds", spec.fit?.num_seeds ?? "", (value) => set(spec, "fit", "num_seeds", value), "", t("network.num_seeds_hint")),
    textual(draft, t("network.model_name"), "#/model_name", spec.model_name ?? "", (value) => (value ? (spec.model_name = value) : delete spec.model_name), draft.dataset.name),
  ];
}

function taskOf({ spec, dataset }) {
  const column = dataset.columns.find((one) => one.name === spec.target);
  if (spec.task || !column) return spec.task ?? null;
  if (column.type === "boolean" || (column.type === "categorical" && column.unique === 2)) return "binary";
  return { numeric: null, categorical: "multiclass" }[column.type] ?? null;
}

function set(spec, part, name, value) {
  spec[part] ??= {};
  if (value === undefined) delete spec[part][name];
  else spec[part][name] = value;
}

function optimizerName(given, kinds) {
  if (!given) return "";
  const name = typeof given === "string" ? given : (given.type ?? "Adam");
  return kinds.find((one) => one.toLowerCase() === name.toLowerCase()) ?? name;
}

function rateOf(spec) {
  const given = spec.compile?.optimizer;
  return typeof given === "object" ? (given?.learning_rate ?? "") : "";
}

/** Another optimizer takes other arguments: only the rate goes along. A rate alone is that of the chosen one. */
function setOptimizer(spec, chosen, kinds, { type, learning_rate: rate = rateOf(spec) || undefined }) {
  if (type === "") return set(spec, "compile", "optimizer", undefined);
  const old = spec.compile?.optimizer ?? chosen?.compile.optimizer ?? "Adam";
  const kept = type || typeof old !== "object" ? { type: type ?? optimizerName(old, kinds) } : { ...old };
  delete kept.learning_rate;
  return set(spec, "compile", "optimizer", rate === undefined ? kept : { ...kept, learning_rate: rate });
}

/** What stands where a field is left empty, once the service has said it. */
function showChosen(fit, spec) {
  for (const control of fit.querySelectorAll("input[data-pointer]")) {
    const value = control.dataset.pointer.split("/").slice(1).reduce((part, name) => part?.[name], spec);
    if (spec) control.placeholder = value === undefined || value === null ? t("network.none") : String(value);
  }
}

function setPatience(spec, value) {
  if (value === undefined) set(spec, "fit", "early_stopping", undefined);
  else set(spec, "fit", "early_stopping", { ...spec.fit?.early_stopping, patience: value });
}

function choice(draft, label, pointer, options, value, edit) {
  const control = select(options, value, { "data-pointer": pointer });
  control.addEventListener("change", () => draft.change("fit", () => edit(control.value)));
  return field(label, control);
}

function numeric(draft, label, pointer, value, edit, placeholder = "", hint = null) {
  const control = h("input", { type: "text", inputmode: "decimal", value, placeholder, autocomplete: "off", "data-pointer": pointer });
  control.addEventListener("input", () => draft.change("fit", () => edit(control.value.trim() === "" ? undefined : asNumber(control.value.trim()))));
  return field(label, control, { hint });
}

function textual(draft, label, pointer, value, edit, placeholder) {
  const control = h("input", { type: "text", value, placeholder, autocomplete: "off", "data-pointer": pointer });
  control.addEventListener("input", () => draft.change("fit", () => edit(control.value.trim())));
  return field(label, control);
}

/** The same spec as text; what is typed here is in the form at once. */
function jsonView(draft) {
  const id = newId("json");
  const text = h("textarea", { id, spellcheck: "false", rows: 18, "aria-describedby": `${id}-said` });
  const said = h("p", { class: "hint", id: `${id}-said` }, t("json.hint"));
  const refresh = () => (text.value = JSON.stringify(draft.spec, null, 2));
  text.addEventListener("input", () => {
    let spec;
    try {
      spec = JSON.parse(text.value);
    } catch (error) {
      said.textContent = t("json.broken", { why: error.message });
      return;
    }
    const isObject = spec !== null && typeof spec === "object" && !Array.isArray(spec);
    said.textContent = isObject ? t("json.hint") : t("json.no_object");
    if (isObject) draft.replace("json", spec);
  });
  refresh();
  return { element: h("details", { class: "json" }, h("summary", {}, t("json.title")), h("label", { for: id, class: "hidden-visually" }, t("json.title")), text, said), refresh };
}
