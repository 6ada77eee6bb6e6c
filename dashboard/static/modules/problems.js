// Failures as sentences.

import { outcome } from "./api.js";
import { h, prose, put } from "./dom.js";

/** Build a box with a problem's title, and its sentence or the fields that it names. */
export function problemBox({ title, detail, errors = [], request_id: id }) {
  const fieldError = (error) =>
    h("li", error.pointer && h("code", error.pointer), " ", prose(sentenceOf(error)));
  return h("div.notice.bad", { role: "alert" }, h("strong", title),
    errors.length ? h("ul", errors.map(fieldError)) : h("p", prose(sentence(detail))),
    id && h("p.hint", `Request ${id}`));
}

/** Return what is wrong with a field, and how to mend it. */
export function sentenceOf({ detail, hint }) {
  return [detail, hint].filter(Boolean).map(sentence).join(" ");
}

/** Begin with a capital, unless the first word is a name such as roc_auc, and end with a stop. */
function sentence(text) {
  const trimmed = text.trim();
  const isWord = /^[a-z]+(?=[\s,:;.]|$)/.test(trimmed);
  const first = isWord ? trimmed.charAt(0).toUpperCase() : trimmed.charAt(0);
  return first + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? "" : ".");
}

/** Build a box of warnings, which are sentences or elements; null without any. */
export function warningsBox(warnings, title = "Warnings") {
  if (!warnings.length) return null;
  const shown = (one) => (typeof one === "string" ? prose(sentence(one)) : one);
  return h("div.notice.warn",
    h("strong", title), h("ul", warnings.map((one) => h("li", shown(one)))));
}

/** Do what a button is for, once at a time. Show a refusal in `place`. Return whether it worked. */
export async function attempt(button, place, action) {
  button.disabled = true;
  put(place);
  const { problem } = await outcome(action()).finally(() => (button.disabled = false));
  if (problem) put(place, problemBox(problem));
  return !problem;
}
