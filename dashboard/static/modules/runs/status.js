// How a run stands: a chip, and sentences.

import { h } from "../dom.js";
import { duration, elapsed, integer } from "../format.js";
import { t, word } from "../text.js";
import { fitsOf, keptEpoch, keptFit, placed } from "./fits.js";

export function statusChip(status) {
  return h("span", { class: `chip ${status}` }, word("status", status));
}

const SOON = { epochs: 5, seconds: 5 };

/** The first epoch builds and compiles: a pace that is known from it alone would frighten. */
function isPaceKnown(run) {
  const { epoch, eta_seconds: eta } = run.progress;
  return eta !== null && (epoch >= SOON.epochs || (epoch > 1 && elapsed(run.started_at) >= SOON.seconds));
}

/** What became of the run, in a sentence. */
export function sentenceOf(run, history) {
  if (run.status === "queued") return t("run.queued");
  if (run.status === "running") return runningSentence(run, history);
  const { isOfSeveral, ...place } = placed(run, history, run.progress.epoch);
  const given = { ...place, epochs: integer(run.progress.epochs) };
  const how = run.stop_reason ?? run.status;
  const ended = isOfSeveral ? t(`run.fits_ended_${how}`, given) : t(`run.ended_${how}`, given);
  return keptEpoch(run) ? `${ended} ${keptSentence(run, history)}` : ended;
}

/** Of several fits it counts as each of them does: to the epochs of one. */
function runningSentence(run, history) {
  const { epoch, epochs, eta_seconds: eta } = run.progress;
  if (!epoch) return t("run.preparing");
  const { isOfSeveral, ...place } = placed(run, history, epoch);
  const given = { ...place, epochs: integer(isOfSeveral ? run.spec.fit.epochs : epochs), eta: duration(eta) };
  if (isOfSeveral) return t(isPaceKnown(run) ? "run.fits_running_eta" : "run.fits_running", given);
  return t(isPaceKnown(run) ? "run.running_eta" : "run.running", given);
}

function keptSentence(run, history) {
  const given = placed(run, history, run.best_epoch);
  if (fitsOf(run) === 1) return t("run.kept", given);
  return t(given.isOfSeveral ? "run.kept_fit_epoch" : "run.kept_fit", { ...given, fit: integer(keptFit(run, history)) });
}
