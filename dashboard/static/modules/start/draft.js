// The spec as it stands while somebody works on it. Forms and JSON are views of it.

/** A RunCreate for a dataset; listeners hear of every change and who made it. */
export class Draft {
  #listeners = [];

  constructor(dataset, given = null) {
    this.dataset = dataset;
    this.spec = given ?? first(dataset);
    this.spec.dataset ??= dataset.name; // a spec from a run's report names the exact upload
  }

  /** Call `listener(source)` after each change. */
  listen(listener) {
    this.#listeners.push(listener);
  }

  /** Change the spec by `edit(spec)`; `source` names the view that did it. */
  change(source, edit) {
    edit(this.spec);
    this.#tell(source);
  }

  /** Put another spec in its place. */
  replace(source, spec) {
    this.spec = spec;
    this.#tell(source);
  }

  #tell(source) {
    for (const listener of this.#listeners) listener(source);
  }
}

/** The target is most often the last column; the preset is what the API takes of itself. */
function first(dataset) {
  const usable = dataset.columns.filter((column) => !column.left_out);
  const target = (usable.at(-1) ?? dataset.columns.at(-1))?.name ?? "";
  return { dataset: dataset.name, target, preset: "default" };
}

/** Whether a column is among the features, as far as the spec says. */
export function isFeature(spec, column) {
  const { include = null, exclude = [] } = spec.features ?? {};
  if (column.name === spec.target) return false;
  if (include) return include.includes(column.name) && !exclude.includes(column.name);
  return !column.left_out && !exclude.includes(column.name);
}

/** Choose the features; `include` is named only where a left-out column is wanted. */
export function setFeatures(spec, columns, chosen) {
  const others = columns.filter((column) => column.name !== spec.target);
  const wantsLeftOut = others.some((column) => column.left_out && chosen.has(column.name));
  const features = { ...spec.features };
  delete features.include;
  delete features.exclude;
  if (wantsLeftOut) features.include = others.filter((c) => chosen.has(c.name)).map((c) => c.name);
  else {
    const excluded = others.filter((c) => !c.left_out && !chosen.has(c.name)).map((c) => c.name);
    if (excluded.length) features.exclude = excluded;
  }
  if (Object.keys(features).length) spec.features = features;
  else delete spec.features;
}
