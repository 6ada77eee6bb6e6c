// The list of models.

import { get } from "../api.js";
import { h } from "../dom.js";
import { ago, moment } from "../format.js";
import { emptyNote, figureCell, firstRunLink, pageOf, table } from "../parts.js";

const HEADS = [
  ["Model"], ["Main figure", "verdict"], ["Serves"], ["Versions", "figure"], ["Aliases"],
  ["Created", "figure"],
];

export async function page({ query, signal }) {
  const after = (cursor) => (cursor ? `cursor=${encodeURIComponent(cursor)}` : "");
  const path = `v1/models?limit=100&${after(query.get("cursor"))}`;
  const { items, next_cursor: next } = await get(path, signal);
  return pageOf("Models",
    items.length ? table("Models", "list", HEADS, items.map(row))
      : emptyNote("No models yet. Each successful run creates a model version.", firstRunLink()),
    next && h("a.button", { href: `#/models?${after(next)}` }, "More models"));
}

function row({
  name, versions, serving_version: serving, aliases, main_figure: figure, created_at: created,
}) {
  return h("tr",
    h("th", { scope: "row" }, h("a", { href: `#/models/${encodeURIComponent(name)}` }, name)),
    figureCell(figure),
    h("td", `version ${serving}`),
    h("td.figure", versions.length),
    h("td", Object.entries(aliases).map(([alias, to]) => h("span.alias", `${alias} → ${to}`))),
    h("td.figure", { title: moment(created) }, ago(created)));
}
