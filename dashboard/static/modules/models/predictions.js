// Predictions of a file as columns, and as a CSV that the browser saves.

import { h } from "../dom.js";

const STARTS = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;
const NUMBER = /^[+-]?(?:[0-9][0-9.,' \u00a0\u202f]*|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?\s?%?$/;

/** Return the columns of an answer by names that the file does not have. */
export function predictionColumns({ predictions, probabilities }, target, own) {
  const taken = new Set(own);
  const columns = { [freeName(`predicted ${target}`, taken)]: predictions };
  for (const name of Object.keys(probabilities?.[0] ?? {})) {
    columns[freeName(`P(${name})`, taken)] = probabilities.map((row) => row[name]);
  }
  return columns;
}

function freeName(name, taken) {
  let free = name;
  for (let i = 2; taken.has(free); i += 1) free = `${name} ${i}`;
  taken.add(free);
  return free;
}

/** Build a button that saves all rows of a file with their predictions. */
export function csvButton(answer, target, filename) {
  const onclick = () => {
    const blob = new Blob([csvOf(answer, target)], { type: "text/csv" });
    const href = URL.createObjectURL(blob);
    const name = `${filename.replace(/\.[^.]*$/, "")}-predicted.csv`;
    h("a", { href, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
  };
  return h("button.primary", { type: "button", onclick }, "Download as CSV");
}

/** Return the rows with their predictions as the text of a CSV (RFC 4180). */
export function csvOf(answer, target) {
  const { columns = [], data = [] } = answer.rows ?? {};
  const added = predictionColumns(answer, target, columns);
  const values = Object.values(added);
  const lines = answer.predictions.map((_, i) =>
    [...(data[i] ?? []), ...values.map((column) => column[i])]);
  return [[...columns, ...Object.keys(added)], ...lines].map(csvLine).join("");
}

function csvLine(cells) {
  return `${cells.map(csvCell).join(",")}\n`;
}

function csvCell(cell) {
  if (cell === null || cell === undefined) return "";
  const text = String(harmless(cell));
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Add a quote to text that a spreadsheet would run as a formula; fitserve/spreadsheets.py
 *  has the same rule, and a test compares both. */
export function harmless(cell) {
  if (typeof cell !== "string" || !STARTS.test(cell)) return cell;
  return cell === "-" || cell === "--" || NUMBER.test(cell) ? cell : `'${cell}`;
}
