// Versions with their figures, and the aliases: promote, roll back, remove.

import { ProblemError, put as send, remove, v1 } from "../api.js";
import { field, h, put, select } from "../dom.js";
import { ago, integer, moment, number } from "../format.js";
import { problemBox } from "../problems.js";
import { t } from "../text.js";

/** `read()` asks for the versions anew after an alias was moved; the form stays as it was filled in. */
export function versionsSection(name, current, { items, next_cursor: next }, read) {
  const table = h("div", { class: "scroll", role: "group", tabindex: "0", "aria-labelledby": "versions" });
  const form = aliasForm(name, current, items, async () => draw((await read()).items));
  const draw = (now) => {
    put(table, versionTable(name, current, now));
    form.draw(now);
  };
  draw(items);
  return h("section", { class: "card", "aria-labelledby": "versions" }, h("h2", { id: "versions" }, t("versions.title")), table,
    next && h("p", { class: "hint" }, t("versions.older")), form.elements);
}

function versionTable(name, current, items) {
  const metrics = Object.keys(items[0]?.metrics ?? {}).filter((one) => one.startsWith("val_"));
  const shown = metrics.length ? metrics : Object.keys(items[0]?.metrics ?? {});
  return h("table", { class: "list" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("versions.version")), h("th", { scope: "col" }, t("models.aliases")),
      shown.map((one) => h("th", { scope: "col", class: "figure" }, one)), h("th", { scope: "col", class: "figure" }, t("plan.params")), h("th", { scope: "col", class: "figure" }, t("models.created")))),
    h("tbody", {}, items.map((one) => versionRow(name, current, one, shown))));
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
  const alias = h("input", { type: "text", value: aliasesOf(items)[0] ?? "live", required: true, maxlength: 100, autocomplete: "off" });
  const version = select(items.map((one) => [String(one.version), t("models.version", { n: one.version })]), String(current));
  const require = h("input", { type: "text", placeholder: "auc >= current", maxlength: 200, autocomplete: "off", spellcheck: "false", "aria-describedby": "only-if-hint" });
  const promoting = h("button", {}, t("versions.promote"));
  const said = h("div", { class: "said" });
  const done = h("p", { class: "done", role: "status" });
  const act = async (action, sentence) => {
    put(said);
    put(done);
    try {
      await action();
      await refresh();
      put(done, sentence);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      put(said, problemBox(error.problem));
    }
  };
  const promote = (event) => {
    event.preventDefault();
    put(done);
    const target = { alias: alias.value.trim(), version: version.value };
    const required = requirements(require.value);
    if (required.wrong) return put(said, problemBox({ title: t("versions.no_condition"), detail: t("versions.condition_form", { given: required.wrong }) }));
    return act(() => send(v1("models", name, "aliases", target.alias), { version: Number(target.version), require: required.read }), t("versions.points", target));
  };
  const drop = (one) => act(() => remove(v1("models", name, "aliases", one)), t("versions.removed", { alias: one }));
  const removals = removalLinks(drop, promoting);
  const elements = [
    h("form", { class: "inline", on: { submit: promote } }, field(t("versions.alias"), alias), field(t("versions.at"), version), field(t("versions.only_if"), require), promoting),
    done, said, removals.element, h("p", { class: "hint" }, t("versions.hint")), h("p", { class: "hint", id: "only-if-hint" }, t("versions.only_if_hint")),
  ];
  return { elements, draw: removals.draw };
}

/** A button an alias; when the pressed one is gone, focus goes to the next, or to `last`. */
function removalLinks(drop, last) {
  const element = h("p", { class: "links" });
  const draw = (items) => {
    const buttons = aliasesOf(items).map((one) => h("button", { type: "button", class: "quiet", on: { click: () => drop(one) } }, t("versions.remove", { alias: one })));
    const isLeft = element.contains(document.activeElement);
    put(element, buttons);
    element.hidden = !buttons.length;
    if (isLeft) (buttons[0] ?? last).focus();
  };
  return { element, draw };
}

function aliasesOf(items) {
  return [...new Set(items.flatMap((one) => one.aliases))];
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
