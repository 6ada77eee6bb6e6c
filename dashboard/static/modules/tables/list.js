// The list of tables: one row for each name, with its newest version.

import { get } from "../api.js";
import { h } from "../dom.js";
import { ago, bytes, integer, moment } from "../format.js";
import { emptyNote, pageOf, table } from "../parts.js";
import { statusChip } from "../runs/status.js";

const HEADS = [
  ["Table"], ["Versions", "figure versions"], ["Rows", "figure"], ["Columns", "figure"],
  ["Size", "figure size"], ["Created", "figure created"], ["Train", "choose"],
];

export async function page({ query, signal }) {
  const cursor = query.get("cursor");
  const after = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
  const { items, next_cursor: next } = await get(`v1/datasets?limit=100${after}`, signal);
  const versions = [...Map.groupBy(items, ({ name }) => name).values()];
  return pageOf("Tables",
    items.length ? table("Tables", "list tables", HEADS, versions.map(row))
      : emptyNote("No tables yet. Each uploaded file becomes a table.",
        h("a.button.primary", { href: "#/" }, "Upload a table")),
    next && h("a.button", { href: `#/tables?cursor=${encodeURIComponent(next)}` }, "Older tables"));
}

/** Build the row of a name. The list has the newest version first. */
function row(versions) {
  const [{ name, status, num_rows: rows, columns, created_at: created }] = versions;
  const size = versions.reduce((sum, { num_bytes: count }) => sum + count, 0);
  const isReady = status === "ready";
  return h("tr",
    h("th", { scope: "row" }, h("a", { href: `#/tables/${encodeURIComponent(name)}` }, name)),
    h("td.figure.versions", integer(versions.length)),
    h("td.figure", isReady ? integer(rows) : statusChip(status)),
    h("td.figure", isReady ? integer(columns.length) : ""),
    h("td.figure.size", bytes(size)),
    h("td.figure.created", { title: moment(created) }, ago(created)),
    h("td.choose", isReady && trainLink(name)));
}

/** Build a link that opens the form for a table, or for one of its versions. */
export function trainLink(ref) {
  return h("a", { href: `#/?dataset=${encodeURIComponent(ref)}`, "aria-label": `Train on ${ref}` },
    "Train");
}
