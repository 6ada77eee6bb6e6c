// The choice between custom layers and a preset, which fills in missing parts of the spec.

import { h, put } from "../dom.js";
import { field, select } from "../parts.js";

/** The initial spec for custom layers. */
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
const HINTS = {
  "": "The layers and training settings below define the whole network.",
  linear: "One layer: linear or logistic regression with weights that you can interpret.",
  small: "Two layers of 64 units with early stopping. A small dataset trains in seconds.",
  default: "An ensemble of small networks on binned numbers. On most datasets it is as good "
    + "as boosted trees.",
  thorough: "The default with 32 members and three random restarts; the best is kept. Training "
    + "takes at most ten minutes, and one or two minutes on a small dataset.",
};

/** Build the select. A choice changes the spec, which updates the form and the JSON. */
export function presetField(draft, presets) {
  const control = select([["", "none (custom layers)"], ...presets], "", {
    "data-pointer": "#/preset",
    onchange: () => draft.change("preset", (spec) => choose(spec, control.value)),
  });
  const element = field("Preset", control, { hint: " ", className: "preset" });
  const refresh = () => {
    const { preset, model } = draft.spec; // a run's spec has null for no preset
    control.value = preset || (model ? "" : "default"); // the default of the service
    put(element.querySelector(".hint"), HINTS[control.value] ?? HINTS[""]);
  };
  refresh();
  return { element, refresh };
}

/** Set the preset. Remove the parts of the spec that would override the preset. */
function choose(spec, preset) {
  for (const part of ["preset", "model", "compile", "fit"]) delete spec[part];
  Object.assign(spec, preset ? { preset } : structuredClone(OWN));
}

/** Build the note that replaces the layers while a preset chooses them. */
export function presetLayers(draft, plan, layers) {
  let resolved = null;
  const onclick = () =>
    draft.change("layers-taken", (spec) => (spec.model = structuredClone(resolved.model)));
  const take = h("button", { onclick }, "Edit these layers");
  const note = h("p.hint");
  const element = h("div.links", note, take);
  const refresh = () => {
    const { model } = draft.spec;
    element.hidden = Boolean(model?.layers);
    layers.hidden = !element.hidden;
    put(note, model?.keras ? "The spec defines the network as Keras JSON. See Spec as JSON."
      : "The preset chooses the layers. See Training plan.");
    take.hidden = !resolved?.model.layers || Boolean(model);
  };
  plan.listen((read) => {
    resolved = read?.spec ?? null;
    refresh();
  });
  refresh();
  return { element, refresh };
}
