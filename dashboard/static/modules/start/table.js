// Step 1: a CSV is dropped, chosen, or already there.

import { ProblemError, get, v1 } from "../api.js";
import { deleteButton } from "../deletion.js";
import { announce, h, newId, put, select } from "../dom.js";
import { bytes, integer } from "../format.js";
import { problemBox, warningsBox } from "../problems.js";
import { t } from "../text.js";
import { upload } from "./upload.js";

/** `take(dataset)` is called with each table that is ready. */
export async function tableSection({ dataset, take, signal }) {
  const said = h("div", { class: "said" });
  const present = h("div", {});
  const shown = async (read) => {
    section.classList.add("compact");
    put(said, facts(read));
    take(read);
  };
  const send = (file) => sent(file, said, shown, signal);
  get("v1/datasets?limit=100", signal).then(({ items }) => put(present, chooser(items, dataset, shown)), () => {});
  if (dataset) put(said, facts(dataset));
  const section = h("section", { class: `card ${dataset ? "compact" : ""}`, "aria-labelledby": "step-table" },
    h("h2", { id: "step-table" }, t("table.title")), dropZone(send), present, said);
  return section;
}

function dropZone(send) {
  const input = h("input", { type: "file", id: newId("file"), accept: ".csv,.tsv,.txt,.gz,text/csv", class: "hidden-visually" });
  input.addEventListener("change", () => input.files[0] && send(input.files[0]));
  const zone = h("label", { class: "drop", for: input.id }, h("strong", {}, t("table.drop")), h("span", {}, t("table.choose")));
  const over = (isOver) => (event) => {
    event.preventDefault();
    zone.classList.toggle("over", isOver);
  };
  for (const [type, isOver] of [["dragover", true], ["dragenter", true], ["dragleave", false], ["drop", false]]) {
    zone.addEventListener(type, over(isOver));
  }
  zone.addEventListener("drop", (event) => event.dataTransfer.files[0] && send(event.dataTransfer.files[0]));
  return [input, zone];
}

/** The newest upload of each name. */
function chooser(items, current, shown) {
  const newest = items.filter((one, i) => one.status === "ready" && items.findIndex((other) => other.name === one.name) === i);
  if (!newest.length) return null;
  const options = [["", t("table.none_chosen")], ...newest.map((one) => [one.name, `${one.name} (${t("table.rows", { n: one.num_rows, rows: integer(one.num_rows) })})`])];
  const list = select(options, current?.name ?? "", { id: newId("present") });
  list.addEventListener("change", () => list.value && shown(newest.find((one) => one.name === list.value)));
  return h("div", { class: "present" }, h("label", { for: list.id }, t("table.or_present")), list);
}

async function sent(file, said, shown, signal) {
  const bar = h("progress", { max: 1, value: 0, "aria-label": file.name });
  const what = h("span", {}, t("table.sending"));
  put(said, h("div", { class: "sending" }, h("span", {}, file.name), bar, what));
  const told = (share, text) => {
    bar.value = share;
    what.textContent = text;
  };
  try {
    await shown(await upload(file, told, signal));
    announce(t("table.ready", { name: file.name }));
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    put(said, problemBox(error.problem));
  }
}

function facts(dataset) {
  return [
    h("div", { class: "facts" },
      h("strong", {}, dataset.name),
      h("span", {}, t("table.rows", { n: dataset.num_rows, rows: integer(dataset.num_rows) })),
      h("span", {}, t("table.columns", { n: dataset.columns.length })),
      h("span", {}, bytes(dataset.num_bytes)),
      deleteButton(v1("datasets", dataset.id), "dataset", dataset.name, "#/")),
    warningsBox(dataset.warnings, t("table.warnings")),
  ];
}
