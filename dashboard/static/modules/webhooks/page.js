// The webhooks of runs and their last deliveries.

import { get } from "../api.js";
import { h } from "../dom.js";
import { ago, moment } from "../format.js";
import { emptyNote, select, table } from "../parts.js";
import { lackingNotice } from "../session.js";
import { actions } from "./actions.js";
import { createCard } from "./create.js";

const STATUSES = ["waiting", "delivered", "failed"];
const CHIPS = { delivered: "succeeded", failed: "failed" };
const SIGNED = { true: "signed", false: "not signed" };
const HEADS = ["Run and URL", "Status", "Last delivery", "Next attempt"];
const LEAD = "A webhook is a message that a run sends to a URL when the run ends. Each row shows "
  + "the webhook of a run and its last delivery.";

export async function page({ query, signal }) {
  const status = query.get("status") ?? "";
  const [{ items, next_cursor: next }, { items: runs }] = await Promise.all([
    get(`v1/webhooks?${asQuery({ limit: 100, status, cursor: query.get("cursor") })}`, signal),
    get("v1/runs?view=summary&limit=100", signal),
  ]);
  const filter = select([["", "All statuses"], ...STATUSES], status, {
    "aria-label": "Filter webhooks by status",
    onchange: () => { location.hash = `#/webhooks?${asQuery({ status: filter.value })}`; },
  });
  return h("section",
    h("div.head", h("h1", { tabindex: "-1" }, "Webhooks"), h("div.actions", filter)),
    h("p.lead", LEAD), lackingNotice(["runs:write"]),
    items.length
      ? table("Webhooks", "list hooks", HEADS.map((head) => [head]), items.map(row))
      : emptyNote(status ? "No webhook has this status." : "No run has a webhook yet."),
    next && h("a.button", { href: `#/webhooks?${asQuery({ status, cursor: next })}` }, "More webhooks"),
    createCard(runs, query.get("run")));
}

function asQuery(given) {
  return new URLSearchParams(Object.entries(given).filter(([, value]) => value));
}

function row(hook) {
  const { run_id: id, run_status: run, model_name: name, status, signed, next_attempt_at: next } = hook;
  return h("tr",
    h("th.url", { scope: "row" },
      h("a", { href: `#/runs/${id}` }, name), h("span.id", id.slice(-6)),
      h("span.rival", [run, SIGNED[signed]].filter(Boolean).join(", ")), h("code", hook.url)),
    h("td", h("span.chip", { class: CHIPS[status] ?? "" }, status), actions(hook)),
    h("td", lastDelivery(hook)),
    h("td", { title: next ? moment(next) : null }, next ? ago(next) : "–"));
}

function lastDelivery({ attempts, attempted_at: at, last_status: status, last_error: error }) {
  if (!at) return "–";
  const result = error ?? `the receiver answered ${status}`;
  return [h("span", { title: moment(at) }, ago(at)),
    h("span.rival", `attempt ${attempts}: ${result}`)];
}
