// How a run stands: a chip, and sentences.

import { h } from "../dom.js";
import { duration, elapsed, integer } from "../format.js";
import { t, word } from "../text.js";

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
export function sentenceOf(run) {
  const given = { epoch: integer(run.progress.epoch), epochs: integer(run.progress.epochs), best: integer(run.best_epoch) };
  if (run.status === "queued") return t("run.queued");
  if (run.status === "running") {
    if (!run.progress.epoch) return t("run.preparing");
    return t(isPaceKnown(run) ? "run.running_eta" : "run.running", { ...given, eta: duration(run.progress.eta_seconds) });
  }
  const ended = t(`run.ended_${run.stop_reason ?? run.status}`, given);
  return run.best_epoch ? `${ended} ${t("run.kept", given)}` : ended;
}
