// Whose key it is: its name and workspace in the header, and what it may not do.

import { ProblemError, get } from "./api.js";
import { h, put } from "./dom.js";
import { forgetKey, hasKey } from "./key.js";
import { warningsBox } from "./problems.js";
import { t } from "./text.js";

let told = null;

/** What the service says of the key that is in use; null where it says nothing. */
function current() {
  told ??= get("v1/keys/current").catch((error) => {
    told = null;
    if (error instanceof ProblemError) return null;
    throw error;
  });
  return told;
}

/** In the header: which key is in use, where it works, and how to be rid of it. */
export async function showSession() {
  const place = document.getElementById("session");
  told = null;
  const read = await current();
  const forget = () => {
    forgetKey();
    location.reload();
  };
  const name = read?.name ? t("key.of", { name: read.name, workspace: read.workspace }) : read?.workspace;
  put(place, hasKey() && [h("span", { class: "hint" }, name), h("button", { class: "quiet", on: { click: forget } }, t("key.forget"))]);
}

/** A notice of those scopes that the key lacks, of these; it fills itself, and is empty where none is lacking. */
export function lackingNotice(scopes) {
  const place = h("div", {});
  current().then((read) => {
    const lacking = read ? scopes.filter((scope) => !read.scopes.includes(scope)) : [];
    put(place, warningsBox(lacking.map((scope) => t("key.lacks", { what: t(`scope.${scope.replace(":", "_")}`), scope })), t("key.lacks_title")));
  });
  return place;
}
