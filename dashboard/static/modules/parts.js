// Elements that several pages share.

import { h, newId } from "./dom.js";
import { bestBaseline, integer, mainFigure, word } from "./format.js";

/** The types of columns. */
export const TYPES = ["numeric", "boolean", "categorical", "text", "datetime"];

/** Build a page. Its title gets the focus when the page opens. */
export function pageOf(title, ...children) {
  return h("section", h("h1", { tabindex: "-1" }, title), children);
}

/** Build a section with a title. `controls` are next to the title. */
export function card(id, title, children, { className = "", controls = null } = {}) {
  const heading = h("h2", { id }, title);
  return h("section.card", { class: className, "aria-labelledby": id },
    controls ? h("div.head", heading, controls) : heading, children);
}

/** Build a table that scrolls horizontally. A head is a cell or `[text, class]`. */
export function table(label, className, heads, rows) {
  const head = ([text, name = ""]) => h("th", { scope: "col", class: name }, text);
  return h("div.scroll", { role: "group", tabindex: "0", "aria-label": label },
    h("table", { class: className },
      h("thead", h("tr", heads.map((one) => (Array.isArray(one) ? head(one) : one)))),
      h("tbody", rows)));
}

/** Build a list of `[name, value]` pairs. */
export function pairs(list) {
  return h("dl.pairs", list.map(([name, value]) => h("div", h("dt", name), h("dd", value))));
}

/** Return the number of rows in each part of the split, as pairs. */
export function rowCounts(numRows) {
  return Object.entries(numRows).filter(([, count]) => count > 0)
    .map(([part, count]) => [`Rows (${word(part)})`, integer(count)]);
}

/** Build a cell with a main figure, its interval and its best baseline. */
export function figureCell(figure) {
  const best = bestBaseline(figure);
  return h("td.verdict", figureSpans(figure), best && h("span.rival", best));
}

/** Build the texts of a main figure and of its interval; a line breaks only between them. */
export function figureSpans(figure) {
  const [value, range] = mainFigure(figure).split(/ (?=\()/);
  return [h("span.whole", value), range && [" ", h("span.whole", range)]];
}

/** Build the note that replaces an empty list. */
export function emptyNote(sentence, ...actions) {
  return h("div.empty", h("p", sentence), actions);
}

/** Build a link to the start page for a list without entries. */
export function firstRunLink() {
  return h("a.button.primary", { href: "#/" }, "Train a network");
}

/** Build a select. Each option is a string or `[value, text]`. */
export function select(options, value, props = {}) {
  const pair = (option) => (Array.isArray(option) ? option : [option, option]);
  const element = h("select", props,
    options.map(pair).map(([key, text]) => h("option", { value: key }, text)));
  element.value = value;
  return element;
}

/** Build a label and its control on one line. */
export function labelled(className, label, control) {
  control.id ||= newId("control");
  return h("span", { class: className }, h("label", { for: control.id }, label), control);
}

/** Build a label, its control and a hint, one below the other. */
export function field(label, control, { hint = null, className = "" } = {}) {
  control.id ||= newId("field");
  const note = hint && h("span.hint", { id: `${control.id}-hint` }, hint);
  if (note) control.setAttribute("aria-describedby", note.id);
  return h("div.field", { class: className },
    h("label", { for: control.id }, label), control, note);
}

/** Open a modal dialog with a title and a description. It closes when another page opens. */
export function openDialog(role, title, detail, ...children) {
  const dialog = openModal(role, title, detail, ...children);
  const closed = new AbortController();
  dialog.addEventListener("close", () => closed.abort());
  addEventListener("hashchange", () => dialog.close(), { signal: closed.signal });
  return dialog;
}

/** Open a modal dialog that also stays when another page opens. */
export function openModal(role, title, detail, ...children) {
  const id = newId("dialog");
  const named = { "aria-labelledby": `${id}-title`, "aria-describedby": `${id}-detail` };
  const dialog = h("dialog", { role, ...named, onclose: () => dialog.remove() },
    h("h2", { id: `${id}-title` }, title), h("p", { id: `${id}-detail` }, detail), children);
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
