// The list of models.

import { get, outcome, ProblemError } from "../api.js";
import { h } from "../dom.js";
import { ago, moment } from "../format.js";
import { emptyNote, figureCell, firstRunLink, pageOf, table } from "../parts.js";
import { isRefused, unreadModels } from "./unread.js";

const HEADS = [
  ["Model"], ["Main figure", "verdict"], ["Serves"], ["Versions", "figure versions"], ["Aliases"],
  ["Created", "figure created"],
];

export async function page({ query, signal }) {
  const after = (cursor) => (cursor ? `cursor=${encodeURIComponent(cursor)}` : "");
  const path = `v1/models?limit=100&${after(query.get("cursor"))}`;
  const { value, problem } = await outcome(get(path, signal));
  if (isRefused(problem)) return unreadModels();
  if (problem) throw new ProblemError(problem);
  const { items, next_cursor: next } = value;
  return pageOf("Models",
    items.length ? table("Models", "list models", HEADS, items.map(row))
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
    h("td.figure.versions", versions.length),
    h("td", Object.entries(aliases).map(([alias, to]) => h("span.alias", `${alias} → ${to}`))),
    h("td.figure.created", { title: moment(created) }, ago(created)));
}
