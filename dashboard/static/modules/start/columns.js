// Step 2: the columns as they were understood, and which one is to be predicted.

import { get, v1 } from "../api.js";
import { histogram, topBars } from "../charts/bars.js";
import { h, prose, put } from "../dom.js";
import { integer, number } from "../format.js";
import { t, word } from "../text.js";
import { isFeature, setFeatures } from "./draft.js";

const SAMPLE = { parts: 5, rows: 200 };

export function columnsSection(draft, signal) {
  const { columns } = draft.dataset;
  const rows = columns.map((column) => columnRow(column, draft));
  const sampled = h("p", { class: "hint" }, t("columns.sampling"));
  const refresh = () => rows.forEach((row) => row.refresh());
  draft.listen(refresh);
  refresh();
  sample(draft.dataset, signal).then((read) => {
    columns.forEach((column, i) => put(rows[i].picture, picture(column, read.data.map((row) => row[i]), draft.dataset.num_rows)));
    sampled.textContent = t(read.data.length < draft.dataset.num_rows ? "columns.sampled" : "columns.all", { rows: integer(read.data.length) });
  }, () => (sampled.textContent = ""));
  const heads = ["target", "feature", "name", "values", "missing", "unique"];
  return h("section", { class: "card", "aria-labelledby": "step-columns" },
    h("h2", { id: "step-columns" }, t("columns.title")),
    h("p", { class: "hint" }, t("columns.lead")),
    h("div", { class: "scroll", tabindex: "0", role: "group", "aria-labelledby": "step-columns" },
      h("table", { class: "columns" },
        h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col", class: head }, t(`columns.${head}`))))),
        h("tbody", {}, rows.map((row) => row.element)))),
    sampled);
}

function columnRow(column, draft) {
  const target = h("input", { type: "radio", name: "target", value: column.name, "aria-label": t("columns.predict", { name: column.name }) });
  const feature = h("input", { type: "checkbox", "aria-label": t("columns.use", { name: column.name }) });
  const picture = h("td", { class: "values" });
  const element = h("tr", {}, h("td", { class: "target" }, target), h("td", { class: "feature" }, feature),
    h("th", { scope: "row", class: "name" }, column.name, " ", h("span", { class: "type" }, word("type", column.type)), notes(column)),
    picture, h("td", { class: "missing figure" }, column.missing ? integer(column.missing) : ""), h("td", { class: "unique figure" }, integer(column.unique)));
  target.addEventListener("change", () => draft.change("columns", (spec) => retarget(spec, column.name)));
  feature.addEventListener("change", () => draft.change("columns", (spec) => {
    const { columns } = draft.dataset;
    const chosen = new Set(columns.filter((one) => (one === column ? feature.checked : isFeature(spec, one))).map((one) => one.name));
    setFeatures(spec, columns, chosen);
  }));
  const refresh = () => {
    target.checked = draft.spec.target === column.name;
    feature.checked = isFeature(draft.spec, column);
    feature.disabled = target.checked;
    element.classList.toggle("is-target", target.checked);
    element.classList.toggle("is-unused", !target.checked && !feature.checked);
  };
  return { element, picture, refresh };
}

/** A loss or a task that was chosen for another target may not fit this one. */
function retarget(spec, name) {
  spec.target = name;
  delete spec.task;
  delete spec.compile?.loss;
  delete spec.compile?.metrics;
  for (const list of [spec.features?.include, spec.features?.exclude]) {
    if (list?.includes(name)) list.splice(list.indexOf(name), 1);
  }
}

function notes(column) {
  const { left_out: why, warnings } = column;
  const said = why ? [t("columns.left_out", { why }), ...warnings.filter((one) => !one.startsWith(why))] : warnings;
  return said.map((one) => h("span", { class: "note" }, prose(one)));
}

function picture(column, values, total) {
  if (column.type === "numeric") return [histogram(values, column.name), range(column)];
  if (column.top.length) return topBars(column.top, total);
  return range(column);
}

function range(column) {
  if (column.min === null) return null;
  const [low, high] = [column.min, column.max].map((end) => (typeof end === "number" ? number(end) : end));
  return h("span", { class: "range" }, t("columns.range", { low, high }));
}

/** Rows from places spread over the table, at most a thousand. */
async function sample({ id, num_rows }, signal) {
  const { parts, rows } = SAMPLE;
  if (num_rows <= parts * rows) return get(`${v1("datasets", id, "rows")}?limit=1000`, signal);
  const offsets = Array.from({ length: parts }, (_, i) => Math.floor((i * (num_rows - rows)) / (parts - 1)));
  const read = await Promise.all(offsets.map((offset) => get(`${v1("datasets", id, "rows")}?offset=${offset}&limit=${rows}`, signal)));
  return { data: read.flatMap((one) => one.data) };
}
