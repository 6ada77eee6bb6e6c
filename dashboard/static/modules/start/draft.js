// The spec while people work on it. Forms and JSON are views of it.

import { send } from "../api.js";

/** A RunCreate for a dataset; listeners learn of every change and which view made it. */
export class Draft {
  #listeners = [];

  constructor(dataset, given = null) {
    this.dataset = dataset;
    this.spec = given ?? firstSpec(dataset);
    this.spec.dataset ??= dataset.name; // a spec from a run's report names the exact upload
  }

  /** Call `listener(source)` after each change. */
  listen(listener) {
    this.#listeners.push(listener);
  }

  /** Change the spec by `edit(spec)`; `source` names the view that did it. */
  change(source, edit) {
    edit(this.spec);
    for (const listener of this.#listeners) listener(source);
  }

  replace(source, spec) {
    this.change(source, () => (this.spec = spec));
  }
}

/** Return the spec to begin with: the target is most often the last column. */
function firstSpec({ name, columns }) {
  const usable = columns.filter((column) => !column.left_out);
  const target = (usable.at(-1) ?? columns.at(-1))?.name ?? "";
  return { dataset: name, target, preset: "default" };
}

let waiting = null;

/** Open the start page with this spec in its form. */
export function startWith(spec) {
  waiting = spec;
  location.hash = "#/";
}

/** Return the spec that another page left for the start page, once. */
export function takeSpec() {
  const spec = waiting;
  waiting = null;
  return spec;
}

/** Post a run, and open its page. */
export async function startRun(spec, key) {
  const run = await send("POST", "v1/runs", spec, { key });
  location.hash = `#/runs/${run.id}`;
}

/** Return whether a column is a feature, as far as the spec says. */
export function isFeature(spec, { name, left_out: isLeftOut }) {
  const { include = null, exclude = [] } = spec.features ?? {};
  if (name === spec.target || exclude.includes(name)) return false;
  return include ? include.includes(name) : !isLeftOut;
}

/** Choose the features. `include` is needed only for a column that is left out by default. */
export function setFeatures(spec, columns, chosen) {
  const others = columns.filter((column) => column.name !== spec.target);
  const namesOf = (isWanted) => others.filter(isWanted).map((column) => column.name);
  const { include: _include, exclude: _exclude, ...features } = spec.features ?? {};
  const excluded = namesOf((one) => !one.left_out && !chosen.has(one.name));
  if (namesOf((one) => one.left_out && chosen.has(one.name)).length) {
    features.include = namesOf((one) => chosen.has(one.name));
  } else if (excluded.length) features.exclude = excluded;
  if (Object.keys(features).length) spec.features = features;
  else delete spec.features;
}
