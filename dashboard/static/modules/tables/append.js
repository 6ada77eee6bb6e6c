// The dialog that appends the rows of a file to a table, as its next version.

import { outcome, v1 } from "../api.js";
import { goTo, h, put } from "../dom.js";
import { plural } from "../format.js";
import { field, openDialog } from "../parts.js";
import { problemBox } from "../problems.js";
import { ACCEPTED, sendTable } from "../sending.js";

const HINT = "The columns keep their types. New or absent columns and new categories give warnings.";

/** Build the button for the newest version of a table, which must be ready. */
export function appendButton(newest, signal) {
  const isReady = newest.status === "ready";
  return isReady && h("button", { type: "button", onclick: () => open(newest, signal) }, "Append rows");
}

/** Open the dialog. After the append, open the page of the new version with its warnings. */
function open({ name, version, num_rows: rows }, signal) {
  const input = h("input", { type: "file", accept: ACCEPTED, required: true });
  const place = h("div");
  const leaving = new AbortController(); // closing the dialog ends the upload
  const onsubmit = async (event) => {
    event.preventDefault();
    const [file] = input.files;
    if (!file) return input.focus();
    button.disabled = true;
    const path = `${v1("datasets", name, "rows")}?filename=${encodeURIComponent(file.name)}`;
    const { value, problem } = await outcome(sendTable(path, file, place, ended));
    button.disabled = false;
    if (problem) return put(place, problemBox(problem, { hasRows: true }));
    dialog.close();
    return goTo(`#/tables/${encodeURIComponent(name)}?version=${value.version}`,
      `${plural(value.num_added, "row")} appended: version ${value.version} has `
      + `${plural(value.num_rows, "row")}.`);
  };
  const button = h("button.primary", "Append");
  const ended = AbortSignal.any([signal, leaving.signal]);
  const dialog = openDialog("dialog", `Append rows to ${name}`,
    `The new version has the ${plural(rows, "row")} of version ${version}, then those of the file.`,
    h("form", { onsubmit, novalidate: true }, field("File", input, { hint: HINT }), place,
      h("div.actions",
        h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), button)));
  dialog.addEventListener("close", () => leaving.abort(new DOMException("closed", "AbortError")));
}
