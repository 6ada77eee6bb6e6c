// The lineage of a model: its versions with what each changed, and which of them callers get.

import { outcome, send, v1 } from "../api.js";
import { comparedFigure } from "../comparing.js";
import { h, put } from "../dom.js";
import { ago, datasetName, figureSentence, integer, moment, plural } from "../format.js";
import { layerText } from "../layer_text.js";
import { card } from "../parts.js";
import { problemBox } from "../problems.js";
import { changesTable } from "./changes.js";
import { openPromotion } from "./promotion.js";
import { promotionRule } from "./promotion_rule.js";
import { rollbackButton } from "./rollback.js";

/** Build the section. `read()` fetches `{ model, versions, changes }` again after a change. */
export function versionsSection(current, first, read) {
  const place = h("div");
  const failed = h("div");
  const done = h("p.done", { role: "status" });
  const refresh = async (sentence) => {
    draw(await read());
    put(failed);
    put(done, sentence);
  };
  const act = async (request, sentenceOf) => {
    put(done);
    const { value, problem } = await outcome(request());
    if (problem) put(failed, problemBox(problem));
    else await refresh(sentenceOf(value));
  };
  const draw = (state) => keepFocus(place, () => put(place,
    pointers(state, act), lineage(state, current, refresh), changesTable(state.changes)));
  draw(first);
  return card("versions", "Versions", [done, failed, place]);
}

/** Draw a part again. Focus the button that had the focus, or else the first one. */
function keepFocus(place, draw) {
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.act : null;
  draw();
  if (!focused) return;
  (place.querySelector(`[data-act="${CSS.escape(focused)}"]`) ?? place.querySelector("button"))
    ?.focus();
}

/** Build the list of what callers get: the serving version, then the version of each alias. */
function pointers(state, act) {
  const { model } = state;
  const { name, aliases, serving_version: serving } = model;
  const remove = (alias) => h("button.quiet", {
    "data-act": `remove ${alias}`,
    onclick: () => act(() => send("DELETE", v1("models", name, "aliases", alias)),
      () => `${alias} was removed.`),
  }, `Remove ${alias}`);
  return h("ul.pointers",
    h("li", h("span.chip.succeeded", "serves"), `version ${serving}`,
      rollbackButton(state, null, act), promotionRule(model, act)),
    Object.entries(aliases).map(([alias, to]) => h("li", h("span.alias", alias), `version ${to}`,
      rollbackButton(state, alias, act), remove(alias))));
}

function lineage({ model, versions: { items, next_cursor: next } }, current, refresh) {
  const serving = items.find((one) => one.serves);
  const item = (version) => h("li", { class: version.version === current ? "is-current" : "" },
    title(version, current), changed(version),
    h("div.actions",
      h("button", {
        "data-act": `promote ${version.version}`,
        "aria-label": version.serves ? `Point an alias at version ${version.version}`
          : `Promote version ${version.version}`,
        onclick: () => openPromotion(model, version, refresh),
      }, version.serves ? "Point an alias at it" : "Promote"),
      serving && !version.serves && h("a.button", {
        href: `#/compare/${serving.run_id},${version.run_id}`,
        "aria-label": `Compare version ${version.version} with version ${serving.version}`,
      }, `Compare with version ${serving.version}`)));
  return [h("ol.lineage", items.map(item)),
    next && h("p.hint", "Use the API to list older versions.")];
}

function title(version, current) {
  const { model_name: name, version: number, aliases, created_at: created } = version;
  const href = `#/models/${encodeURIComponent(name)}/${number}`;
  return h("div.head",
    h("h3", h("a", { href, "aria-current": number === current ? "true" : null },
      `version ${number}`)),
    version.serves && h("span.chip.succeeded", "serves"),
    aliases.map((alias) => h("span.alias", alias)),
    version.changes?.contract.some((one) => one.breaks) && h("span.chip.breaks", "new contract"),
    h("span.hint", { title: moment(created) }, ago(created)));
}

/** Build the list of what a version changed, and its main figure. */
function changed(version) {
  const pairs = [
    ["Against", against(version)], ["Figure", figure(version)], ["Rows", rows(version)],
    ["Spec", spec(version)],
    ["Inputs", inputs(version)], ["Network", plural(version.num_params, "parameter")],
  ];
  return h("dl.changed", pairs.filter(([, value]) => value)
    .map(([name, value]) => h("div", h("dt", name), h("dd", value))));
}

/** Say with which version the rows, the spec and the inputs are compared. */
function against({ changes }) {
  if (!changes) return null;
  const which = changes.served ? "which served when this one was trained" : "the version before";
  return `version ${changes.against}, ${which}`;
}

function figure({ main_figure: read, changes }) {
  if (!read) return null;
  return [figureSentence(read), changes && h("span.rival", againstFigure(read, changes))];
}

function againstFigure(read, { against: number, not_comparable: reasons, main_figure: former }) {
  if (reasons.length) return `not comparable with version ${number}: ${reasons.join(", ")}`;
  const { words, before } = comparedFigure(read, former);
  return `${words} version ${number} (${before})`;
}

function rows({ dataset, num_rows: count, changes }) {
  if (!dataset) return null;
  const now = `${datasetName(dataset)}, ${plural(count, "row")}`;
  if (!changes) return now;
  if (changes.dataset.id === dataset.id) return `${now}, as version ${changes.against}`;
  const more = count - changes.num_rows;
  return `${now} (${more < 0 ? "−" : "+"}${integer(Math.abs(more))} against version `
    + `${changes.against}, which read ${datasetName(changes.dataset)})`;
}

function spec({ changes }) {
  if (!changes) return null;
  if (!changes.spec.length) return `as version ${changes.against}`;
  return h("ul", changes.spec.map(({ pointer, before, after }) => h("li",
    h("code", pointer.slice(2).replaceAll("/", ".")), ` ${shown(before)} → ${shown(after)}`)));
}

function shown(value) {
  if (value === null || value === undefined) return "none";
  if (Array.isArray(value)) {
    return value.map((one) => (one?.type ? layerText(one) : shown(one))).join(", ");
  }
  if (typeof value !== "object") return String(value);
  return Object.entries(value).map(([name, one]) => `${name} ${shown(one)}`).join(", ");
}

function inputs({ signature, changes }) {
  const names = signature.features.map(({ name }) => name);
  if (!changes) return `${plural(names.length, "column")}: ${some(names)}`;
  if (!changes.contract.length) return `as version ${changes.against}`;
  return h("ul", changes.contract.map(({ sign, detail }) => h("li", h("code", sign), ` ${detail}`)));
}

function some(names) {
  const most = 8;
  return names.slice(0, most).join(", ") + (names.length > most ? ", …" : "");
}
