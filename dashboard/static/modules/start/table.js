// Step 1: upload a file, or select an existing dataset.

import { get, outcome } from "../api.js";
import { announce, h, newId, put } from "../dom.js";
import { bytes, integer, plural } from "../format.js";
import { card, labelled, select } from "../parts.js";
import { attempt, problemBox, remarkBoxes } from "../problems.js";
import { ACCEPTED, sendTable } from "../sending.js";
import { deleteVersionButton } from "../tables/deletion.js";
import { exampleTable } from "./example.js";
import { filePreview, typesQuery } from "./preview.js";

const FORMATS = "CSV, Excel (xlsx), OpenDocument (ods), Parquet, Arrow or JSON Lines, also packed "
  + "with gzip or zstd";

/** Build the section. It calls `take(dataset)` with each dataset that is ready. */
export function tableSection(dataset, take, signal) {
  const shown = h("div.said", dataset && facts(dataset));
  const present = h("div");
  const show = (read) => {
    section.classList.add("compact");
    put(shown, facts(read));
    take(read);
  };
  const upload = (file) => put(shown, filePreview(
    file, (types) => sent(file, types, shown, show, signal), signal,
  ));
  const example = exampleButton((file) => sent(file, {}, shown, show, signal), show, shown, signal);
  get("v1/datasets?limit=100", signal)
    .then(({ items }) => put(present, chooser(items, dataset, show)), () => put(present));
  const section = card("step-table", "Dataset", [
    dropZone(upload), h("div.others", present, example), shown],
    { className: dataset ? "compact" : "" });
  return section;
}

function dropZone(send) {
  const sendFirst = ([file]) => file && send(file);
  const input = h("input.hidden-visually", {
    type: "file", id: newId("file"), accept: ACCEPTED, onchange: () => sendFirst(input.files),
  });
  const over = (isOver) => (event) => {
    event.preventDefault();
    zone.classList.toggle("over", isOver);
  };
  const zone = h("label.drop", {
    for: input.id, ondragover: over(true), ondragenter: over(true), ondragleave: over(false),
    ondrop: (event) => {
      over(false)(event);
      sendFirst(event.dataTransfer.files);
    },
  }, h("strong", "Drop a table here, or select a file"), h("span", FORMATS));
  return [input, zone];
}

/** Build the button that uploads the example table, or shows it if it was uploaded before. */
function exampleButton(upload, show, failed, signal) {
  const onclick = () => attempt(button, failed, async () => {
    const { dataset, file } = await exampleTable(signal);
    return dataset ? show(dataset) : upload(file);
  });
  const button = h("button", { type: "button", onclick }, "Use the example table");
  const about = "442 patients: ten measurements, and how far their diabetes progressed in a year.";
  return h("div.example", button, h("span.hint", about));
}

/** Build a select with the newest upload of each name. */
function chooser(items, current, show) {
  const isNewest = ({ name }, i) => items.findIndex((other) => other.name === name) === i;
  const newest = items.filter((one, i) => one.status === "ready" && isNewest(one, i));
  if (!newest.length) return null;
  const options = newest.map((one) => [one.name, `${one.name} (${plural(one.num_rows, "row")})`]);
  const list = select([["", "Select a dataset"], ...options], current?.name ?? "", {
    onchange: () => list.value && show(newest.find((one) => one.name === list.value)),
  });
  return labelled("present", "Or use an uploaded dataset", list);
}

async function sent(file, types, place, show, signal) {
  const path = `v1/datasets?filename=${encodeURIComponent(file.name)}&${typesQuery(types)}`;
  const { value, problem } = await outcome(sendTable(path, file, place, signal));
  if (problem) return put(place, problemBox(problem));
  show(value);
  return announce(`${file.name} was uploaded.`);
}

function facts(dataset) {
  const { name, num_rows: rows, columns, warnings, warning_kinds: kinds } = dataset;
  const { version, num_bytes: size, num_added: added } = dataset;
  return [
    h("div.facts",
      h("strong", name), h("span", `version ${version}`),
      h("span", plural(rows, "row"), added !== null && `, ${integer(added)} of them appended`),
      h("span", plural(columns.length, "column")), h("span", `file of ${bytes(size)}`),
      deleteVersionButton(dataset, "#/")),
    remarkBoxes(warnings, kinds, "Warnings from reading the file"),
  ];
}
