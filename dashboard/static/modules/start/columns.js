// Step 2: the columns of the dataset, the target and the features.

import { get, v1 } from "../api.js";
import { histogram, topBars } from "../charts/bars.js";
import { h, prose, put } from "../dom.js";
import { integer, number, plural, word } from "../format.js";
import { card, table } from "../parts.js";
import { hasOtherRole, isFeature, setFeatures } from "./draft.js";

const SAMPLE = { parts: 5, rows: 200 };
const HEADS = [
  ["Target", "target"], ["Feature", "feature"], ["Column", "name"], ["Values", "values"],
  ["Missing", "figure"], ["Distinct", "figure"],
];

export function columnsSection(draft, signal) {
  const { columns, num_rows: total } = draft.dataset;
  const rows = columns.map((column) => columnRow(column, draft));
  const sampled = h("p.hint", "Reading rows for the histograms…");
  const refresh = () => rows.forEach((row) => row.refresh());
  draft.listen(refresh);
  refresh();
  sample(draft.dataset, signal).then((read) => {
    columns.forEach((column, i) =>
      put(rows[i].cell, picture(column, read.map((row) => row[i]), total)));
    sampled.textContent = read.length < total
      ? `The histograms show ${plural(read.length, "row")} from ${SAMPLE.parts} places in the `
        + "dataset. All other numbers count every row."
      : `The histograms show all ${plural(total, "row")}.`;
  }, () => put(sampled));
  return card("step-columns", "Columns", [
    h("p.hint", "Select the target (the column to predict) and the features (the columns that "
      + "the network learns from)."),
    table("Columns", "columns", HEADS, rows.map((row) => row.element)), sampled,
  ]);
}

function columnRow(column, draft) {
  const { name, type, missing, unique } = column;
  const target = h("input", {
    type: "radio", name: "target", value: name, "aria-label": `Predict ${name}`,
    onchange: () => draft.change("columns", (spec) => retarget(spec, name)),
  });
  const feature = h("input", {
    type: "checkbox", "aria-label": `Use ${name} as a feature`,
    onchange: () => draft.change("columns", (spec) => {
      const { columns } = draft.dataset;
      const isChosen = (one) => (one === column ? feature.checked : isFeature(spec, one));
      setFeatures(spec, columns, new Set(columns.filter(isChosen).map((one) => one.name)));
    }),
  });
  const cell = h("td.values");
  const element = h("tr", h("td.target", target), h("td.feature", feature),
    h("th.name", { scope: "row" }, name, " ", h("span.type", word(type)), notes(column)),
    cell, h("td.figure", missing ? integer(missing) : ""), h("td.figure", integer(unique)));
  const refresh = () => {
    target.checked = draft.spec.target === name;
    feature.checked = isFeature(draft.spec, column);
    feature.disabled = hasOtherRole(draft.spec, name);
    element.classList.toggle("is-target", target.checked);
    element.classList.toggle("is-unused", !target.checked && !feature.checked);
  };
  return { element, cell, refresh };
}

/** Change the target. Remove the task, class, loss and metrics chosen for the old one, and
 *  the sample weight if it is the new target. */
function retarget(spec, name) {
  spec.target = name;
  delete spec.task;
  delete spec.positive_class;
  delete spec.compile?.loss;
  delete spec.compile?.metrics;
  delete spec.compile?.weighted_metrics;
  if (spec.fit?.sample_weight === name) delete spec.fit.sample_weight;
  for (const list of [spec.features?.include, spec.features?.exclude]) {
    if (list?.includes(name)) list.splice(list.indexOf(name), 1);
  }
}

function notes({ left_out: why, warnings, warning_kinds: kinds }) {
  // datasets of earlier releases have no kinds
  const isReason = (one, i) => (kinds.length ? kinds[i] === "left_out" : one.startsWith(why));
  const others = why ? warnings.filter((one, i) => !isReason(one, i)) : warnings;
  const all = why ? [`Excluded: ${why}`, ...others] : others;
  return all.map((one) => h("span.note", prose(one)));
}

function picture(column, values, total) {
  if (column.type === "numeric") return [histogram(values, column.name), range(column)];
  return column.top.length ? topBars(column.top, total) : range(column);
}

function range({ min, max }) {
  if (min === null) return null;
  const [low, high] = [min, max].map((end) => (typeof end === "number" ? number(end) : end));
  return h("span.range", `${low} to ${high}`);
}

/** Return at most a thousand rows, from evenly spaced places in the dataset. */
async function sample({ id, num_rows: total }, signal) {
  const { parts, rows } = SAMPLE;
  const isSmall = total <= parts * rows;
  const limit = isSmall ? parts * rows : rows;
  const read = await Promise.all(Array.from({ length: isSmall ? 1 : parts }, (_, i) => {
    const offset = Math.max(0, Math.floor((i * (total - rows)) / (parts - 1)));
    return get(`${v1("datasets", id, "rows")}?offset=${offset}&limit=${limit}`, signal);
  }));
  return read.flatMap((one) => one.data);
}
