// The key in use: its name and workspace in the header, and the scopes that it lacks.

import { get, outcome } from "./api.js";
import { h, put } from "./dom.js";
import { authorization, forgetKey } from "./key.js";
import { warningsBox } from "./problems.js";

const SCOPES = {
  "datasets:write": "upload or delete tables",
  "runs:write": "check, start or cancel runs",
  "models:predict": "predict",
  "models:write": "move aliases or delete models",
};
let asked = null;

/** Return what the service knows of the key in use, or null. */
async function current() {
  asked ??= outcome(get("v1/keys/current"));
  const { value = null } = await asked;
  if (!value) asked = null;
  return value;
}

/** Show in the header which key is in use, and a button that forgets it. */
export async function showSession() {
  asked = null;
  const key = await current();
  const onclick = () => {
    forgetKey();
    location.reload();
  };
  const name = key?.name ? `${key.name} in ${key.workspace}` : key?.workspace;
  const isKeyed = Boolean(authorization().Authorization);
  put(document.getElementById("session"),
    isKeyed && [h("span.hint", name), h("button.quiet", { onclick }, "Forget the key")]);
}

/** Build a notice that names, once it is known, which of these scopes the key lacks. */
export function lackingNotice(scopes) {
  const place = h("div");
  current().then((key) => {
    const lacking = key ? scopes.filter((scope) => !key.scopes.includes(scope)) : [];
    put(place, warningsBox(lacking.map((scope) =>
      `It may not ${SCOPES[scope]}: the scope \`${scope}\` is missing. `
      + "The operator can make a key that has it"), "This key may not do everything here"));
  });
  return place;
}
