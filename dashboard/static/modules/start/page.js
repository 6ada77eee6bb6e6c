// Start: a table, its columns, a network, Train.

import { ProblemError, get, v1 } from "../api.js";
import { h, put } from "../dom.js";
import { problemBox } from "../problems.js";
import { lackingNotice } from "../session.js";
import { t } from "../text.js";
import { columnsSection } from "./columns.js";
import { networkSection } from "./network.js";
import { planSection } from "./plan.js";
import { takeSpec } from "./handover.js";
import { vocabulary } from "./schema.js";
import { tableSection } from "./table.js";
import { Draft } from "./draft.js";

/** `#/?dataset=…` takes a table that is there; a run hands its spec over by `handover.js`. */
export async function page({ query, signal }) {
  const words = vocabulary(); // while the rest is asked for: only the form waits for it
  const given = takeSpec();
  const name = given?.dataset ?? query.get("dataset");
  const dataset = name ? await get(v1("datasets", name), signal) : null;
  const rest = h("div", { class: "design" });
  const show = async (draft) => put(rest, await designed(draft, words, signal));
  const view = h("section", {},
    h("h1", { tabindex: "-1" }, t("start.title")),
    h("p", { class: "lead" }, t("start.lead")),
    lackingNotice(["datasets:write", "runs:write"]),
    await tableSection({ dataset, take: (read) => show(new Draft(read)), signal }),
    rest);
  if (dataset?.status === "ready") await show(new Draft(dataset, given));
  return view;
}

async function designed(draft, words, signal) {
  try {
    return design(draft, await words, signal);
  } catch (error) {
    if (error instanceof ProblemError) return problemBox(error.problem);
    throw error;
  }
}

/** What follows once there is a table. */
function design(draft, words, signal) {
  const plan = planSection(draft, signal);
  return [
    h("div", { class: "steps" }, columnsSection(draft, signal), networkSection(draft, plan, words)),
    plan.element,
  ];
}
