// The Compare page: curves of the selected runs in one chart, and differences in their specs.

import { get, v1 } from "../api.js";
import { lineChart } from "../charts/lines.js";
import { h } from "../dom.js";
import {
  bestBaseline, datasetName, duration, elapsed, integer, mainFigure, number, word,
} from "../format.js";
import { layerText } from "../layer_text.js";
import { card, emptyNote, labelled, pageOf, select, table } from "../parts.js";
import { warningsBox } from "../problems.js";
import { History } from "../runs/history.js";
import { epochsText, fitsOf, keptEpoch, keptFit } from "../runs/status.js";

const MOST = 8;
/** Explicit roles, because the blocks of a narrow screen lose the roles of a table. */
const ROLES = {
  table: "table", "thead, tbody": "rowgroup", tr: "row", td: "cell",
  "thead th": "columnheader", "tbody th": "rowheader",
};

export async function page({ given: [list], signal }) {
  const ids = [...new Set((list ?? "").split(",").filter(Boolean))].slice(0, MOST);
  const query = ids.map(encodeURIComponent).join(",");
  const [runs, recent, compared] = await Promise.all([
    Promise.all(ids.map((id) => read(id, signal))),
    get("v1/runs?limit=100", signal),
    ids.length > 1 ? get(`v1/runs/compare?ids=${query}`, signal) : { warnings: [] },
  ]);
  return pageOf("Compare runs", picker(ids, recent.items), runs.length
    ? [warningsBox(compared.warnings), overlay(runs), summary(runs, compared.common),
      differing(runs)]
    : emptyNote("Add runs above, or select them on the Runs page. For example, compare a wide "
      + "network with a deep one, or a network with dropout and one without."));
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
  const options = others.map((run) => [run.id, `${nameOf(run)} · ${run.status} · ${shape(run)}`]);
  const list = select([["", "Select a run"], ...options], "", {
    onchange: () => list.value && (location.hash = `#/compare/${[...ids, list.value].join(",")}`),
  });
  return labelled("present", "Add a run", list);
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
      `${name}: ${metric.value} ends at ${number(ys.at(-1))}`);
    const series = drawn.filter(({ ys }) => ys.length);
    chart.update({ series, isLog: log.checked, label: said.join("; ") });
  };
  const log = h("input", { type: "checkbox", onchange: draw });
  const metric = select(metrics, first, { onchange: draw });
  draw();
  const controls = h("span.check", labelled("check", "Metric", metric),
    h("label.check", log, "Logarithmic scale"));
  return card("overlay", "Learning curves", chart.element, { controls });
}

function summary(runs, common) {
  const rows = {
    Network: ({ run }) => shape(run),
    Parameters: ({ run }) => integer(run.num_params),
    "Main figure": ({ run }) => mainFigure(run.main_figure),
    ...commonRows(common),
    "Best baseline": ({ run }) => bestBaseline(run.main_figure) ?? "–",
    "Validation loss": ({ run, history }) =>
      number(run.metrics.val_loss ?? lowest(history.of("val_loss"))),
    "Training loss": ({ run }) => number(run.metrics.loss),
    "Best epoch": bestEpoch,
    "Training time": ({ run }) => duration(elapsed(run.started_at, run.ended_at)),
  };
  return comparison("summary", "Results", runs,
    Object.entries(rows).map(([title, cell]) => [title, runs.map(cell)]));
}

/** Return the rows of the main figures on rows that both runs held out, if there are any. */
function commonRows(common) {
  if (!common) return {};
  const { metric, side, num_rows: count, values, low, high } = common;
  const title = `${word(metric)} on ${integer(count)} common ${side} rows`;
  const difference = low === null ? {}
    : { "Difference (95 % interval)": (_, i) => (i ? `${number(low)} to ${number(high)}` : "") };
  return { [title]: (_, i) => number(values[i]), ...difference };
}

/** Return the best epoch as a number in the fit whose curve is drawn. */
function bestEpoch({ run, history, best, fit }) {
  const text = epochsText(best, history.epochs.length);
  return fit && fitsOf(run) > 1 ? `${text}, fit ${integer(fit)} of ${integer(fitsOf(run))}` : text;
}

function lowest(values) {
  const finite = values.filter(Number.isFinite);
  return finite.length ? finite.reduce((a, b) => Math.min(a, b)) : null;
}

function differing(runs) {
  if (runs.length < 2) return null;
  const specs = runs.map(({ run }) => ({ ...run.spec, dataset: datasetName(run.dataset) }));
  const found = differences(specs);
  const rows = found.map(({ place, values }) => [h("code", place), values]);
  const title = "Differences between the specs";
  return rows.length ? comparison("differences", title, runs, rows)
    : card("differences", title, h("p", "The specs are equal."));
}

/** Build a table with a row for each property and a column for each run. */
function comparison(id, title, runs, rows) {
  const heads = runs.map(({ run, name }, i) =>
    [h("a.swatch", { class: `series-${i}`, href: `#/runs/${run.id}` }, name), "figure"]);
  const cell = (value, i) =>
    h("td.figure", { class: `series-${i}`, "data-run": runs[i].name }, value);
  const element = table(title, "comparison", [h("td"), ...heads], rows.map(([head, values]) =>
    h("tr", h("th", { scope: "row" }, head), values.map(cell))));
  for (const [selector, role] of Object.entries(ROLES)) {
    element.querySelectorAll(selector).forEach((one) => one.setAttribute("role", role));
  }
  return card(id, title, element);
}

/** Return `[{ place, values }]` for each place whose values differ between the specs. */
function differences(specs) {
  const flats = specs.map((spec) => flat(spec));
  const places = [...new Set(flats.flatMap((one) => [...one.keys()]))];
  return places
    .map((place) => ({ place, values: flats.map((one) => one.get(place) ?? "–") }))
    .filter(({ values }) => new Set(values).size > 1);
}

function flat(value, place = "", found = new Map()) {
  if (value === null || value === undefined) return found;
  if (place === "model.layers") {
    value.forEach((layer, i) => found.set(`layers[${i}]`, layerText(layer)));
  } else if (Array.isArray(value)) found.set(place, value.join(", "));
  else if (typeof value === "object") {
    for (const [name, inner] of Object.entries(value)) {
      flat(inner, place ? `${place}.${name}` : name, found);
    }
  } else found.set(place, String(value));
  return found;
}
