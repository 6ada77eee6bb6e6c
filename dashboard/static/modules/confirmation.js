// A dialog that asks for confirmation.

import { h } from "./dom.js";
import { openDialog } from "./parts.js";

/** Ask for confirmation; resolve to whether the user pressed the button `verb`. Cancel has the
 *  initial focus, and Escape cancels. */
export function isConfirmed(title, detail, verb) {
  return new Promise((resolve) => {
    const answer = (value) => () => dialog.close(value);
    const no = h("button", { onclick: answer("no") }, "Cancel");
    const yes = h("button.danger", { onclick: answer("yes") }, verb);
    const dialog = openDialog("alertdialog", title, detail, h("div.actions", no, yes));
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"));
    no.focus();
  });
}
