// The form that creates a key, and the dialog that shows its secret once.

import { outcome, send } from "../api.js";
import { copyButton } from "../copying.js";
import { goTo, h, newId, put } from "../dom.js";
import { useKey } from "../key.js";
import { card, field, openDialog } from "../parts.js";
import { markFields, problemBox } from "../problems.js";

const SCOPES = {
  "datasets:read": "read datasets",
  "datasets:write": "upload and delete datasets",
  "runs:read": "follow runs",
  "runs:write": "start and cancel runs",
  "models:read": "read models",
  "models:predict": "predict",
  "models:write": "promote and delete models",
  "metrics:read": "read the metrics of the whole service",
  admin: "manage keys of every workspace",
};
const NOW_NEEDED = " From now on, every request needs a key, also those of this page. “Use it on this "
  + "page” stores the key in this browser tab until you close the tab; otherwise the page asks for a key.";
const OPERATORS = ["metrics:read", "admin"];
const LIMITS = [
  ["requests_per_second", "Requests per second"],
  ["queued_runs", "Queued runs in the workspace"],
  ["stored_bytes", "Stored bytes in the workspace"],
];

/** Build the card. The first key of a service has the scope `admin` unless it is removed. */
export function createCard(isFirst) {
  const scopes = Object.keys(SCOPES).map((scope) =>
    scopeBox(scope, !OPERATORS.includes(scope) || (isFirst && scope === "admin")));
  const name = text("name", { required: true });
  const workspace = text("workspace", { value: "default" });
  const days = text("expires_in_days", { inputmode: "decimal" });
  const limits = LIMITS.map(([key, label]) =>
    [key, label, text(`limits/${key}`, { inputmode: "decimal" })]);
  const failed = h("div");
  const read = () => ({
    name: name.value.trim(),
    workspace: workspace.value.trim() || undefined, // the service has a default
    scopes: scopes.filter(({ box }) => box.checked).map(({ box }) => box.value),
    expires_in_days: numberIn(days),
    limits: Object.fromEntries(limits.map(([key, , input]) => [key, numberIn(input)])),
  });
  const form = h("form.stacked", { novalidate: true },
    h("div.fields", field("Name", name, { hint: "Required. Letters, digits, dot, dash, underscore." }),
      field("Workspace", workspace, { hint: "Empty: default." }),
      field("Days until it expires", days, { hint: "Empty: never." })),
    scopeSet(scopes),
    h("details", h("summary", "Limits"), h("div.fields", limits.map(([, label, input]) =>
      field(label, input, { hint: "Empty: as the settings of the service. 0: no limit." })))),
    failed, h("div.go", h("button.primary", "Create key")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    put(failed);
    const { value, problem } = await outcome(send("POST", "v1/keys", read()));
    if (value) return showSecret(value, isFirst);
    put(failed, problemBox(problem));
    return markFields(problem, form)?.focus();
  });
  return card("create-key", "Create a key", form);
}

function text(place, props) {
  return h("input", {
    type: "text", autocomplete: "off", spellcheck: "false", "data-pointer": `#/${place}`, ...props,
  });
}

function scopeBox(scope, checked) {
  const box = h("input", { type: "checkbox", value: scope, checked });
  const id = newId("scope");
  return { box, element: h("label", { for: (box.id = id) }, box, h("code", scope), SCOPES[scope]) };
}

function scopeSet(scopes) {
  return h("fieldset.field", { "data-pointer": "#/scopes" }, h("legend", "Scopes"),
    h("div.scopes", scopes.map(({ element }) => element)));
}

/** Return the number in a field, null if it is empty, or the text for the service to refuse. */
function numberIn({ value }) {
  const given = value.trim();
  if (given === "") return null;
  return Number.isNaN(Number(given)) ? given : Number(given);
}

/** Show the secret, which the service never returns again. Then list the keys. After the first
 *  key, every request needs one, so the page offers to use it. */
function showSecret({ name, workspace, key }, isFirst) {
  const secret = h("textarea.mono", { rows: 3, readonly: true, onfocus: () => secret.select() });
  secret.value = key;
  const close = h("button", { class: isFirst ? "" : "primary", onclick: () => dialog.close() },
    isFirst ? "Close without using it" : "Done");
  const use = isFirst && h("button.primary", {
    onclick: () => {
      useKey(key);
      dialog.close();
    },
  }, "Use it on this page");
  const dialog = openDialog("dialog", `The key ${name} in ${workspace}`,
    `Copy the key and store it. It cannot be shown again.${isFirst ? NOW_NEEDED : ""}`,
    field("Key", secret), h("div.actions", copyButton(() => key, ""), close, use));
  const here = location.hash;
  dialog.addEventListener("close", () => {
    secret.value = "";
    if (location.hash === here) goTo(here);
  });
}
