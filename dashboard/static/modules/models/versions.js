// Versions with their metrics, and aliases: promote, roll back, remove.

import { outcome, send, v1 } from "../api.js";
import { h, put } from "../dom.js";
import { ago, integer, moment, number } from "../format.js";
import { card, field, select, table } from "../parts.js";
import { problemBox } from "../problems.js";

/** Build the section. `read()` fetches the versions again after an alias has moved. */
export function versionsSection(name, current, { items, next_cursor: next }, read) {
  const list = h("div");
  const form = aliasForm(name, current, items, async () => draw((await read()).items));
  const draw = (versions) => {
    put(list, versionTable(name, current, versions));
    form.draw(versions);
  };
  draw(items);
  return card("versions", "Versions",
    [list, next && h("p.hint", "Use the API to list older versions."), form.elements]);
}

function versionTable(name, current, items) {
  const all = Object.keys(items[0]?.metrics ?? {});
  const validation = all.filter((one) => one.startsWith("val_"));
  const metrics = validation.length ? validation : all;
  const heads = [...metrics, "Parameters", "Created"].map((one) => [one, "figure"]);
  return table("Versions", "list", [["Version"], ["Aliases"], ...heads],
    items.map((version) => versionRow(name, version, metrics, version.version === current)));
}

function versionRow(name, version, metrics, isCurrent) {
  const href = `#/models/${encodeURIComponent(name)}/${version.version}`;
  return h("tr", { class: isCurrent ? "is-current" : "" },
    h("th", { scope: "row" },
      h("a", { href, "aria-current": isCurrent ? "true" : null }, `version ${version.version}`)),
    h("td", version.aliases.map((alias) => h("span.alias", alias))),
    metrics.map((one) => h("td.figure", number(version.metrics[one]))),
    h("td.figure", integer(version.num_params)),
    h("td.figure", { title: moment(version.created_at) }, ago(version.created_at)));
}

function textInput(props) {
  return h("input", { type: "text", autocomplete: "off", ...props });
}

function aliasForm(name, current, items, refresh) {
  const alias = textInput({ value: aliasesOf(items)[0] ?? "live", required: true, maxlength: 100 });
  const versions = items.map((one) => [String(one.version), `version ${one.version}`]);
  const version = select(versions, String(current));
  const require = textInput({
    placeholder: "auc >= current", maxlength: 200, spellcheck: "false",
    "aria-describedby": "conditions-hint",
  });
  const promoting = h("button", "Promote");
  const failed = h("div");
  const done = h("p.done", { role: "status" });
  const act = async (action, sentence) => {
    put(done);
    put(failed);
    const { problem } = await outcome(action().then(refresh));
    if (problem) put(failed, problemBox(problem));
    else put(done, sentence);
  };
  const aliasPath = (one) => v1("models", name, "aliases", one);
  const onsubmit = (event) => {
    event.preventDefault();
    const moved = alias.value.trim();
    const conditions = requirements(require.value);
    const target = { version: Number(version.value), require: conditions };
    if (typeof conditions === "string") {
      put(done);
      put(failed, problemBox(noCondition(conditions)));
    } else {
      act(() => send("PUT", aliasPath(moved), target),
        `${moved} now points to version ${target.version}.`);
    }
  };
  const removals = removalButtons((one) =>
    act(() => send("DELETE", aliasPath(one)), `${one} was removed.`), promoting);
  const elements = [
    h("form.inline", { onsubmit }, field("Alias", alias), field("Points to", version),
      field("Conditions", require), promoting),
    done, failed, removals.element,
    h("p.hint", "An alias is a movable name for a version: promote a newer version, or roll back "
      + "to an older one. Requests to the alias use the new version within one second."),
    h("p.hint", { id: "conditions-hint" }, "Conditions are optional and compare metrics on "
      + "held-out rows, for example auc >= current or log_loss <= 0.4. The alias moves only if "
      + "all conditions are met."),
  ];
  return { elements, draw: removals.draw };
}

/** Build a button for each alias. After a removal, focus the next button, or `last`. */
function removalButtons(drop, last) {
  const element = h("p.links");
  const draw = (items) => {
    const buttons = aliasesOf(items).map((one) =>
      h("button.quiet", { onclick: () => drop(one) }, `Remove ${one}`));
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

/** Parse `auc >= current, log_loss <= 0.4` for the API. Return the invalid part, if any. */
function requirements(text) {
  const read = {};
  for (const part of text.split(",").map((one) => one.trim()).filter(Boolean)) {
    const [, figure, condition] = /^([A-Za-z]\w*)\s*((?:>=|<=|>|<).+)$/.exec(part) ?? [];
    if (!figure || figure in read) return part;
    read[figure] = condition;
  }
  return read;
}

function noCondition(given) {
  return {
    title: "Invalid condition",
    detail: `Received “${given}”. Expected a metric, then >=, <=, > or <, then a number or `
      + "current, for example auc >= current. Separate conditions with commas.",
  };
}
