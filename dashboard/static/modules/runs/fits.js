// Which of a run's fits an epoch is of, and what is said of it. A run of one fit says nothing of fits.

import { integer } from "../format.js";
import { t } from "../text.js";

/** How many fits the spec wants; runs of an earlier release name none. */
export function fitsOf(run) {
  return run.spec.fit.num_seeds ?? 1;
}

/** The epoch whose weights there are, or null: a run that failed has kept none. */
export function keptEpoch(run) {
  return run.model_version ? run.best_epoch : null;
}

/** The fit whose weights there are, from 1, or null. */
export function keptFit(run, history) {
  return keptEpoch(run) && (run.kept_fit ?? history.placeOf(run.best_epoch)?.fit ?? null);
}

/** What sentences on an epoch are filled with: of several fits which it is of, and its number there. */
export function placed(run, history, epoch) {
  const place = fitsOf(run) > 1 ? history.placeOf(epoch) : null;
  return { epoch: integer(epoch), fit: integer(place?.fit), own: integer(place?.own), fits: integer(fitsOf(run)), isOfSeveral: place !== null };
}

/** `epoch 23 (fit 2, its epoch 7)`. */
export function epochNamed(run, history, epoch) {
  const given = placed(run, history, epoch);
  return t(given.isOfSeveral ? "fits.epoch" : "fits.only_epoch", given);
}

/** The fits that early stopping ended. */
export function earlyStops(run, { pieces }) {
  const { early_stopping: stopping, epochs } = run.spec.fit;
  if (!stopping) return [];
  return pieces.filter((piece, i) => piece.length < epochs && piece.isFinite && (i < pieces.length - 1 || isWhole(run, piece, stopping)));
}

/** Whether the last fit came to its end. A run that was cut short tells it only by the epochs behind the kept one. */
function isWhole(run, { last }, { patience, restore_best_weights: isBestKept }) {
  if (["completed", "early_stopping"].includes(run.stop_reason)) return true;
  return Boolean(isBestKept && keptEpoch(run) && last - run.best_epoch >= patience);
}
