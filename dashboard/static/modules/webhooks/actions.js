// The buttons of a webhook: send the message again, delete the webhook.

import { outcome, send, v1 } from "../api.js";
import { deleteButton } from "../deletion.js";
import { goTo, h, put } from "../dom.js";
import { openDialog } from "../parts.js";
import { markFields, problemBox } from "../problems.js";
import { secretField } from "./secret.js";

const ENDED = ["succeeded", "failed", "cancelled"];

export function actions(hook) {
  const { run_id: id, run_status: run, model_name: name } = hook;
  const failed = h("div");
  const needsSecret = hook.status !== "waiting" && hook.signed !== false;
  const onclick = async () => {
    if (needsSecret) return askForSecret(hook);
    const problem = await sendAgain(id, {});
    return put(failed, problem && problemBox(problem));
  };
  const label = `Send the message of ${name} ${id.slice(-6)} again`;
  return [
    h("div.actions",
      ENDED.includes(run) && h("button", { onclick, "aria-label": label }, "Send again"),
      deleteButton(v1("runs", id, "webhook"), "The webhook", {
        label: "Delete",
        "aria-label": `Delete the webhook of ${name} ${id.slice(-6)}`,
        title: "Delete this webhook?",
        detail: `The run ${name} ${id.slice(-6)} will send no message to ${hook.url}.`,
        next: location.hash,
      })),
    failed,
  ];
}

/** Send the message again, and open the list again. Return the problem, if any. */
async function sendAgain(id, body) {
  const path = v1("runs", id, "webhook", "retry");
  const { problem } = await outcome(send("POST", path, body));
  if (problem) return problem;
  goTo(location.hash, "The message is sent again.");
  return null;
}

/** Ask for the secret, which the service deleted after the last attempt. */
function askForSecret({ run_id: id, signed }) {
  const failed = h("div");
  const { element, input } = secretField();
  const form = h("form", { novalidate: true }, element, failed, h("div.actions",
    h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"),
    h("button", { type: "button", onclick: () => act({ secret: null }) }, "Send without a signature"),
    h("button.primary", "Send again")));
  const act = async (body) => {
    put(failed);
    const problem = await sendAgain(id, body);
    if (!problem) return dialog.close();
    put(failed, problemBox(problem));
    return markFields(problem, form)?.focus();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    act({ secret: input.value.trim() });
  });
  const was = signed ? "The message was signed." : "The message may have been signed.";
  const dialog = openDialog("dialog", "Send the message again",
    `${was} Its secret was deleted after the last attempt; enter it again.`, form);
}
