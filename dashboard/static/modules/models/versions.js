// Versions with their figures, and the aliases: promote, roll back, remove.

import { ProblemError, put as send, remove, v1 } from "../api.js";
import { announce, field, h, put, select } from "../dom.js";
import { ago, integer, moment, number } from "../format.js";
import { problemBox } from "../problems.js";
import { t } from "../text.js";

/** `refresh` reads the versions anew after an alias was moved. */
export function versionsSection(name, current, { items, next_cursor: next }, refresh) {
  const metrics = Object.keys(items[0]?.metrics ?? {}).filter((one) => one.startsWith("val_"));
  const shown = metrics.length ? metrics : Object.keys(items[0]?.metrics ?? {});
  return h("section", { class: "card", "aria-labelledby": "versions" }, h("h2", { id: "versions" }, t("versions.title")),
    h("div", { class: "scroll", role: "group", tabindex: "0", "aria-labelledby": "versions" }, h("table", { class: "list" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("versions.version")), h("th", { scope: "col" }, t("models.aliases")),
        shown.map((one) => h("th", { scope: "col", class: "figure" }, one)), h("th", { scope: "col", class: "figure" }, t("plan.params")), h("th", { scope: "col", class: "figure" }, t("models.created")))),
      h("tbody", {}, items.map((one) => versionRow(name, current, one, shown))))),
    next && h("p", { class: "hint" }, t("versions.older")),
    aliasForm(name, current, items, refresh));
}

function versionRow(name, current, version, metrics) {
  return h("tr", { class: version.version === current ? "is-current" : "" },
    h("th", { scope: "row" }, h("a", { href: `#/models/${encodeURIComponent(name)}/${version.version}`, "aria-current": version.version === current ? "true" : null }, t("models.version", { n: version.version }))),
    h("td", {}, version.aliases.map((alias) => h("span", { class: "alias" }, alias))),
    metrics.map((one) => h("td", { class: "figure" }, number(version.metrics[one]))),
    h("td", { class: "figure" }, integer(version.num_params)),
    h("td", { class: "figure", title: moment(version.created_at) }, ago(version.created_at)));
}

function aliasForm(name, current, items, refresh) {
  const present = [...new Set(items.flatMap((one) => one.aliases))];
  const alias = h("input", { type: "text", value: present[0] ?? "live", required: true, maxlength: 100, autocomplete: "off" });
  const version = select(items.map((one) => [String(one.version), t("models.version", { n: one.version })]), String(current));
  const require = h("input", { type: "text", placeholder: "auc >= current", maxlength: 200, autocomplete: "off", spellcheck: "false", "aria-describedby": "only-if-hint" });
  const said = h("div", {});
  const act = async (action, sentence) => {
    try {
      await action();
      await refresh();
      announce(sentence);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      put(said, problemBox(error.problem));
    }
  };
  const promote = (event) => {
    event.preventDefault();
    const target = { alias: alias.value.trim(), version: version.value };
    const required = requirements(require.value);
    if (required.wrong) return put(said, problemBox({ title: t("versions.no_condition"), detail: t("versions.condition_form", { given: required.wrong }) }));
    return act(() => send(v1("models", name, "aliases", target.alias), { version: Number(target.version), require: required.read }), t("versions.points", target));
  };
  const drop = (one) => act(() => remove(v1("models", name, "aliases", one)), t("versions.removed", { alias: one }));
  return [
    h("form", { class: "inline", on: { submit: promote } }, field(t("versions.alias"), alias), field(t("versions.at"), version), field(t("versions.only_if"), require), h("button", {}, t("versions.promote"))),
    present.length > 0 && h("p", { class: "links" }, present.map((one) => h("button", { type: "button", class: "quiet", on: { click: () => drop(one) } }, t("versions.remove", { alias: one })))),
    h("p", { class: "hint" }, t("versions.hint")), h("p", { class: "hint", id: "only-if-hint" }, t("versions.only_if_hint")), said,
  ];
}

/** `auc >= current, log_loss <= 0.4` as the API takes it; `wrong` is a part that is no condition. */
function requirements(text) {
  const read = {};
  for (const part of text.split(",").map((one) => one.trim()).filter(Boolean)) {
    const [, figure, condition] = /^([A-Za-z]\w*)\s*((?:>=|<=|>|<).+)$/.exec(part) ?? [];
    if (!figure || figure in read) return { wrong: part };
    read[figure] = condition;
  }
  return { read };
}
