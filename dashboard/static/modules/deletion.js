// A button that deletes a resource after a confirmation.

import { outcome, send } from "./api.js";
import { isConfirmed } from "./confirmation.js";
import { goTo, h, put } from "./dom.js";
import { attempt, problemBox } from "./problems.js";

/** Build the button. Show an error next to it, or open the page `next` after the deletion.
 *  `detail` is the text of the confirmation, or a function that reads it from the service.
 *  `verb` and `done` are the words for another request of the method DELETE. */
export function deleteButton(path, name, {
  label, title, detail, next, verb = "Delete", done = "was deleted", ...props
}) {
  const failed = h("div");
  const onclick = async () => {
    const { value: text, problem } = await outcome(textOf(detail));
    if (problem) return put(failed, problemBox(problem));
    if (!(await isConfirmed(title, text, verb))) return;
    if (!(await attempt(button, failed, () => send("DELETE", path)))) return;
    goTo(next, `${name} ${done}.`);
  };
  const button = h("button.quiet.bad", { onclick, ...props }, label);
  return h("div.delete", button, failed);
}

async function textOf(detail) {
  return typeof detail === "function" ? detail() : detail;
}
