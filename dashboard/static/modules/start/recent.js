// What was trained lately, and how long that took.

import { h, put } from "../dom.js";
import { ago, duration, moment } from "../format.js";
import { card, figureCell, table } from "../parts.js";
import { statusChip } from "../runs/status.js";

const SHOWN = 5;
const SIMILAR = { most: 3, factor: 3 };
const HEADS = [["Run"], ["Status"], ["Dataset", "dataset"], ["Main figure", "verdict"],
  ["Created", "figure created"]];

/** Build the section of the last runs. It is empty until `asked` gives runs. */
export function recentSection(asked) {
  const place = h("div");
  asked.then(({ value }) => put(place, value?.items.length > 0 && section(value.items)));
  return place;
}

function section(runs) {
  const all = h("a", { href: "#/runs" }, "All runs");
  return card("recent", "Trained lately",
    table("Trained lately", "list runs", HEADS, runs.slice(0, SHOWN).map(row)),
    { controls: h("div.actions", all) });
}

function row({ id, model_name: name, status, dataset_name: dataset, main_figure: figure, created_at: created }) {
  return h("tr",
    h("th", { scope: "row" }, h("a", { href: `#/runs/${id}` }, name)),
    h("td", statusChip(status)),
    h("td.dataset", dataset),
    figureCell(figure),
    h("td.figure.created", { title: moment(created) }, ago(created)));
}

/** Return the usual seconds of earlier runs of a similar size, or null without such runs. */
export function usualSeconds(runs, plan) {
  const size = sizeOf(plan.num_rows.train, plan.num_params);
  const distanceOf = ({ num_train_rows: rows, num_params: weights }) =>
    Math.abs(Math.log(sizeOf(rows, weights) / size));
  const similar = runs
    .filter((run) => isOfKind(run, plan))
    .map((run) => ({ distance: distanceOf(run), seconds: run.seconds }))
    .filter(({ distance }) => distance <= Math.log(SIMILAR.factor))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, SIMILAR.most)
    .map(({ seconds }) => seconds)
    .toSorted((a, b) => a - b);
  return similar[Math.floor(similar.length / 2)] ?? null;
}

/** Return the number of weights that an epoch trains, once for each row. */
function sizeOf(rows, weights) {
  return Math.max(1, rows) * Math.max(1, weights);
}

function isOfKind(run, { spec: { preset, fit } }) {
  const fits = fit.num_seeds ?? 1;
  return run.status === "succeeded" && (run.preset ?? null) === (preset ?? null)
    && run.num_seeds === fits && run.epochs === fits * fit.epochs;
}

/** Return seconds for a summary: `about 20 s`, `about 3 min`. */
export function aboutText(seconds) {
  if (seconds < 60) return `about ${Math.max(1, seconds < 15 ? Math.round(seconds) : Math.round(seconds / 5) * 5)} s`;
  return seconds < 3600 ? `about ${Math.round(seconds / 60)} min` : `about ${duration(seconds)}`;
}
