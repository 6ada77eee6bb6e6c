// The start page: dataset, columns, network and the Train button.

import { get, outcome, v1 } from "../api.js";
import { h, put } from "../dom.js";
import { pageOf } from "../parts.js";
import { problemBox } from "../problems.js";
import { lackingNotice } from "../session.js";
import { columnsSection } from "./columns.js";
import { Draft, takeSpec } from "./draft.js";
import { networkSection } from "./network.js";
import { planSection } from "./plan.js";
import { recentSection } from "./recent.js";
import { vocabulary } from "./schema.js";
import { tableSection } from "./table.js";

const RUNS = 20; // shown are the last ones; all of them tell how long a run takes

/** Build the page for the dataset in `#/?dataset=…` or for a spec from another page. */
export async function page({ query, signal }) {
  const asked = outcome(vocabulary()); // only the form waits for the vocabulary
  const recent = outcome(get(`v1/runs?view=summary&limit=${RUNS}`, signal));
  const given = takeSpec();
  const name = given?.dataset ?? query.get("dataset");
  const dataset = name ? await get(v1("datasets", name), signal) : null;
  const rest = h("div");
  const show = async (draft) => {
    const { value: words, problem } = await asked;
    put(rest, words ? design(draft, recent, words, signal)
      : h("div.design", problemBox(problem)));
  };
  put(rest, recentSection(recent));
  if (dataset?.status === "ready") await show(new Draft(dataset, given, name));
  return pageOf("Train a network",
    h("p.lead", "Train a neural network on a table and call it over HTTP."),
    lackingNotice(["datasets:write", "runs:write"]),
    tableSection(dataset, (read) => show(new Draft(read)), signal), rest);
}

function design(draft, recent, words, signal) {
  const plan = planSection(draft, signal);
  return h("div.design",
    h("div", columnsSection(draft, signal), networkSection(draft, plan, recent, words)),
    plan.element);
}
