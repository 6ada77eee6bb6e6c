// Compares two values of a metric.

import { shownAs } from "./format.js";

const LESS_IS_BETTER = new Set(["mae", "rmse", "median_absolute_error", "log_loss", "brier"]);

/** Return whether `a` is better than `b` by a metric of a report. */
export function isBetter(metric, a, b) {
  return LESS_IS_BETTER.has(metric) ? a < b : a > b;
}

/** Return how a main figure compares to a former one: the words, the former value, whether the
 *  figure is worse, and whether that is clear, as their intervals do not overlap. */
export function comparedFigure(figure, former) {
  const { metric, value } = figure;
  const [now, before] = [value, former.value].map(shownAs(figure));
  const isEqual = now === before;
  const isWorse = !isEqual && isBetter(metric, former.value, value);
  const words = isWorse ? "worse than" : "better than";
  return { before, isWorse, words: isEqual ? "as good as" : words, isClear: isEqual || !overlap(figure, former) };
}

/** Return whether the 95 % intervals of two figures overlap; false if one has none. */
function overlap(one, other) {
  if (one.low === null || other.low === null) return false;
  return one.low <= other.high && other.low <= one.high;
}

/** Return a difference with its sign, and its interval if known: `+0.02 (-0.01 to 0.05)`. */
export function difference({ metric, value, low, high }) {
  const shown = shownAs({ metric, low, high });
  const range = low === null ? "" : ` (${shown(low)} to ${shown(high)})`;
  return `${value > 0 ? "+" : ""}${shown(value)}${range}`;
}
