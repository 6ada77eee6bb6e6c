// Histograms of datasets that earlier releases stored: they are counted in a thousand rows.

import { get, v1 } from "../api.js";
import { plural } from "../format.js";

const SAMPLE = { parts: 5, rows: 200 };
const BINS = 16;

/** Return the counts of each column of numbers by name, and a sentence about the rows. */
export async function sampledHistograms(dataset, signal) {
  const rows = await sample(dataset, signal);
  const isNumeric = ({ type }) => type === "numeric";
  const counts = dataset.columns.map((one, i) =>
    [one.name, isNumeric(one) ? countsOf(rows.map((row) => row[i])) : null]);
  const sentence = rows.length < dataset.num_rows
    ? `An earlier release stored this dataset. Its histograms show ${plural(rows.length, "row")} `
      + `from ${SAMPLE.parts} places; all other numbers count every row.`
    : "";
  return { counts: new Map(counts), sentence };
}

function countsOf(values) {
  const numbers = values.filter(Number.isFinite);
  if (!numbers.length) return null;
  const low = numbers.reduce((a, b) => Math.min(a, b));
  const high = numbers.reduce((a, b) => Math.max(a, b));
  const counts = new Array(low === high ? 1 : BINS).fill(0);
  for (const value of numbers) {
    const bin = Math.floor(((value - low) / (high - low || 1)) * counts.length);
    counts[Math.min(counts.length - 1, bin)] += 1;
  }
  return counts;
}

/** Return at most a thousand rows, from evenly spaced places in the dataset. */
async function sample({ id, num_rows: total }, signal) {
  const { parts, rows } = SAMPLE;
  const isSmall = total <= parts * rows;
  const limit = isSmall ? parts * rows : rows;
  const read = await Promise.all(Array.from({ length: isSmall ? 1 : parts }, (_, i) => {
    const offset = Math.max(0, Math.floor((i * (total - rows)) / (parts - 1)));
    return get(`${v1("datasets", id, "rows")}?offset=${offset}&limit=${limit}`, signal);
  }));
  return read.flatMap((one) => one.data);
}
