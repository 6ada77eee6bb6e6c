// Compare: the curves of chosen runs over one another, and what differs in their specs.

import { get, v1 } from "../api.js";
import { lineChart } from "../charts/lines.js";
import { h, newId, select } from "../dom.js";
import { duration, elapsed, integer, number } from "../format.js";
import { warningsBox } from "../problems.js";
import { fitsOf, keptEpoch, keptFit } from "../runs/fits.js";
import { History } from "../runs/history.js";
import { t, word } from "../text.js";
import { differences } from "./differences.js";

const MOST = 8;

/** A run, the epochs of the fit that it kept, and where among them that with the best weights is. */
async function read(id, signal) {
  const [run, history] = await Promise.all([get(v1("runs", id), signal), History.load(id, signal)]);
  const best = keptEpoch(run) && (history.placeOf(run.best_epoch)?.own ?? run.best_epoch);
  return { run, history: history.fitOf(run.best_epoch), best, fit: keptFit(run, history) };
}

export async function page({ given: [list], signal }) {
  const ids = [...new Set((list ?? "").split(",").filter(Boolean))].slice(0, MOST);
  const [runs, recent, compared] = await Promise.all([
    Promise.all(ids.map((id) => read(id, signal))),
    get("v1/runs?limit=100", signal),
    ids.length > 1 ? get(`v1/runs/compare?ids=${ids.map(encodeURIComponent).join(",")}`, signal) : null,
  ]);
  return h("section", {}, h("h1", { tabindex: "-1" }, t("compare.title")), picker(ids, recent.items),
    runs.length ? [warningsBox(compared?.warnings ?? []), overlay(runs), summary(runs), table(runs)] : h("div", { class: "empty" }, h("p", {}, t("compare.empty"))));
}

function picker(ids, recent) {
  const others = recent.filter((run) => !ids.includes(run.id));
  const id = newId("add");
  const list = select([["", t("compare.choose")], ...others.map((run) => [run.id, `${name(run)} · ${word("status", run.status)} · ${describe(run)}`])], "", { id });
  list.addEventListener("change", () => list.value && (location.hash = `#/compare/${[...ids, list.value].join(",")}`));
  return ids.length < MOST && others.length ? h("div", { class: "present" }, h("label", { for: id }, t("compare.add")), list) : null;
}

function name(run) {
  return `${run.model_name} ${run.id.slice(-6)}`;
}

/** The shape of a network in a few signs: `64-64-1, Dropout`. */
export function describe(run) {
  const layers = run.spec.model.layers;
  const kinds = [...new Set(layers.map((layer) => layer.type).filter((type) => type !== "Dense" && type !== "Activation"))];
  return [layers.filter((layer) => layer.type === "Dense").map((layer) => layer.units).join("-"), ...kinds].join(", ");
}

function overlay(runs) {
  const names = [...new Set(runs.flatMap(({ history }) => [...history.metrics.keys()]))];
  const first = names.includes("val_loss") ? "val_loss" : names[0];
  const chart = lineChart({ title: t("compare.curves"), xLabel: t("curves.epoch"), height: 340, isWhole: true, xText: integer });
  const log = h("input", { type: "checkbox", id: newId("log") });
  const metric = select(names, first, { id: newId("metric") });
  const draw = () => chart.update({
    series: runs.map(({ run, history }, i) => ({ name: name(run), colour: i, xs: history.epochs, ys: history.of(metric.value) })).filter((one) => one.ys.length),
    isLog: log.checked,
    label: runs.map(({ run, history }) => t("compare.spoken", { name: name(run), metric: metric.value, to: number(history.of(metric.value).at(-1)) })).join("; "),
  });
  metric.addEventListener("change", draw);
  log.addEventListener("change", draw);
  draw();
  const controls = h("span", { class: "check" }, h("label", { for: metric.id }, t("compare.metric")), metric, log, h("label", { for: log.id }, t("curves.log")));
  return h("section", { class: "card", "aria-labelledby": "overlay" }, h("div", { class: "head" }, h("h2", { id: "overlay" }, t("compare.curves")), controls), chart.element);
}

function summary(runs) {
  const rows = [
    [t("compare.network"), ({ run }) => describe(run)],
    [t("plan.params"), ({ run }) => integer(run.num_params)],
    [t("compare.best"), ({ run, history }) => number(run.metrics.val_loss ?? lowest(history.of("val_loss")))],
    [t("compare.train_loss"), ({ run }) => number(run.metrics.loss)],
    [t("compare.best_epoch"), bestEpoch],
    [t("run.took"), ({ run }) => (run.started_at ? duration(elapsed(run.started_at, run.ended_at)) : "–")],
  ];
  return comparison("summary", t("compare.summary"), runs, rows.map(([title, read]) => [title, runs.map(read)]));
}

/** Counted in the fit whose curve is drawn. */
function bestEpoch({ run, history, best, fit }) {
  const given = { epoch: integer(best), epochs: integer(history.epochs.length), fit: integer(fit), fits: integer(fitsOf(run)) };
  return t(fit && fitsOf(run) > 1 ? "compare.of_fit" : "runs.of", given);
}

function lowest(values) {
  const finite = values.filter(Number.isFinite);
  return finite.length ? finite.reduce((a, b) => Math.min(a, b)) : null;
}

function table(runs) {
  if (runs.length < 2) return null;
  const found = differences(runs.map(({ run }) => ({ ...run.spec, dataset: uploadOf(run) })));
  const rows = found.map(({ place, values }) => [h("code", {}, place), values]);
  return rows.length ? comparison("differences", t("compare.differences"), runs, rows)
    : h("section", { class: "card" }, h("h2", {}, t("compare.differences")), h("p", {}, t("compare.same")));
}

/** The upload that was read: another one may have the same name. */
function uploadOf({ dataset }) {
  return `${dataset.name} ${dataset.id.slice(-6)}`;
}

/** A row a question, a column a run. The roles stand there because a narrow screen has it as blocks. */
function comparison(id, title, runs, rows) {
  const heads = runs.map(({ run }, i) => h("th", { scope: "col", role: "columnheader" }, h("a", { class: `series-${i} swatch`, href: `#/runs/${run.id}` }, name(run))));
  return h("section", { class: "card", "aria-labelledby": id }, h("h2", { id }, title),
    h("div", { class: "scroll", role: "group", tabindex: "0", "aria-labelledby": id },
      h("table", { class: "comparison", role: "table" }, h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, h("td", { role: "cell" }), heads)),
        h("tbody", { role: "rowgroup" }, rows.map(([head, values]) => h("tr", { role: "row" }, h("th", { scope: "row", role: "rowheader" }, head), values.map((value, i) => h("td", { role: "cell", class: `figure series-${i}`, "data-run": name(runs[i].run) }, value))))))));
}
