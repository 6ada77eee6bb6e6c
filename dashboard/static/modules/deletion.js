// A button that deletes a resource after a confirmation.

import { send } from "./api.js";
import { isConfirmed } from "./confirmation.js";
import { announce, goTo, h } from "./dom.js";
import { attempt } from "./problems.js";

/** Build the button. Show an error next to it, or open the page `next` after the deletion.
 *  `verb` and `done` are the words for another request of the method DELETE. */
export function deleteButton(path, name, {
  label, title, detail, next, verb = "Delete", done = "was deleted", ...props
}) {
  const failed = h("div");
  const onclick = async () => {
    if (!(await isConfirmed(title, detail, verb))) return;
    if (!(await attempt(button, failed, () => send("DELETE", path)))) return;
    goTo(next);
    announce(`${name} ${done}.`);
  };
  const button = h("button.quiet.bad", { onclick, ...props }, label);
  return h("div.delete", button, failed);
}
