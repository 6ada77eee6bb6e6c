// Rows of a table, as the service read them.

import { get, outcome, v1 } from "./api.js";
import { h, put } from "./dom.js";
import { aligned, number } from "./format.js";
import { table } from "./parts.js";
import { problemBox } from "./problems.js";

const FIRST = 10;
const MOST_COLUMNS = 50;
const MOMENT = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{6}))?$/;

/** Return the word that the file has for a boolean, such as `yes` for true. */
export function booleanText({ format }, isTrue) {
  return format.labels?.[isTrue ? 1 : 0] ?? String(isTrue);
}

/** Return a cell of a column as text; a missing cell is empty. */
export function cellText(cell, column = null) {
  if (cell === null || cell === undefined) return "";
  if (typeof cell === "boolean" && column) return booleanText(column, cell);
  if (typeof cell === "number") return number(cell);
  const text = String(cell);
  const [, day, time, fraction] = MOMENT.exec(text) ?? [];
  if (!day) return text.slice(0, 60);
  if (Number(fraction ?? 0)) return `${day} ${time}.${fraction}`;
  return time === "00:00:00" ? day : `${day} ${time}`;
}

/** Build the table rows of `data`, with the cells of `columns` at `places`. */
export function rowLines(data, places, columns) {
  const cells = places.map((place, i) => columnCells(data.map((row) => row[place]), columns[i]));
  return data.map((_, i) => h("tr", cells.map((column) => column[i])));
}

/** Build the cells of a column. Numbers have the same decimals. */
function columnCells(values, column) {
  const texts = isNumeric(column) ? aligned(values, Infinity) : [];
  return values.map((value, i) => (typeof value === "number" && isNumeric(column)
    ? h("td.figure", texts[i]) : h("td", cellText(value, column))));
}

/** Return whether the cells of a column are numbers, which are at the right. */
export function isNumeric({ type }) {
  return type === "numeric";
}

/** Build the first rows of a dataset. The rows appear when the service has sent them. */
export function firstRows({ id, columns }, signal) {
  const shown = h("div", { "aria-busy": "true" }, h("p.hint", "Reading the first rows…"));
  outcome(get(`${v1("datasets", id, "rows")}?limit=${FIRST}`, signal)).then((answer) => {
    put(shown, answer.problem ? problemBox(answer.problem) : contents(answer.value, columns));
    shown.removeAttribute("aria-busy");
  });
  return shown;
}

function contents({ columns: names, data, total }, columns) {
  const some = names.slice(0, MOST_COLUMNS);
  const places = some.map((_, i) => i);
  const hidden = names.length - some.length;
  const head = (name, i) => [name, isNumeric(columns[i]) ? "figure" : ""];
  return [
    table("First rows", "first-rows", some.map(head), rowLines(data, places, columns)),
    h("p.hint", `Rows 1 to ${data.length} of ${number(total)}`,
      hidden > 0 && `, without ${number(hidden)} more columns`, "."),
  ];
}

/** Build a fold that reads the first rows when the user opens it. */
export function foldedRows(dataset, signal) {
  const place = h("div");
  const ontoggle = () => {
    if (fold.open && !place.hasChildNodes()) put(place, firstRows(dataset, signal));
  };
  const fold = h("details", { ontoggle }, h("summary", "First ten rows"), place);
  return fold;
}
