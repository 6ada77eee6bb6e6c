// The state of a run: which fit an epoch belongs to, a chip, and sentences. A run of one fit
// says nothing about fits.

import { h } from "../dom.js";
import { duration, elapsed, integer } from "../format.js";

/** Return how many fits the spec asks for; runs of earlier releases do not say. */
export function fitsOf(run) {
  return run.spec.fit.num_seeds ?? 1;
}

/** Return the epoch whose weights were kept, or null: a run that failed has kept none. */
export function keptEpoch(run) {
  return run.model_version ? run.best_epoch : null;
}

/** Return the fit whose weights were kept, from 1, or null. */
export function keptFit(run, history) {
  return keptEpoch(run) && (run.kept_fit ?? history.placeOf(run.best_epoch)?.fit ?? null);
}

/** Return the parts of sentences on an epoch: of several fits also which one, and its epoch. */
export function placed(run, history, epoch) {
  const place = fitsOf(run) > 1 ? history.placeOf(epoch) : null;
  return {
    epoch: integer(epoch), fit: integer(place?.fit), own: integer(place?.own),
    fits: integer(fitsOf(run)), isOfSeveral: place !== null,
  };
}

/** Return `epoch 23 (fit 2, its epoch 7)`. */
export function epochNamed(run, history, number) {
  const { epoch, fit, own, isOfSeveral } = placed(run, history, number);
  return isOfSeveral ? `epoch ${epoch} (fit ${fit}, its epoch ${own})` : `epoch ${epoch}`;
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

/** Return whether the last fit ended by itself. Of a run cut short only its epochs can show it. */
function isLastWhole(run, { last }, { patience, restore_best_weights: isBestKept }) {
  if (["completed", "early_stopping"].includes(run.stop_reason)) return true;
  return Boolean(isBestKept && keptEpoch(run) && last - run.best_epoch >= patience);
}

export function statusChip(status) {
  return h("span.chip", { class: status }, status);
}

const SOON = { epochs: 5, seconds: 5 };

/** Return whether the pace is known: the first epoch also builds and compiles. */
function isPaceKnown(run) {
  const { epoch, eta_seconds: eta } = run.progress;
  const isLong = epoch > 1 && elapsed(run.started_at) >= SOON.seconds;
  return eta !== null && (epoch >= SOON.epochs || isLong);
}

/** Return the state of the run in a sentence or two. */
export function sentenceOf(run, history) {
  if (run.status === "queued") return "Waiting for a worker.";
  if (run.status === "running") return runningSentence(run, history);
  const ended = endSentence(run, history);
  return keptEpoch(run) ? `${ended} ${keptSentence(run, history)}` : ended;
}

/** Of several fits this counts the epochs of one. */
function runningSentence(run, history) {
  const { epoch, epochs: all, eta_seconds: eta } = run.progress;
  if (!epoch) return "Reading the table and building the network.";
  const { isOfSeveral, fit, fits, own } = placed(run, history, epoch);
  const toGo = isPaceKnown(run) ? `${isOfSeveral ? ";" : ","} ${duration(eta)} to go at most` : "";
  return isOfSeveral
    ? `Fit ${fit} of ${fits}, epoch ${own} of ${integer(run.spec.fit.epochs)}${toGo}.`
    : `Epoch ${integer(epoch)} of ${integer(all)}${toGo}.`;
}

function endSentence(run, history) {
  const { isOfSeveral, epoch, fit, fits } = placed(run, history, run.progress.epoch);
  const epochs = integer(run.progress.epochs);
  const after = isOfSeveral ? `after ${epoch} epochs in ${fit} of ${fits} fits`
    : `after epoch ${epoch} of ${epochs}`;
  const all = `${fits} fits, ${epoch} epochs in all`;
  return {
    completed: isOfSeveral ? `${all}.` : `All ${epochs} epochs were run.`,
    early_stopping: isOfSeveral
      ? `${all}; the fit that was kept stopped early, because it no longer improved.`
      : `Stopped early, ${after}: it no longer improved.`,
    time_limit: `Stopped at its time limit, ${after}.`,
    cancelled: `Cancelled ${after}.`,
    nan_loss: `Stopped ${after}: the loss became NaN. A lower learning rate usually helps.`,
    failed: `Failed ${after}.`,
  }[run.stop_reason ?? run.status] ?? `Ended ${after}.`;
}

function keptSentence(run, history) {
  const { epoch, own, fits, isOfSeveral } = placed(run, history, run.best_epoch);
  if (fitsOf(run) === 1) return `The weights of epoch ${epoch} were kept.`;
  const fit = `Fit ${integer(keptFit(run, history))} of ${fits} was kept`;
  return isOfSeveral ? `${fit}, with the weights of epoch ${epoch} (its epoch ${own}).` : `${fit}.`;
}
