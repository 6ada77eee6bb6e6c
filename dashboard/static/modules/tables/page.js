// A table: its versions and first rows; more rows, another name, deletion.

import { get, outcome } from "../api.js";
import { h } from "../dom.js";
import { ago, bytes, integer, moment, plural } from "../format.js";
import { card, pageOf, table } from "../parts.js";
import { remarkBoxes } from "../problems.js";
import { firstRows } from "../rows.js";
import { statusChip } from "../runs/status.js";
import { lackingNotice } from "../session.js";
import { appendButton } from "./append.js";
import { deleteVersionButton } from "./deletion.js";
import { trainLink } from "./list.js";
import { openRename } from "./rename.js";

const HEADS = [
  ["Version"], ["Rows", "figure"], ["Columns", "figure columns"], ["File size", "figure size"],
  ["Created", "figure created"], ["Train", "choose"], ["Delete"],
];

/** Build the page of `#/tables/NAME`; `?version=2` shows the rows of that version. */
export async function page({ given: [name], query, signal }) {
  const listed = `v1/datasets?limit=100&name=${encodeURIComponent(name)}`;
  const [{ items: versions, next_cursor: next }, reader] = await Promise.all([
    get(listed, signal), runOn(name, signal),
  ]);
  if (!versions.length) return missing(name);
  const number = Number(query.get("version"));
  const shown = versions.find(({ version }) => version === number) ?? versions[0];
  const rename = h("button", {
    type: "button", onclick: () => openRename(name), disabled: Boolean(reader),
    "aria-describedby": reader && "kept-name",
  }, "Rename");
  return h("section",
    h("div.head", h("h1", { tabindex: "-1" }, name), h("div.actions", rename,
      appendButton(versions[0], signal),
      versions[0].status === "ready"
        && h("a.button.primary", { href: `#/?dataset=${encodeURIComponent(name)}` }, "Train on it"))),
    reader && h("p.hint", { id: "kept-name" }, "The table keeps its name, because runs have read it: ",
      h("a", { href: `#/runs/${reader.id}` }, reader.id), ", for example."),
    lackingNotice(["datasets:write"]),
    rowsSection(shown, signal),
    versionsSection(versions, shown, next));
}

/** Return a run that has read a version of the table, if there is one that the key may see. */
async function runOn(name, signal) {
  const path = `v1/runs?view=summary&limit=1&dataset=${encodeURIComponent(name)}`;
  const { value } = await outcome(get(path, signal));
  return value?.items[0] ?? null;
}

function missing(name) {
  return pageOf("Table not found", h("p.lead", `No table is named ${name}.`),
    h("p", h("a", { href: "#/tables" }, "All tables")));
}

function rowsSection(dataset, signal) {
  const { version, status, num_rows: rows, num_added: added, columns, filename, error } = dataset;
  const { warnings, warning_kinds: kinds } = dataset;
  const about = status === "ready"
    ? [h("span", plural(rows, "row")), h("span", plural(columns.length, "column"))]
    : statusChip(status);
  return card("rows", `First rows of version ${version}`, [
    h("div.facts", about, filename && h("span",
      added === null ? `from the file ${filename}`
        : `${plural(added, "row")} appended from the file ${filename}`)),
    error && h("p.wrong", error.detail),
    remarkBoxes(warnings, kinds, "Warnings from reading the file"),
    status === "ready" && firstRows(dataset, signal),
  ]);
}

function versionsSection(versions, shown, next) {
  const rows = versions.map((one) => row(one, one === shown, versions.length));
  return card("versions", "Versions", [
    table("Versions", "list tables", HEADS, rows),
    next && h("p.hint", "The list shows the newest 100 versions."),
  ]);
}

function row(dataset, isShown, count) {
  const {
    name, version, status, num_rows: rows, num_added: added, columns, num_bytes: size,
    created_at: created,
  } = dataset;
  const isReady = status === "ready";
  const href = `#/tables/${encodeURIComponent(name)}?version=${version}`;
  const next = count > 1 ? `#/tables/${encodeURIComponent(name)}` : "#/tables";
  return h("tr", { class: isShown ? "is-current" : "" },
    h("th", { scope: "row" },
      h("a", { href, "aria-current": isShown ? "true" : null }, `version ${version}`)),
    h("td.figure", isReady ? integer(rows) : statusChip(status),
      added !== null && isReady && h("span.rival", `${integer(added)} appended`)),
    h("td.figure.columns", isReady ? integer(columns.length) : ""),
    h("td.figure.size", bytes(size)),
    h("td.figure.created", { title: moment(created) }, ago(created)),
    h("td.choose", isReady && trainLink(`${name}@${version}`)),
    h("td", deleteVersionButton(dataset, next, "Delete")));
}
