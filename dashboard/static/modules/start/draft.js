// The spec that the user edits. The form and the JSON text are views of the spec.

import { send } from "../api.js";

/** A RunCreate for a dataset. It notifies its listeners of each change and its source. */
export class Draft {
  #listeners = [];

  /** `ref` is how the spec names the dataset: a version such as `houses@2`, or the name. */
  constructor(dataset, given = null, ref = dataset.name) {
    this.dataset = dataset;
    this.spec = given ?? firstSpec(dataset, ref);
    this.spec.dataset ??= dataset.name;
  }

  /** Call `listener(source)` after each change. */
  listen(listener) {
    this.#listeners.push(listener);
  }

  /** Change the spec with `edit(spec)`. `source` names the view that made the change. */
  change(source, edit) {
    edit(this.spec);
    for (const listener of this.#listeners) listener(source);
  }

  replace(source, spec) {
    this.change(source, () => (this.spec = spec));
  }
}

/** Return the initial spec. The target is empty if the service finds no column for it. */
function firstSpec({ suggested_target: guess }, ref) {
  return { dataset: ref, target: guess ?? "", preset: "default" };
}

let waiting = null;

/** Open the start page with this spec in its form. */
export function startWith(spec) {
  waiting = spec;
  location.hash = "#/";
}

/** Return and remove the spec that `startWith` stored. */
export function takeSpec() {
  const spec = waiting;
  waiting = null;
  return spec;
}

/** Create a run and open its page. */
export async function startRun(spec, key) {
  const run = await send("POST", "v1/runs", spec, { key });
  location.hash = `#/runs/${run.id}`;
}

/** Return whether a column is the target or the sample weight. */
export function hasOtherRole(spec, name) {
  return name === spec.target || name === spec.fit?.sample_weight;
}

/** Return the type with which the run reads a column. */
export function typeOf(spec, { name, type }) {
  const given = spec.features?.types?.[name];
  return given?.type ?? given ?? type;
}

/** Let the run read a column with another type than the dataset has. */
export function readAs(spec, { name, type }, wanted) {
  const { types: given, ...features } = spec.features ?? {};
  const { [name]: _old, ...others } = given ?? {};
  const types = wanted === type ? others : { ...others, [name]: wanted };
  if (Object.keys(types).length) features.types = types;
  if (Object.keys(features).length) spec.features = features;
  else delete spec.features;
}

/** Return whether the spec uses a column as a feature. */
export function isFeature(spec, { name, left_out: isLeftOut }) {
  const { include = null, exclude = [] } = spec.features ?? {};
  if (hasOtherRole(spec, name) || exclude.includes(name)) return false;
  return include ? include.includes(name) : !isLeftOut;
}

/** Set the features. Only a column that is excluded by default needs `include`. */
export function setFeatures(spec, columns, chosen) {
  const others = columns.filter((column) => !hasOtherRole(spec, column.name));
  const namesOf = (isWanted) => others.filter(isWanted).map((column) => column.name);
  const { include: _include, exclude: _exclude, ...features } = spec.features ?? {};
  const excluded = namesOf((one) => !one.left_out && !chosen.has(one.name));
  if (namesOf((one) => one.left_out && chosen.has(one.name)).length) {
    features.include = namesOf((one) => chosen.has(one.name));
  } else if (excluded.length) features.exclude = excluded;
  if (Object.keys(features).length) spec.features = features;
  else delete spec.features;
}
