// Failures as sentences.

import { h } from "./dom.js";
import { t } from "./text.js";

/** A problem: its title, its sentence, and each field that it names. */
export function problemBox(problem) {
  const errors = problem.errors ?? [];
  return h("div", { class: "notice bad", role: "alert" },
    h("strong", {}, problem.title),
    errors.length ? h("ul", {}, errors.map(fieldError)) : h("p", {}, sentence(problem.detail)),
    problem.request_id && h("p", { class: "hint" }, t("problem.request", { id: problem.request_id })));
}

function fieldError(error) {
  const said = [error.detail, error.hint].filter(Boolean).map(sentence).join(" ");
  return h("li", {}, error.pointer && h("code", {}, error.pointer), " ", said);
}

function sentence(text) {
  const trimmed = text.trim();
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? "" : ".");
}

/** Things worth knowing that stopped nothing: sentences, or elements. */
export function warningsBox(warnings, title = t("problem.warnings")) {
  if (!warnings.length) return null;
  return h("div", { class: "notice warn" }, h("strong", {}, title), h("ul", {}, warnings.map((one) => h("li", {}, typeof one === "string" ? sentence(one) : one))));
}
