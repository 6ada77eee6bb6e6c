// Failures as sentences.

import { ProblemError } from "./api.js";
import { h, prose, put } from "./dom.js";
import { t } from "./text.js";

/** A problem: its title, its sentence, and each field that it names. */
export function problemBox(problem) {
  const errors = problem.errors ?? [];
  return h("div", { class: "notice bad", role: "alert" },
    h("strong", {}, problem.title),
    errors.length ? h("ul", {}, errors.map(fieldError)) : h("p", {}, prose(sentence(problem.detail))),
    problem.request_id && h("p", { class: "hint" }, t("problem.request", { id: problem.request_id })));
}

function fieldError(error) {
  return h("li", {}, error.pointer && h("code", {}, error.pointer), " ", prose(saidOf(error)));
}

/** What is wrong with a field, and how to mend it. */
export function saidOf({ detail, hint }) {
  return [detail, hint].filter(Boolean).map(sentence).join(" ");
}

/** With a capital, unless it begins with a name of a figure or the like: roc_auc. */
function sentence(text) {
  const trimmed = text.trim();
  const begun = /^[a-z]+(?=[\s,:;.]|$)/.test(trimmed) ? trimmed.charAt(0).toUpperCase() + trimmed.slice(1) : trimmed;
  return begun + (/[.!?]$/.test(trimmed) ? "" : ".");
}

/** Things worth knowing that stopped nothing: sentences, or elements. */
export function warningsBox(warnings, title = t("problem.warnings")) {
  if (!warnings.length) return null;
  return h("div", { class: "notice warn" }, h("strong", {}, title), h("ul", {}, warnings.map((one) => h("li", {}, typeof one === "string" ? prose(sentence(one)) : one))));
}

/** Do what a button is for: not twice at once, and a refusal is told in `place`. True if it went well. */
export async function attempt(button, place, action) {
  button.disabled = true;
  put(place);
  try {
    await action();
    return true;
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    put(place, problemBox(error.problem));
    return false;
  } finally {
    button.disabled = false;
  }
}
