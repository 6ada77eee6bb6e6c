// The dialog that gives a table another name.

import { send, v1 } from "../api.js";
import { goTo, h } from "../dom.js";
import { field, openDialog } from "../parts.js";
import { attempt } from "../problems.js";

const DETAIL = "All versions get the name. A table that runs have read keeps its name, because "
  + "their specs refer to it.";
const HINT = "Letters, digits, dot, dash and underscore.";

/** Open the dialog. After the change, open the page of the new name. */
export function openRename(name) {
  const input = h("input", {
    type: "text", value: name, maxlength: 100, autocomplete: "off", spellcheck: "false",
  });
  const failed = h("div");
  const onsubmit = async (event) => {
    event.preventDefault();
    const wanted = input.value.trim();
    const change = () => send("PATCH", v1("datasets", name), { name: wanted });
    if (!(await attempt(button, failed, change))) return;
    dialog.close();
    goTo(`#/tables/${encodeURIComponent(wanted)}`, `${name} is now named ${wanted}.`);
  };
  const button = h("button.primary", "Rename");
  const dialog = openDialog("dialog", `Rename ${name}`, DETAIL,
    h("form", { onsubmit, novalidate: true },
      field("New name", input, { hint: HINT }), failed,
      h("div.actions",
        h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), button)));
  input.select();
}
