// The training plan in plain words.

import { h } from "../dom.js";
import { integer, plural, word } from "../format.js";

const EXTRAS = {
  Dropout: "dropout", BatchNormalization: "batch normalization", GaussianNoise: "added noise",
  LayerNormalization: "layer normalization",
};

/** Build the sentences about a plan: what it predicts, from what, with which network. */
export function planWords(plan) {
  const { target } = plan.spec;
  const kind = { regression: "a number", binary: "one of two classes", multiclass: "a class" };
  return h("ul.words",
    h("li", "It predicts ", h("strong", target), `, ${kind[plan.task] ?? word(plan.task)}, from ${
      plural(plan.features.length, "column")}.`),
    h("li", rowsSentence(plan.num_rows)),
    h("li", networkSentence(plan)),
    h("li", epochsSentence(plan.spec.fit)));
}

function rowsSentence({ train, validation = 0, test = 0 }) {
  const others = [
    validation > 0 && `${integer(validation)} check it after each epoch`,
    test > 0 && `${integer(test)} test it at the end`,
  ].filter(Boolean);
  return [`It learns from ${plural(train, "row")}`, ...others].join("; ") + ".";
}

function networkSentence({ spec: { model }, num_params: weights }) {
  // the run gives no input to a category or interval without a training row
  const count = `at most ${plural(weights, "parameter")} in total`;
  if (!model.layers) return `The network is the one of the Keras JSON, with ${count}.`;
  const network = `${hiddenText(model.layers)}${extrasText(model.layers)}`;
  const members = model.ensemble ?? 1;
  return members > 1
    ? `${integer(members)} networks learn together, and the prediction is their mean. Each has ${
      network}; ${count}.`
    : `The network has ${network}; ${count}.`;
}

/** Return `2 layers of 64 and 32 units and an output`. The last layer is the output. */
function hiddenText(layers) {
  const units = layers.filter(({ type }) => type === "Dense").map((one) => one.units);
  const isOwn = layers.at(-1).type === "Output";
  const hidden = isOwn ? units : units.slice(0, -1);
  if (!hidden.length) return "only an output layer";
  const isEqual = hidden.every((one) => one === hidden[0]);
  const sizes = isEqual ? integer(hidden[0]) : hidden.map(integer).join(", ");
  return `${plural(hidden.length, "hidden layer")} of ${sizes} units`;
}

function extrasText(layers) {
  const extras = [...new Set(layers.map(({ type }) => EXTRAS[type]).filter(Boolean))];
  return extras.length ? ` with ${extras.join(" and ")}` : "";
}

function epochsSentence({ epochs, early_stopping: stopping }) {
  const most = `Training reads the rows at most ${integer(epochs)} times`;
  return stopping
    ? `${most}, and stops when nothing has improved for ${plural(stopping.patience, "epoch")}.`
    : `${most}.`;
}
