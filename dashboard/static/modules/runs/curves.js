// Charts of the loss and of each metric by epoch, for training and validation rows.

import { lineChart } from "../charts/lines.js";
import { h } from "../dom.js";
import { integer, number, plural, word } from "../format.js";
import { card } from "../parts.js";
import { earlyStops, epochNamed, fitsOf, keptEpoch, placed } from "./status.js";

/** Build the charts of a history. `update(run)` redraws them with the current epochs. */
export function curves(history) {
  const charts = new Map();
  const [first, grid] = [h("div"), h("div.charts")];
  const log = h("input", { type: "checkbox", onchange: () => update(shownRun) });
  const note = h("p.hint");
  let shownRun = null;
  const addChart = (title, height) => {
    const heading = (epoch) => epochNamed(shownRun, history, epoch);
    const chart = lineChart({
      title: word(title), xLabel: "epoch", height, isWhole: true, xText: integer, heading,
    });
    charts.set(title, chart);
    return chart.element;
  };
  const update = (run) => {
    shownRun = run;
    const drawn = history.names.filter((name) => hasValues(history, name));
    note.textContent = drawn.length ? "" : reasonForNoCurve(run, history);
    note.hidden = drawn.length > 0;
    log.parentElement.hidden = !drawn.includes("loss");
    for (const name of drawn) {
      const isLoss = name === "loss";
      if (!charts.has(name)) (isLoss ? first : grid).append(addChart(name, isLoss ? 320 : 200));
      charts.get(name).update({
        series: seriesOf(history, name), marks: marksOf(run, history, isLoss),
        isLog: log.checked && isLoss, label: labelOf(history, name, run),
      });
    }
  };
  const element = card("curves", "Learning curves", [note, first, grid],
    { controls: h("label.check", log, "Logarithmic loss scale") });
  return { element, update };
}

function hasValues(history, name) {
  return seriesOf(history, name).some(({ ys }) => ys.some(Number.isFinite));
}

/** Return why there is nothing to draw, in a sentence. */
function reasonForNoCurve(run, { epochs }) {
  if (epochs.length) return "The loss was not a finite number in any epoch, so there is no curve.";
  if (!run.ended_at) return "No epoch yet: the curves begin when the first epoch is complete.";
  return `No curve: the run ${run.status === "failed" ? "failed" : "ended"} before the end of its `
    + "first epoch.";
}

function seriesOf({ metrics, epochs: xs, starts }, metric) {
  // the learning rate is not measured on rows
  const sides = metric === "learning_rate" ? [["learning rate", metric]]
    : [["training", metric], ["validation", `val_${metric}`]];
  return sides.map(([name, key], colour) => ({ name, colour, xs, ys: metrics.get(key), starts }))
    .filter(({ ys }) => ys);
}

/** Return the marks of a chart. Only the first chart has labels. */
function marksOf(run, history, isNamed) {
  const marks = [...(fitsOf(run) > 1 ? begins(history) : []), ...stops(run, history)];
  if (keptEpoch(run)) {
    marks.push({ x: run.best_epoch, text: bestNamed(run, history), kind: "best" });
  }
  return isNamed ? marks : marks.map((mark) => ({ ...mark, text: "" }));
}

function begins({ pieces }) {
  return pieces.map(({ fit, first, last }, i) => ({
    x: first, text: `fit ${integer(fit)}`, kind: "begin", row: "begin", isBefore: false,
    within: [first, i < pieces.length - 1 ? last + 1 : Infinity],
  }));
}

function stops(run, history) {
  const isOfSeveral = fitsOf(run) > 1;
  return earlyStops(run, history).map(({ first, last: x }) => isOfSeveral
    ? { x, text: "stopped", kind: "end", row: "end", isBefore: true, within: [first, x] }
    : { x, text: `stopped at epoch ${integer(x)}`, kind: "end" });
}

function bestNamed(run, history) {
  const { epoch, fit, isOfSeveral } = placed(run, history, run.best_epoch);
  return isOfSeveral ? `kept epoch ${epoch} (fit ${fit})` : `kept epoch ${epoch}`;
}

/** Return a description of the chart for screen readers. */
function labelOf(history, metric, run) {
  const ends = seriesOf(history, metric)
    .map(({ name, ys }) => `${name} from ${number(ys[0])} to ${number(ys.at(-1))}`);
  const fits = fitsOf(run) > 1
    && `in ${integer(history.pieces.length)} of ${integer(fitsOf(run))} fits`;
  const what = [word(metric), plural(history.epochs.length, "epoch"), fits].filter(Boolean).join(", ");
  return [what, ...ends, keptEpoch(run) && bestNamed(run, history)].filter(Boolean).join("; ");
}
