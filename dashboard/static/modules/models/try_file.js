// Predicts the rows of a file, shows the first ones, and saves all as a CSV.

import { outcome, request } from "../api.js";
import { announce, h, prose, put } from "../dom.js";
import { integer, number, plural } from "../format.js";
import { field, table } from "../parts.js";
import { problemBox, warningsBox } from "../problems.js";
import { csvButton, predictionColumns } from "./predictions.js";

const ACCEPTED = ".csv,.tsv,.txt,.gz,.zst,.jsonl,.ndjson,.parquet,.arrow,.feather,.xlsx,.ods,text/csv";
const [MOST_ROWS, MOST_COLUMNS, MOST_WARNINGS] = [50, 20, 10];

/** Build the form. A chosen file is predicted at once, at `path`. `target` names the predictions. */
export function fileForm({ path, target }) {
  const answer = h("div");
  const predict = async () => {
    const [file] = input.files;
    if (!file) return;
    put(answer, h("p", { role: "status" }, `Predicting the rows of ${file.name} …`));
    const { value, problem } = await outcome(predicted(path, file));
    input.value = ""; // so that the same file can be chosen again
    put(answer, value ? shown(target, file, value) : problemBox(problem, { hasRows: true }));
    if (value) announce(`${plural(value.predictions.length, "row")} predicted.`);
    answer.scrollIntoView({ block: value ? "start" : "nearest" });
  };
  const input = h("input", { type: "file", accept: ACCEPTED, onchange: predict });
  const hint = "CSV, Parquet, Excel and others, with the columns of the training data. "
    + "For a very large file, use the command fitserve predict.";
  return h("div.of-file", h("h3", "Rows of a file"), field("File", input, { hint }), answer);
}

async function predicted(path, file) {
  const headers = { "Content-Type": "text/csv" }; // the service recognises the format
  return (await request(`${path}?rows=true`, { method: "POST", headers, body: file })).json();
}

function shown(target, file, answer) {
  const { predictions, warnings = [], model_version: version } = answer;
  const count = plural(predictions.length, "row");
  return [
    h("div.head", h("h3", `${count} of ${file.name} predicted by version ${version}`),
      h("div.actions", csvButton(answer, target, file.name))),
    warningsBox(warningLines(warnings), "Unlike the training data"),
    firstRows(answer, target),
    predictions.length > MOST_ROWS
      && h("p.hint", `The table shows the first ${MOST_ROWS} rows; the CSV has all.`),
  ];
}

function warningLines(warnings) {
  const line = ({ row, column, detail }) =>
    h("span", h("strong", row === null ? column : `Row ${integer(row + 1)}, ${column}`), ": ",
      prose(detail));
  const rest = warnings.length - MOST_WARNINGS;
  const more = rest > 0 && [`${rest} more of the first ${warnings.length} warnings`];
  return [...warnings.slice(0, MOST_WARNINGS).map(line), ...(more || [])];
}

/** Build the table: the predictions first, so that they are visible on a narrow screen. */
function firstRows(answer, target) {
  const { columns = [], data = [] } = answer.rows ?? {};
  const added = Object.entries(predictionColumns(answer, target, columns));
  const own = columns.slice(0, MOST_COLUMNS);
  const heads = [["Row", "figure"], ...[...added.map(([name]) => name), ...own].map((one) => [one])];
  const cell = (value) => h("td", { class: typeof value === "number" ? "figure" : "" }, text(value));
  const rows = answer.predictions.slice(0, MOST_ROWS).map((_, i) => h("tr",
    h("th.figure", { scope: "row" }, integer(i + 1)),
    added.map(([, values]) => cell(values[i])),
    own.map((_name, j) => cell(data[i][j]))));
  return table("Predicted rows", "list predicted", heads, rows);
}

function text(value) {
  if (value === null || value === undefined) return "–";
  return typeof value === "number" ? number(value) : String(value);
}
