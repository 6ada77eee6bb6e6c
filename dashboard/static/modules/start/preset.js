// What the network begins from: own layers, or a preset that fills what the spec leaves out.

import { h, put } from "../dom.js";
import { field, select } from "../parts.js";

/** The plain network that own layers begin with. */
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
  "": "The layers and the training below are the whole network.",
  linear: "One layer: linear or logistic regression, whose weights can be read.",
  small: "Two layers of 64 units and early stopping, as in a tutorial. Seconds on a small table.",
  default: "An ensemble of small networks over binned numbers: as good as boosted trees on most "
    + "tables.",
  thorough: "The default with 32 members and three random restarts, the best kept. It takes ten "
    + "minutes at most; small tables a minute or two.",
};

/** Build the select; a choice changes the spec, so that form and JSON follow. */
export function presetField(draft, presets) {
  const control = select([["", "own layers"], ...presets], "", {
    "data-pointer": "#/preset",
    onchange: () => draft.change("preset", (spec) => choose(spec, control.value)),
  });
  const element = field("Begin from", control, { hint: " ", className: "preset" });
  const refresh = () => {
    const { preset = "", model } = draft.spec;
    control.value = preset === "" && !model ? "default" : preset; // as the service does
    put(element.querySelector(".hint"), HINTS[control.value] ?? HINTS[""]);
  };
  refresh();
  return { element, refresh };
}

/** A preset chooses what the spec leaves out, so the spec's own choices are removed. */
function choose(spec, preset) {
  for (const part of ["preset", "model", "compile", "fit"]) delete spec[part];
  Object.assign(spec, preset ? { preset } : structuredClone(OWN));
}

/** Build what stands in place of the layers while a preset chooses them. */
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
    put(note, model?.keras ? "The network is Keras's own JSON; see the JSON below."
      : "The preset chooses the layers; see What will be trained.");
    take.hidden = !resolved?.model.layers || Boolean(model);
  };
  plan.listen((read) => {
    resolved = read?.spec ?? null;
    refresh();
  });
  refresh();
  return { element, refresh };
}
