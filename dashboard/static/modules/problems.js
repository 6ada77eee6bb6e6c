// Shows problems, errors of fields and warnings.

import { outcome } from "./api.js";
import { h, prose, put } from "./dom.js";

/** Build a box with a problem's title, and its field errors or else its detail. */
export function problemBox({ title, detail, errors = [], request_id: id }) {
  const fieldError = (error) =>
    h("li", error.pointer && h("code", error.pointer), " ", prose(sentenceOf(error)));
  return h("div.notice.bad", { role: "alert" }, h("strong", title),
    errors.length ? h("ul", errors.map(fieldError)) : h("p", prose(sentence(detail))),
    id && h("p.hint", `Request ID: ${id}`));
}

/** Return the error of a field and the hint that corrects it. */
export function sentenceOf({ detail, hint }) {
  return [detail, hint].filter(Boolean).map(sentence).join(" ");
}

/** Add a capital letter and a full stop. Leave a first word such as roc_auc unchanged. */
function sentence(text) {
  const trimmed = text.trim();
  const isWord = /^[a-z]+(?=[\s,:;.]|$)/.test(trimmed);
  const first = isWord ? trimmed.charAt(0).toUpperCase() : trimmed.charAt(0);
  return first + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? "" : ".");
}

/** Build a box of warnings (sentences or elements), or null if there are no warnings. */
export function warningsBox(warnings, title = "Warnings") {
  if (!warnings.length) return null;
  const shown = (one) => (typeof one === "string" ? prose(sentence(one)) : one);
  return h("div.notice.warn",
    h("strong", title), h("ul", warnings.map((one) => h("li", shown(one)))));
}

/** Kinds of warnings that are for information (`WarningKind.is_note`). */
const NOTES = new Set(["appended", "left_out"]);

/** Build a box of the warnings and a box of the notes among `texts`, which have `kinds`. Datasets
 *  of earlier releases have no kinds. */
export function remarkBoxes(texts, kinds, title) {
  const isNote = texts.map((_, i) => NOTES.has(kinds[i]));
  const notes = texts.filter((_, i) => isNote[i]);
  return [warningsBox(texts.filter((_, i) => !isNote[i]), title),
    notes.length > 0 && h("div.notice", h("strong", "Notes"),
      h("ul", notes.map((one) => h("li", prose(sentence(one))))))];
}

/** Run a button's action. Show a problem in `place`. Return whether the action succeeded. */
export async function attempt(button, place, action) {
  button.disabled = true;
  put(place);
  const { problem } = await outcome(action()).finally(() => (button.disabled = false));
  if (problem) put(place, problemBox(problem));
  return !problem;
}
