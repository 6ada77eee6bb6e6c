// Rows of a table, as the service read them.

import { get, outcome, v1 } from "./api.js";
import { h, put } from "./dom.js";
import { number } from "./format.js";
import { table } from "./parts.js";
import { problemBox } from "./problems.js";

const FIRST = 10;
const MOST_COLUMNS = 50;
const MOMENT = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{6}))?$/;

/** Return a cell as text; a missing cell is empty. */
export function cellText(cell) {
  if (cell === null || cell === undefined) return "";
  if (typeof cell === "number") return number(cell);
  const text = String(cell);
  const [, day, time, fraction] = MOMENT.exec(text) ?? [];
  if (!day) return text.slice(0, 60);
  if (Number(fraction ?? 0)) return `${day} ${time}.${fraction}`;
  return time === "00:00:00" ? day : `${day} ${time}`;
}

/** Build the table rows of `data`, with the cells at `places`. */
export function rowLines(data, places) {
  return data.map((row) => h("tr", places.map((place) => h("td", cellText(row[place])))));
}

/** Build the first rows of a dataset. The rows appear when the service has sent them. */
export function firstRows(id, signal) {
  const shown = h("div", { "aria-busy": "true" }, h("p.hint", "Reading the first rows…"));
  outcome(get(`${v1("datasets", id, "rows")}?limit=${FIRST}`, signal)).then((answer) => {
    put(shown, answer.problem ? problemBox(answer.problem) : contents(answer.value));
    shown.removeAttribute("aria-busy");
  });
  return shown;
}

function contents({ columns, data, total }) {
  const some = columns.slice(0, MOST_COLUMNS);
  const places = some.map((_, i) => i);
  const hidden = columns.length - some.length;
  return [
    table("First rows", "first-rows", some.map((name) => [name]), rowLines(data, places)),
    h("p.hint", `Rows 1 to ${data.length} of ${number(total)}`,
      hidden > 0 && `, without ${number(hidden)} more columns`, "."),
  ];
}

/** Build a fold that reads the first rows when the user opens it. */
export function foldedRows(id, signal) {
  const place = h("div");
  const ontoggle = () => {
    if (fold.open && !place.hasChildNodes()) put(place, firstRows(id, signal));
  };
  const fold = h("details", { ontoggle }, h("summary", "First ten rows"), place);
  return fold;
}
