// Models, by name.

import { get } from "../api.js";
import { h } from "../dom.js";
import { ago, moment } from "../format.js";
import { t } from "../text.js";

export async function page({ query, signal }) {
  const cursor = query.get("cursor");
  const { items, next_cursor: next } = await get(`v1/models?limit=100${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`, signal);
  return h("section", {}, h("h1", { tabindex: "-1" }, t("models.title")), items.length ? table(items) : empty(),
    next && h("a", { class: "button", href: `#/models?cursor=${encodeURIComponent(next)}` }, t("models.more")));
}

function empty() {
  return h("div", { class: "empty" }, h("p", {}, t("models.empty")), h("a", { class: "button primary", href: "#/" }, t("runs.first")));
}

function table(items) {
  return h("div", { class: "scroll", role: "group", tabindex: "0", "aria-label": t("models.title") },
    h("table", { class: "list" },
      h("thead", {}, h("tr", {}, ["name", "versions", "aliases", "created"].map((head) => h("th", { scope: "col", class: head }, t(`models.${head}`))))),
      h("tbody", {}, items.map((model) => h("tr", {},
        h("th", { scope: "row" }, h("a", { href: `#/models/${encodeURIComponent(model.name)}` }, model.name)),
        h("td", { class: "figure" }, model.versions.length),
        h("td", {}, Object.entries(model.aliases).map(([alias, version]) => h("span", { class: "alias" }, `${alias} → ${version}`))),
        h("td", { class: "figure", title: moment(model.created_at) }, ago(model.created_at)))))));
}
