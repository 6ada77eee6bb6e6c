// Texts about the state of a run: the status, its sentence, and the fit of an epoch. The
// texts name the fit only if the run has several fits.

import { h } from "../dom.js";
import { duration, elapsed, integer } from "../format.js";

/** Return the number of fits in the spec. Runs of earlier releases lack `num_seeds`. */
export function fitsOf(run) {
  return run.spec.fit.num_seeds ?? 1;
}

/** Return the epoch whose weights were kept, or null. A failed run keeps no weights. */
export function keptEpoch(run) {
  return run.model_version ? run.best_epoch : null;
}

/** Return the fit whose weights were kept, counted from 1, or null. */
export function keptFit(run, history) {
  return keptEpoch(run) && (run.kept_fit ?? history.placeOf(run.best_epoch)?.fit ?? null);
}

/** Return an epoch as text. With several fits, also return its fit and its number there. */
export function placed(run, history, epoch) {
  const place = fitsOf(run) > 1 ? history.placeOf(epoch) : null;
  return {
    epoch: integer(epoch), fit: integer(place?.fit), own: integer(place?.own),
    fits: integer(fitsOf(run)), isOfSeveral: place !== null,
  };
}

/** Return `epoch 23 (epoch 7 of fit 2)`. */
export function epochNamed(run, history, number) {
  const { epoch, fit, own, isOfSeveral } = placed(run, history, number);
  return isOfSeveral ? `epoch ${epoch} (epoch ${own} of fit ${fit})` : `epoch ${epoch}`;
}

/** Return `23 of 100`. */
export function epochsText(epoch, epochs) {
  return `${integer(epoch)} of ${integer(epochs)}`;
}

/** Return the fits that early stopping ended. */
export function earlyStops(run, { pieces }) {
  const { early_stopping: stopping, epochs } = run.spec.fit;
  if (!stopping) return [];
  const isWhole = (piece, i) => i < pieces.length - 1 || isLastWhole(run, piece, stopping);
  return pieces.filter((piece, i) =>
    piece.length < epochs && piece.isFinite && isWhole(piece, i));
}

/** Return whether the last fit ended by itself. An interrupted run shows it in its epochs. */
function isLastWhole(run, { last }, { patience, restore_best_weights: isBestKept }) {
  if (["completed", "early_stopping"].includes(run.stop_reason)) return true;
  return Boolean(isBestKept && keptEpoch(run) && last - run.best_epoch >= patience);
}

export function statusChip(status) {
  return h("span.chip", { class: status }, status);
}

const SOON = { epochs: 5, seconds: 5 };

/** Return whether the speed is known. The first epoch is slower: it compiles the network. */
function isPaceKnown(run) {
  const { epoch, eta_seconds: eta } = run.progress;
  const isLong = epoch > 1 && elapsed(run.started_at) >= SOON.seconds;
  return eta !== null && (epoch >= SOON.epochs || isLong);
}

/** Return one or two sentences about the state of the run. */
export function sentenceOf(run, history) {
  if (run.status === "queued") return "Waiting for a worker.";
  if (run.status === "running") return runningSentence(run, history);
  const ended = endSentence(run, history);
  return keptEpoch(run) ? `${ended} ${keptSentence(run, history)}` : ended;
}

/** Return the progress. With several fits, count the epochs of the current fit. */
function runningSentence(run, history) {
  const { epoch, epochs: all, eta_seconds: eta } = run.progress;
  if (!epoch) return "Reading the dataset and building the network.";
  const { isOfSeveral, fit, fits, own } = placed(run, history, epoch);
  const toGo = isPaceKnown(run) ? `, at most ${duration(eta)} remaining` : "";
  return isOfSeveral
    ? `Fit ${fit} of ${fits}, epoch ${own} of ${integer(run.spec.fit.epochs)}${toGo}.`
    : `Epoch ${integer(epoch)} of ${integer(all)}${toGo}.`;
}

function endSentence(run, history) {
  const { isOfSeveral, epoch, fit, fits } = placed(run, history, run.progress.epoch);
  const epochs = integer(run.progress.epochs);
  const after = isOfSeveral ? `after ${epoch} epochs in ${fit} of ${fits} fits`
    : `after epoch ${epoch} of ${epochs}`;
  const all = `${fits} fits with ${epoch} epochs in total`;
  return {
    completed: isOfSeveral ? `${all}.` : allText(run.progress.epochs),
    early_stopping: isOfSeveral
      ? `${all}. The kept fit stopped early because it no longer improved.`
      : `Stopped early ${after}: the network no longer improved.`,
    time_limit: `Stopped at the time limit ${after}.`,
    cancelled: `Cancelled ${after}.`,
    nan_loss: `Stopped ${after}: the loss became NaN. A lower learning rate usually helps.`,
    failed: `Failed ${after}.`,
  }[run.stop_reason ?? run.status] ?? `Ended ${after}.`;
}

function allText(epochs) {
  return epochs === 1 ? "The only epoch is complete." : `All ${integer(epochs)} epochs are complete.`;
}

function keptSentence(run, history) {
  const named = epochNamed(run, history, run.best_epoch);
  if (fitsOf(run) === 1) return `The weights of ${named} were kept.`;
  const fit = `Fit ${integer(keptFit(run, history))} of ${integer(fitsOf(run))} was kept`;
  return history.placeOf(run.best_epoch) ? `${fit} with the weights of ${named}.` : `${fit}.`;
}
