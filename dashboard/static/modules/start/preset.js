// What the network begins from: layers of one's own, or a preset that fills what is left out.

import { field, h, select } from "../dom.js";
import { t } from "../text.js";

/** Where layers of one's own begin: a plain network to change. */
const OWN = {
  model: {
    layers: [
      { type: "Dense", units: 64, activation: "relu" },
      { type: "Dense", units: 64, activation: "relu" },
      { type: "Output" },
    ],
  },
  compile: { optimizer: { type: "Adam", learning_rate: 0.001 } },
  fit: { validation_split: 0.2, epochs: 200, early_stopping: { patience: 10 } },
};

/** A select; choosing one changes the spec, so that form and JSON follow. */
export function presetField(draft, presets) {
  const options = [["", t("preset.own")], ...presets.map((one) => [one, one])];
  const control = select(options, "", { "data-pointer": "#/preset" });
  const element = field(t("preset.title"), control, { hint: " ", className: "preset" });
  const hint = element.querySelector(".hint");
  const refresh = () => {
    const { preset = "", model } = draft.spec;
    control.value = preset === "" && !model ? "default" : preset; // what the service takes then
    hint.textContent = t(`preset.${presets.includes(control.value) ? control.value : "own_hint"}`);
  };
  control.addEventListener("change", () => draft.change("preset", (spec) => choose(spec, control.value)));
  refresh();
  return { element, refresh };
}

/** A preset chooses what the spec leaves out, so its own choices go. */
function choose(spec, name) {
  delete spec.preset;
  if (!name) return Object.assign(spec, structuredClone(OWN));
  for (const part of ["model", "compile", "fit"]) delete spec[part];
  return Object.assign(spec, { preset: name });
}

/** In place of the layers while a preset chooses them: how to have them in the form. */
export function presetLayers(draft, plan, layers) {
  const take = h("button", { type: "button" }, t("preset.edit"));
  const note = h("p", { class: "hint" });
  const element = h("div", { class: "links" }, note, take);
  let resolved = null;
  plan.listen((read) => {
    resolved = read?.spec ?? null;
    refresh();
  });
  const refresh = () => {
    element.hidden = Boolean(draft.spec.model?.layers);
    layers.hidden = !element.hidden;
    note.textContent = t(draft.spec.model?.keras ? "preset.keras" : "preset.chooses");
    take.hidden = !resolved?.model.layers || Boolean(draft.spec.model);
  };
  take.addEventListener("click", () => draft.change("layers-taken", (spec) => (spec.model = structuredClone(resolved.model))));
  refresh();
  return { element, refresh };
}
