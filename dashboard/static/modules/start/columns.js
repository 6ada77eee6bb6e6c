// Step 2: the columns of the dataset, the target and the features.

import { outcome } from "../api.js";
import { histogram, topBars } from "../charts/bars.js";
import { h, prose, put } from "../dom.js";
import { integer, number, word } from "../format.js";
import { TYPES, card, select, table } from "../parts.js";
import { booleanText, cellText, foldedRows } from "../rows.js";
import { hasOtherRole, isFeature, readAs, setFeatures, typeOf } from "./draft.js";

const MOST_MENUS = 200; // a table of thousands of columns would be slow
const HEADS = [
  ["Target", "target"], ["Feature", "feature"], ["Column", "name"], ["Values", "values"],
  ["Missing", "figure"], ["Distinct", "figure"],
];

export function columnsSection(draft, signal) {
  const { columns } = draft.dataset;
  const rows = columns.map((column) => columnRow(column, draft));
  const remark = h("p.hint", "All numbers and histograms count every row.");
  const refresh = () => rows.forEach((row) => row.refresh());
  draft.listen(refresh);
  refresh();
  if (columns.some(lacksHistogram)) showSampled(draft.dataset, rows, remark, signal);
  return card("step-columns", "Columns", [
    h("p.hint", "Select the target (the column to predict) and the features (the columns that "
      + "the network learns from)."),
    table("Columns", "columns", HEADS, rows.map((row) => row.element)), remark,
    foldedRows(draft.dataset, signal),
  ]);
}

/** Return whether an earlier release stored the column: it counted no histograms. */
function lacksHistogram({ type, min, histogram: counted }) {
  return type === "numeric" && min !== null && !counted;
}

/** Draw the histograms that an earlier release did not count, from some rows. */
async function showSampled(dataset, rows, remark, signal) {
  put(remark, "Reading rows for the histograms…");
  const { sampledHistograms } = await import("./sampled.js");
  const { value } = await outcome(sampledHistograms(dataset, signal));
  put(remark, value?.sentence);
  dataset.columns.forEach((column, i) => {
    const counts = lacksHistogram(column) && value?.counts.get(column.name);
    if (counts) put(rows[i].cell, numbers(column, counts));
  });
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
  const hasMenu = draft.dataset.columns.length <= MOST_MENUS;
  const kind = hasMenu ? typeMenu(column, draft) : null;
  const cell = h("td.values", picture(column, draft.dataset.num_rows));
  const element = h("tr", h("td.target", target), h("td.feature", feature),
    h("th.name", { scope: "row" }, name, " ", h("span.type", kind ?? word(type)), notes(column)),
    cell, h("td.figure", missing ? integer(missing) : ""), h("td.figure", integer(unique)));
  const refresh = () => {
    target.checked = draft.spec.target === name;
    feature.checked = isFeature(draft.spec, column);
    if (kind) kind.value = typeOf(draft.spec, column);
    feature.disabled = hasOtherRole(draft.spec, name);
    element.classList.toggle("is-target", target.checked);
    element.classList.toggle("is-unused", !target.checked && !feature.checked);
  };
  return { element, cell, refresh };
}

/** Build the menu of the type with which the run reads a column. */
function typeMenu(column, draft) {
  const { name, type } = column;
  const menu = select(TYPES.map((one) => [one, word(one)]), type, {
    "aria-label": `Read ${name} as`, "data-pointer": `#/features/types/${inPointer(name)}`,
    onchange: () => draft.change("columns", (spec) => readAs(spec, column, menu.value)),
  });
  return menu;
}

/** Escape a name for a JSON pointer. */
function inPointer(name) {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
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

function picture(column, total) {
  if (column.histogram) return numbers(column, column.histogram.counts);
  return column.top.length ? topBars(topValues(column), total) : range(column);
}

/** Return the most frequent values of a column, booleans in the words of the file. */
function topValues(column) {
  if (column.type !== "boolean") return column.top;
  const wordOf = (value) => booleanText(column, value.toLowerCase() === "true");
  return column.top.map(({ value, count }) => ({ value: wordOf(value), count }));
}

function numbers(column, counts) {
  const ends = `${number(column.min)} to ${number(column.max)}`;
  return [histogram(counts, `Histogram of ${column.name}, ${ends}`), range(column)];
}

function range({ min, max }) {
  if (min === null) return null;
  return h("span.range", `${cellText(min)} to ${cellText(max)}`);
}
