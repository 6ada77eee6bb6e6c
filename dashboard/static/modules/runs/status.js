// How a run stands: a chip, and sentences.

import { h } from "../dom.js";
import { duration, integer } from "../format.js";
import { t, word } from "../text.js";

export function statusChip(status) {
  return h("span", { class: `chip ${status}` }, word("status", status));
}

/** What became of the run, in a sentence. */
export function sentenceOf(run) {
  const given = { epoch: integer(run.progress.epoch), epochs: integer(run.progress.epochs), best: integer(run.best_epoch) };
  if (run.status === "queued") return t("run.queued");
  if (run.status === "running") {
    if (!run.progress.epoch) return t("run.preparing");
    const eta = run.progress.eta_seconds;
    return t(eta === null ? "run.running" : "run.running_eta", { ...given, eta: duration(eta) });
  }
  const ended = t(`run.ended_${run.stop_reason ?? run.status}`, given);
  return run.best_epoch ? `${ended} ${t("run.kept", given)}` : ended;
}
