// The keys of all workspaces, for operators.

import { get } from "../api.js";
import { deleteButton } from "../deletion.js";
import { h } from "../dom.js";
import { ago, moment } from "../format.js";
import { authorization } from "../key.js";
import { emptyNote, pageOf, table } from "../parts.js";
import { warningsBox } from "../problems.js";
import { createCard } from "./create.js";

const HEADS = ["Key", "State", "Workspace", "Last used", "Expires", "Created", "Scopes"];
const FIRST = "The service has no key yet, so it answers only to programs on this machine. When "
  + "the first key exists, every request needs a key, also those of this page; the page offers to "
  + "use the new key. Give the first key the scope `admin`, or you can create further keys only with "
  + "the command `fitserve keys`";

export async function page({ query, signal }) {
  const chosen = ["cursor", "workspace"].filter((name) => query.get(name))
    .map((name) => `${name}=${encodeURIComponent(query.get(name))}`);
  const path = ["v1/keys?limit=100", ...chosen].join("&");
  const { items, next_cursor: next } = await get(path, signal);
  const isFirst = !items.length && !chosen.length && !authorization().Authorization;
  return pageOf("Keys",
    h("p.lead", "A key lets a program, or a person with this page, use one workspace."),
    isFirst && warningsBox([FIRST], "The first key"),
    items.length ? table("Keys", "list keys", HEADS.map((head) => [head]), items.map(row))
      : emptyNote("No keys."),
    next && h("a.button", { href: nextPage(next, query) }, "More keys"),
    createCard(isFirst));
}

function nextPage(cursor, query) {
  const workspace = query.get("workspace");
  return `#/keys?${new URLSearchParams({ cursor, ...(workspace && { workspace }) })}`;
}

function row(key) {
  const { id, name, workspace, scopes, last_four: end, created_at: created } = key;
  const state = stateOf(key);
  return h("tr",
    h("th", { scope: "row" }, name, h("span.id", `${id} …${end}`)),
    h("td", h("span.chip", { class: state === "valid" ? "succeeded" : "failed" }, state),
      state !== "revoked" && revokeButton(key)),
    h("td", h("a", { href: `#/keys?workspace=${encodeURIComponent(workspace)}` }, workspace)),
    time(key.last_used_at, "never", ago), time(key.expires_at, "never", moment),
    time(created, "", ago),
    h("td.scope-list", scopes.map((scope) => h("span.alias", scope))));
}

function time(value, otherwise, format) {
  return h("td", { title: value ? moment(value) : null }, value ? format(value) : otherwise);
}

/** Return the state as the service decides it; its clock may differ from this one's. */
function stateOf({ revoked_at: revoked, expires_at: expires }) {
  if (revoked) return "revoked";
  return expires && new Date(expires) <= new Date() ? "expired" : "valid";
}

function revokeButton({ id, name }) {
  return deleteButton(`v1/keys/${encodeURIComponent(id)}`, `The key ${name}`, {
    label: "Revoke", verb: "Revoke", done: "was revoked",
    "aria-label": `Revoke ${name} (${id})`,
    title: `Revoke the key ${name}?`,
    detail: "Requests with this key are refused within a second. This cannot be undone.",
    next: location.hash,
  });
}
