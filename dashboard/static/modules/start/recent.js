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

function row({ id, model_name: name, status, dataset, main_figure: figure, created_at: created }) {
  return h("tr",
    h("th", { scope: "row" }, h("a", { href: `#/runs/${id}` }, name)),
    h("td", statusChip(status)),
    h("td.dataset", dataset.name),
    figureCell(figure),
    h("td.figure.created", { title: moment(created) }, ago(created)));
}

/** Return the usual seconds of earlier runs of a similar size, or null without such runs. */
export function usualSeconds(runs, plan) {
  const size = sizeOf(plan);
  const similar = runs
    .filter((run) => isOfKind(run, plan))
    .map((run) => ({ distance: Math.abs(Math.log(sizeOf(run) / size)), seconds: secondsOf(run) }))
    .filter(({ distance }) => distance <= Math.log(SIMILAR.factor))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, SIMILAR.most)
    .map(({ seconds }) => seconds)
    .toSorted((a, b) => a - b);
  return similar[Math.floor(similar.length / 2)] ?? null;
}

/** Return the number of weights that an epoch trains, once for each row. */
function sizeOf({ num_rows: rows, num_params: weights }) {
  return Math.max(1, rows.train) * Math.max(1, weights);
}

function isOfKind(run, { spec }) {
  const [own, other] = [run.spec, spec];
  return run.status === "succeeded" && (own.preset ?? null) === (other.preset ?? null)
    && (own.fit.num_seeds ?? 1) === (other.fit.num_seeds ?? 1)
    && own.fit.epochs === other.fit.epochs;
}

function secondsOf({ started_at: from, ended_at: to }) {
  return (Date.parse(to) - Date.parse(from)) / 1000;
}

/** Return seconds for a summary: `about 20 s`, `about 3 min`. */
export function aboutText(seconds) {
  if (seconds < 60) return `about ${Math.max(1, seconds < 15 ? Math.round(seconds) : Math.round(seconds / 5) * 5)} s`;
  return seconds < 3600 ? `about ${Math.round(seconds / 60)} min` : `about ${duration(seconds)}`;
}
