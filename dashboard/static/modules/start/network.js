// Step 3: the network and its training, as a form and as JSON.

import { h, newId, put } from "../dom.js";
import { card } from "../parts.js";
import { typeOf } from "./draft.js";
import { choice, numeric, textual } from "./fields.js";
import { layerList } from "./layers.js";
import { presetField, presetLayers } from "./preset.js";
import { aboutText, usualSeconds } from "./recent.js";
import { weightFields } from "./weights.js";

/** Other views whose changes redraw the fields. */
const REDRAWS = new Set(["json", "columns", "preset", "layers-taken"]);
const CHOSEN = "automatic";

/** Build the section. `recent` promises the last runs; `words` is the vocabulary of
 *  `schema.js`. */
export function networkSection(draft, plan, recent, words) {
  const layers = layerList(draft, words.layers);
  const preset = presetField(draft, words.presets);
  const chosen = presetLayers(draft, plan, layers.element);
  const fit = h("div.fields");
  let resolved = null;
  const draw = () => {
    put(fit, fitFields(draft, () => resolved, words));
    showChosen(fit, resolved);
  };
  draw();
  plan.listen((read) => {
    resolved = read?.spec ?? resolved;
    layers.showShapes(read);
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
  const fold = settingsFold(draft, plan, recent, [
    chosen.element, layers.element, h("h3", "Training"), fit,
  ]);
  return card("step-network", "Network", [preset.element, fold, json.element]);
}

/** Build the fold of all settings. Its title names the preset, and the usual time if earlier
 *  runs of a similar size have measured it. It is open while the spec has settings of its own. */
function settingsFold(draft, plan, recent, children) {
  const title = h("summary");
  const fold = h("details.settings", title, children);
  let seconds = null;
  const refresh = () => {
    const { preset, model, compile, fit } = draft.spec;
    const name = preset || (model ? "custom" : "default");
    put(title, `${name[0].toUpperCase()}${name.slice(1)} network`,
      seconds === null ? "" : `, ${aboutText(seconds)}`);
    return Boolean(model || compile || fit);
  };
  plan.listen(async (read) => {
    const { value } = await recent;
    seconds = read && value ? usualSeconds(value.items, read) : null;
    refresh();
  });
  draft.listen((source) => {
    if (refresh() && REDRAWS.has(source)) fold.open = true;
  });
  fold.open = refresh();
  return fold;
}

/** Build the fields. `chosen()` returns the last spec that the service resolved, or null. */
function fitFields(draft, chosen, { optimizers: kinds, losses: fitting }) {
  const { spec } = draft;
  const { compile = {}, fit = {} } = spec;
  const losses = fitting[taskOf(draft)] ?? Object.values(fitting).flat();
  const optimizers = compile.optimizer ? kinds : [["", CHOSEN], ...kinds];
  const ofCompile = (name) => (value) => set(spec, "compile", name, value || undefined);
  const ofFit = (name) => (value) => set(spec, "fit", name, value);
  return [
    choice(draft, "Optimizer", "compile/optimizer", optimizers,
      optimizerName(compile.optimizer, kinds),
      (type) => setOptimizer(spec, chosen(), kinds, { type })),
    numeric(draft, "Learning rate", "compile/optimizer/learning_rate", rateOf(spec),
      (rate) => setOptimizer(spec, chosen(), kinds, { rate })),
    choice(draft, "Loss", "compile/loss", [["", CHOSEN], ...losses],
      compile.loss, ofCompile("loss")),
    numeric(draft, "Maximum epochs", "fit/epochs", fit.epochs, ofFit("epochs")),
    numeric(draft, "Batch size", "fit/batch_size", fit.batch_size, ofFit("batch_size")),
    numeric(draft, "Validation split", "fit/validation_split", fit.validation_split,
      ofFit("validation_split")),
    numeric(draft, "Early-stopping patience", "fit/early_stopping/patience",
      fit.early_stopping?.patience, (value) => setPatience(spec, value)),
    numeric(draft, "Random restarts", "fit/num_seeds", fit.num_seeds, ofFit("num_seeds"), {
      hint: "1 to 10 fits, one after another, each with different initial weights. "
        + "The fit that is best on the validation rows is kept.",
    }),
    ...weightFields(draft, set),
    textual(draft, "Model name", "model_name", spec.model_name,
      (value) => (value ? (spec.model_name = value) : delete spec.model_name)),
  ];
}

function taskOf({ spec, dataset }) {
  const target = dataset.columns.find((one) => one.name === spec.target);
  if (spec.task || !target) return spec.task ?? null;
  const [type, { unique }] = [typeOf(spec, target), target];
  if (type === "boolean" || (type === "categorical" && unique === 2)) return "binary";
  return type === "categorical" ? "multiclass" : null;
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
  return typeof given === "object" ? given?.learning_rate : undefined;
}

/** Change the optimizer's type or rate. A new type keeps only the rate, because other
 *  arguments differ. A new rate alone applies to the optimizer that the service chose. */
function setOptimizer(spec, chosen, kinds, { type, rate = type && rateOf(spec) }) {
  if (type === "") return set(spec, "compile", "optimizer", undefined);
  const old = spec.compile?.optimizer ?? chosen?.compile.optimizer ?? "Adam";
  const isKept = !type && typeof old === "object";
  const kept = isKept ? { ...old } : { type: type ?? optimizerName(old, kinds) };
  delete kept.learning_rate;
  return set(spec, "compile", "optimizer",
    rate === undefined ? kept : { ...kept, learning_rate: rate });
}

function setPatience(spec, patience) {
  const stopping = { ...spec.fit?.early_stopping, patience };
  set(spec, "fit", "early_stopping", patience === undefined ? undefined : stopping);
}

/** Show in each empty field the value that the service chose. */
function showChosen(fit, spec) {
  if (!spec) return;
  for (const control of fit.querySelectorAll("input[data-pointer]")) {
    const names = control.dataset.pointer.split("/").slice(1);
    const value = names.reduce((part, name) => part?.[name], spec);
    control.placeholder = String(value ?? "none");
  }
}

/** Build the spec as an editable text. Each edit updates the form. */
function jsonView(draft) {
  const title = "Spec as JSON";
  const hint = "The request body of POST /v1/runs. The form and this text update each other.";
  const id = newId("json");
  const note = h("p.hint", { id }, hint);
  const refresh = () => (text.value = JSON.stringify(draft.spec, null, 2));
  const oninput = () => {
    let spec;
    try {
      spec = JSON.parse(text.value);
    } catch (error) {
      put(note, `The text is not valid JSON: ${error.message}`);
      return;
    }
    const isObject = spec !== null && typeof spec === "object" && !Array.isArray(spec);
    put(note, isObject ? hint : "A spec must be a JSON object: { … }.");
    if (isObject) draft.replace("json", spec);
  };
  const named = { "aria-label": title, "aria-describedby": id };
  const text = h("textarea.mono", { spellcheck: "false", rows: 18, ...named, oninput });
  refresh();
  return { element: h("details", h("summary", title), text, note), refresh };
}
