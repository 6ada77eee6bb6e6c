// The Compare page: the figures of the selected runs, the parts in which their specs differ,
// and their curves in one chart.

import { get, v1 } from "../api.js";
import { lineChart } from "../charts/lines.js";
import { difference, isBetter } from "../comparing.js";
import { h } from "../dom.js";
import {
  aligned, bestBaseline, duration, elapsed, integer, mainFigure, number, word,
} from "../format.js";
import { card, emptyNote, figureSpans, labelled, pageOf, select, table } from "../parts.js";
import { adviceBox, warningsBox } from "../problems.js";
import { History } from "../runs/history.js";
import { epochsText, fitsOf, keptEpoch, keptFit, statusChip } from "../runs/status.js";

const MOST = 8;
/** Explicit roles, because the blocks of a narrow screen lose the roles of a table. */
const ROLES = {
  table: "table", "thead, tbody": "rowgroup", tr: "row", td: "cell",
  "thead th": "columnheader", "tbody th": "rowheader",
};

export async function page({ given: [list], signal }) {
  const ids = idsOf(list ?? "");
  const query = ids.map(encodeURIComponent).join(",");
  const [runs, recent, compared] = await Promise.all([
    Promise.all(ids.map((id) => read(id, signal))),
    get("v1/runs?view=summary&limit=100", signal),
    ids.length > 1 ? get(`v1/runs/compare?ids=${query}`, signal) : null,
  ]);
  return pageOf("Compare runs", picker(ids, recent.items), runs.length
    ? [warningsBox(compared?.warnings ?? [], "Read with care"), adviceBox(compared?.advice),
      summary(runs, compared),
      differing(runs, compared), overlay(runs)]
    : emptyNote("Add runs above, or select them on the Runs page. For example, compare a wide "
      + "network with a deep one, or a network with dropout and one without."));
}

function idsOf(list) {
  return [...new Set(list.split(",").filter(Boolean))].slice(0, MOST);
}

/** Open the page with other runs: `change` gets the ids in the address, which may be newer
 *  than the page. */
function open(change) {
  const ids = idsOf(location.hash.replace(/^#\/compare\/?/, ""));
  location.hash = `#/compare/${change(ids).join(",")}`;
}

/** Return a run, the history of its kept fit, and the best epoch as a number in that fit. */
async function read(id, signal) {
  const [run, history] =
    await Promise.all([get(v1("runs", id), signal), History.load(id, signal)]);
  const best = keptEpoch(run) && (history.placeOf(run.best_epoch)?.own ?? run.best_epoch);
  const name = nameOf(run);
  return { run, name, history: history.fitOf(run.best_epoch), best, fit: keptFit(run, history) };
}

function picker(ids, recent) {
  const others = recent.filter((run) => !ids.includes(run.id));
  if (ids.length >= MOST || !others.length) return null;
  const list = select([["", "Select a run"], ...others.map(choice)], "", {
    onchange: () => list.value && open((shown) => [...shown, list.value]),
  });
  return labelled("present", "Add a run", list);
}

function choice(run) {
  const figure = run.main_figure && mainFigure(run.main_figure);
  return [run.id, [nameOf(run), run.status, figure].filter(Boolean).join(" · ")];
}

function nameOf(run) {
  return `${run.model_name} ${run.id.slice(-6)}`;
}

/** Return the shape of a network as a short text: `64-64-1, Dropout`. */
function shape({ spec: { model: { layers } } }) {
  const units = layers.filter(({ type }) => type === "Dense").map((layer) => layer.units);
  const others = layers.map(({ type }) => type)
    .filter((type) => !["Dense", "Activation"].includes(type));
  return [units.join("-"), ...new Set(others)].join(", ");
}

function overlay(runs) {
  const metrics = [...new Set(runs.flatMap(({ history }) => [...history.metrics.keys()]))];
  if (!metrics.length) {
    return card("overlay", "Learning curves", h("p.hint", "No epoch yet in any of these runs."));
  }
  const first = metrics.includes("val_loss") ? "val_loss" : metrics[0];
  const chart = lineChart({
    title: "Metric by epoch", xLabel: "epoch", height: 340, isWhole: true, xText: integer,
  });
  const draw = () => {
    const drawn = runs.map(({ name, history }, colour) =>
      ({ name, colour, xs: history.epochs, ys: history.of(metric.value) }));
    const said = drawn.map(({ name, ys }) =>
      `${name}: ${word(metric.value)} ends at ${number(ys.at(-1))}`);
    const series = drawn.filter(({ ys }) => ys.length);
    chart.update({ series, isLog: log.checked, label: said.join("; ") });
  };
  const log = h("input", { type: "checkbox", onchange: draw });
  const metric = select(metrics.map((name) => [name, word(name)]), first, { onchange: draw });
  draw();
  const controls = h("span.check", labelled("check", "Metric", metric),
    h("label.check", log, "Logarithmic scale"));
  return card("overlay", "Learning curves", chart.element, { controls });
}

/** Build the table of figures. Leave out other properties that all runs share. */
function summary(runs, compared) {
  const figures = [
    ["Main figure", ({ run }) => h("span", figureSpans(run.main_figure))],
    ["Best baseline", ({ run }) => bestBaseline(run.main_figure) ?? "–"],
    ...commonRows(runs, compared?.common),
  ].map(([title, cell]) => [title, runs.map(cell)]);
  const losses = aligned(runs.map(({ run, history }) =>
    run.metrics.val_loss ?? lowest(history.of("val_loss"))));
  const others = [
    ["Status", ({ run }) => statusChip(run.status), ({ run }) => run.status],
    ["Validation loss", (_, i) => losses[i]],
    ["Network", ({ run }) => shape(run)],
    ["Parameters", ({ run }) => integer(run.num_params)],
    ["Kept epoch", keptText],
    ["Training time", ({ run }) => duration(elapsed(run.started_at, run.ended_at))],
  ].filter(([, cell, text = cell]) => runs.length < 2 || new Set(runs.map(text)).size > 1)
    .map(([title, cell]) => [title, runs.map(cell)]);
  const remove = ({ run, name }) => h("button.quiet.remove", {
    "aria-label": `Remove ${name}`,
    onclick: () => open((shown) => shown.filter((id) => id !== run.id)),
  }, "Remove");
  return comparison("summary", "Results", runs,
    [...figures, ...metricRows(runs, compared), ...others], remove);
}

/** Return the other metrics of the reports on held-out rows. */
function metricRows(runs, compared) {
  const reports = (compared?.runs ?? []).map(({ headline }) => headline?.metrics ?? {});
  const main = new Set(runs.map(({ run }) => run.main_figure?.metric));
  const names = [...new Set(reports.flatMap(Object.keys))].filter((name) => !main.has(name));
  return names.map((name) => [word(name), aligned(reports.map((metrics) => metrics[name]))]);
}

/** Return the rows of the main figures on rows that both runs held out, if there are any. */
function commonRows(runs, common) {
  if (!common) return [];
  const { metric, side, num_rows: count, values, low, high } = common;
  const title = `${word(metric)} on ${integer(count)} common ${side} rows`;
  const texts = aligned(values);
  const shown = [title, (_, i) => texts[i]];
  if (values.includes(null)) return [shown];
  const value = values[1] - values[0];
  const against = (_, i) => (i ? h("span",
    h("span.whole", difference({ metric, value, low, high })),
    h("span.rival", betterOf(runs.map(({ name }) => name), common))) : "–");
  return [shown, [low === null ? "Difference" : "Difference (95 % interval)", against]];
}

/** Return which of two runs is better on common rows, and whether that is certain. */
function betterOf([first, second], { metric, values, low, high }) {
  if (values[0] === values[1]) return "Neither is better.";
  const better = isBetter(metric, values[1], values[0]) ? second : first;
  const isUncertain = low !== null && low <= 0 && high >= 0;
  return `${better} is better${isUncertain ? ", but the interval includes 0" : ""}.`;
}

/** Return the kept epoch as a number in the fit whose curve is drawn. */
function keptText({ run, history, best, fit }) {
  const text = epochsText(best, history.epochs.length);
  return fit && fitsOf(run) > 1 ? `${text}, fit ${integer(fit)} of ${integer(fitsOf(run))}` : text;
}

function lowest(values) {
  const finite = values.filter(Number.isFinite);
  return finite.length ? finite.reduce((a, b) => Math.min(a, b)) : null;
}

function differing(runs, compared) {
  if (!compared) return null;
  const rows = compared.different_parts.map(({ part, texts }) => [part, texts]);
  const title = "Differences between the specs";
  return rows.length ? comparison("differences", title, runs, rows)
    : card("differences", title, h("p", "No difference that changes a figure."));
}

/** Build a table with a row for each property and a column for each run. `below` builds what
 *  is below the name of a run. */
function comparison(id, title, runs, rows, below = () => null) {
  const heads = runs.map((one, i) => [[
    h("a.swatch", { class: `series-${i}`, href: `#/runs/${one.run.id}` }, one.name), below(one),
  ], "figure"]);
  const cell = (value, i) =>
    h("td.figure", { class: `series-${i}`, "data-run": runs[i].name }, value);
  const element = table(title, "comparison", [h("td"), ...heads], rows.map(([head, values]) =>
    h("tr", h("th", { scope: "row" }, head), values.map(cell))));
  for (const [selector, role] of Object.entries(ROLES)) {
    element.querySelectorAll(selector).forEach((one) => one.setAttribute("role", role));
  }
  return card(id, title, element);
}
