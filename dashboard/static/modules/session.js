// Shows the current key: its name, its workspace and the scopes that the key lacks.

import { get, outcome } from "./api.js";
import { h, put } from "./dom.js";
import { authorization, forgetKey } from "./key.js";
import { warningsBox } from "./problems.js";

const SCOPES = {
  "models:read": "list models or show their versions, columns and code",
  "datasets:write": "upload or delete datasets",
  "runs:write": "validate, start or cancel runs",
  "models:predict": "predict",
  "models:write": "move aliases or delete models",
};
let asked = null;

/** Return the current key from the service, or null. */
async function current() {
  asked ??= outcome(get("v1/keys/current"));
  const { value = null } = await asked;
  if (!value) asked = null;
  return value;
}

/** Show in the header the current key and a button that removes the key. */
export async function showSession() {
  asked = null;
  const key = await current();
  const onclick = () => {
    forgetKey();
    location.reload();
  };
  const name = key?.name ? `${key.name} in ${key.workspace}` : key?.workspace;
  const isKeyed = Boolean(authorization().Authorization);
  document.querySelector('nav a[href="#/keys"]').hidden = !key?.scopes.includes("admin");
  put(document.getElementById("session"),
    isKeyed && [h("span.hint", name), h("button.quiet", { onclick }, "Remove key")]);
}

/** Build a notice and fill it, after the key was read, with the scopes that the key lacks. */
export function lackingNotice(scopes) {
  const place = h("div");
  current().then((key) => {
    const lacking = key ? scopes.filter((scope) => !key.scopes.includes(scope)) : [];
    put(place, warningsBox(lacking.map((scope) =>
      `The key cannot ${SCOPES[scope]} without the scope \`${scope}\`. `
      + "Ask the operator for a key with this scope"), "The API key lacks scopes for this page"));
  });
  return place;
}
