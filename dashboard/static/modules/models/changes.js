// The history of a model: who moved the serving version and the aliases, when, and why.

import { h } from "../dom.js";
import { ago, moment } from "../format.js";
import { table } from "../parts.js";

const HEADS = [["Change", "figure"], ["What"], ["Before"], ["After"], ["Why"], ["Who"], ["When"]];

export function changesTable({ items, next_cursor: next }) {
  return [
    h("h3", "Changes"),
    table("Changes", "list", HEADS, items.map(row)),
    next && h("p.hint", "Use the API to list older changes."),
  ];
}

function row({ number, alias, before, after, why, who, undoes, created_at: created }) {
  const reason = undoes === null ? why : `${why} (undoes change ${undoes})`;
  return h("tr",
    h("th.figure", { scope: "row" }, number),
    h("td", alias === null ? h("span.chip.succeeded", "serves") : h("span.alias", alias)),
    [before, after].map((one) => h("td", one === null ? "–" : `version ${one}`)),
    h("td.why", reason), h("td.why", who),
    h("td", { title: moment(created) }, ago(created)));
}

/** Return the change of an alias that a rollback undoes; null if the shown changes have none.
 *  `alias` is null for the serving version. */
export function lastUndoable({ items }, alias) {
  const undone = new Set(items.map((one) => one.undoes));
  const last = items.find((one) =>
    one.alias === alias && one.undoes === null && !undone.has(one.number));
  return last && last.before !== null ? last : null;
}

/** Return a sentence if a version served before, or an alias pointed to it; otherwise "". */
export function formerUse({ items }, version) {
  const names = new Set(items.filter((one) => one.after === version).map((one) => one.alias));
  const aliases = [...names].filter((alias) => alias !== null);
  const uses = [
    names.has(null) && "served",
    aliases.length > 0 && `had the alias ${aliases.join(" and ")}`,
  ].filter(Boolean);
  if (!uses.length) return "";
  return `Version ${version} ${uses.join(" and ")} before. After the deletion, you cannot roll back to it.`;
}
