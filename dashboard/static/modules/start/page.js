// Start: a table, its columns, a network, Train.

import { get, v1 } from "../api.js";
import { h, put } from "../dom.js";
import { lackingNotice } from "../session.js";
import { t } from "../text.js";
import { columnsSection } from "./columns.js";
import { networkSection } from "./network.js";
import { planSection } from "./plan.js";
import { takeSpec } from "./handover.js";
import { tableSection } from "./table.js";
import { Draft } from "./draft.js";

/** `#/?dataset=…` takes a table that is there; a run hands its spec over by `handover.js`. */
export async function page({ query, signal }) {
  const given = takeSpec();
  const name = given?.dataset ?? query.get("dataset");
  const dataset = name ? await get(v1("datasets", name), signal) : null;
  const rest = h("div", { class: "design" });
  const take = (read) => put(rest, design(new Draft(read), signal));
  const view = h("section", {},
    h("h1", { tabindex: "-1" }, t("start.title")),
    h("p", { class: "lead" }, t("start.lead")),
    lackingNotice(["datasets:write", "runs:write"]),
    await tableSection({ dataset, take, signal }),
    rest);
  if (dataset?.status === "ready") put(rest, design(new Draft(dataset, given), signal));
  return view;
}

/** What follows once there is a table. */
function design(draft, signal) {
  const plan = planSection(draft, signal);
  return [
    h("div", { class: "steps" }, columnsSection(draft, signal), networkSection(draft, plan)),
    plan.element,
  ];
}
