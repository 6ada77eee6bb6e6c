// Shows problems, errors of fields and warnings, in the words of a page.

import { outcome } from "./api.js";
import { h, newId, prose, put } from "./dom.js";
import { inWords, titleInWords, wordsOf } from "./words.js";

/** Build a box with a problem's title, and its field errors or else its detail. With
 *  `hasRows`, the errors of a file name their rows. */
export function problemBox({ title, detail, errors = [], request_id: id }, { hasRows } = {}) {
  const fieldError = (error) => {
    const place = placeOf(error, hasRows);
    return h("li", place && h("strong", `${place}: `), prose(sentenceOf(error)));
  };
  return h("div.notice.bad", { role: "alert" }, h("strong", titleInWords(title)),
    errors.length ? h("ul", errors.map(fieldError)) : h("p", prose(sentence(inWords(detail)))),
    id && h("p.hint", `Request ID: ${id}`));
}

/** Return the place of an error for a reader: a row and a column, or the label of a field. */
function placeOf({ pointer = "", row, column }, hasRows) {
  if (column === null || column === undefined) return labelAt(pointer);
  return hasRows && Number.isInteger(row) ? `Row ${row + 1}, ${column}` : column;
}

/** Return the label of the control for a place of the spec, or the place in words. */
function labelAt(pointer) {
  const control = document.querySelector(`[data-pointer="${CSS.escape(pointer)}"]`);
  const label = control?.closest(".layers") ? null : control?.labels?.[0]?.textContent;
  return label ?? wordsOf(pointer);
}

/** Return the error of a field and the hint that corrects it. */
export function sentenceOf({ detail, hint }) {
  return [detail, hint].filter(Boolean).map(inWords).map(sentence).join(" ");
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
  const shown = (one) => (typeof one === "string" ? prose(sentence(inWords(one))) : one);
  return h("div.notice.warn",
    h("strong", title), h("ul", warnings.map((one) => h("li", shown(one)))));
}

/** Build a box with a sentence of advice, or null without one. */
export function adviceBox(text) {
  return text ? h("div.notice", h("p", prose(sentence(inWords(text))))) : null;
}

/** Kinds of warnings that are for information (`WarningKind.is_note`). */
const NOTES = new Set(["appended", "left_out", "spellings"]);

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

/** Mark the controls below `root` whose `data-pointer` or `data-column` the problem names.
 *  Without a problem, remove all marks. Return the first control that is marked. */
export function markFields(problem, root = document) {
  const controls = [...root.querySelectorAll("[data-pointer], [data-column]")];
  const errors = problem?.errors ?? [];
  controls.forEach((control) => markField(control, errors.filter((one) => isAt(control, one))));
  return controls.find((control) => control.getAttribute("aria-invalid") === "true");
}

function isAt({ dataset }, { pointer, column }) {
  return pointer === dataset.pointer
    || (dataset.column !== undefined && dataset.column === column);
}

/** Mark a control with the sentences of its errors; without errors, remove its mark. */
export function markField(control, errors) {
  unmark(control);
  if (errors.length) addNote(control, errors.map(sentenceOf).join(" "));
}

function addNote(control, text) {
  const note = h("span.wrong", { id: newId("wrong") }, prose(text));
  control.setAttribute("aria-invalid", "true");
  control.closest("details")?.setAttribute("open", "");
  describe(control, [...described(control), note.id]);
  control.closest("li, .field, th").append(note);
}

function unmark(control) {
  control.removeAttribute("aria-invalid");
  const isNote = (id) => id.startsWith("wrong-");
  for (const id of described(control).filter(isNote)) document.getElementById(id)?.remove();
  describe(control, described(control).filter((id) => !isNote(id)));
}

function described(control) {
  return (control.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean);
}

function describe(control, ids) {
  if (ids.length) control.setAttribute("aria-describedby", ids.join(" "));
  else control.removeAttribute("aria-describedby");
}
