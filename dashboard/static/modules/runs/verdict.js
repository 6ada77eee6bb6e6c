// The sentence at the head of a run: how good the network is, or why nobody can say so.

import { figureSentence } from "../format.js";

/** Return the summary of the report, which the command line prints too. Without a report,
 *  return the main figure, or the state of the run. */
export function verdictOf(run, report = null) {
  if (report?.summary) return report.summary;
  if (run.main_figure) return figureSentence(run.main_figure);
  if (run.status === "queued") return "Not started: no worker has taken the run yet.";
  if (run.status === "running") return "Still training: the figures follow at the end.";
  if (!run.model_version) return `No network: the run ${run.status === "failed" ? "failed" : "was cancelled"}.`;
  return report ? `No figures: ${reasonOf(report)}.` : "The report is being read.";
}

function reasonOf({ missing }) {
  return missing.find(({ part }) => part === "metrics")?.reason ?? "nothing was measured";
}
