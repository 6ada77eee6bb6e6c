// The form that gives a run a webhook.

import { outcome, send, v1 } from "../api.js";
import { goTo, h, put } from "../dom.js";
import { ago } from "../format.js";
import { card, field, select } from "../parts.js";
import { markFields, problemBox } from "../problems.js";
import { secretField } from "./secret.js";

const HINT = "Required. https, with a public address.";
const SECRET = "Optional. It signs the message, so that the receiver can check it. Store it at the "
  + "receiver: it is never shown again.";

/** Build the card. `chosen` is the id of the run that is selected first, if it is listed. */
export function createCard(runs, chosen) {
  if (!runs.length) return null;
  const options = runs.map(({ id, model_name: name, status, created_at: created }) =>
    [id, `${name} ${id.slice(-6)}, ${status}, ${ago(created)}`]);
  const run = select(options, runs.some(({ id }) => id === chosen) ? chosen : runs[0].id);
  const url = h("input", {
    type: "url", inputmode: "url", autocomplete: "off", required: true, maxlength: 2000,
    placeholder: "https://example.com/hook", "data-pointer": "#/url",
  });
  const { element: secret, input } = secretField({ generates: true, hint: SECRET });
  const failed = h("div");
  const form = h("form.stacked", { novalidate: true },
    h("div.fields.wide", field("Run", run), field("URL", url, { hint: HINT }), secret),
    failed, h("div.go", h("button.primary", "Create webhook")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    put(failed);
    const body = { url: url.value.trim(), secret: input.value.trim() || null };
    const { problem } = await outcome(send("PUT", v1("runs", run.value, "webhook"), body));
    if (problem) {
      put(failed, problemBox(problem));
      return markFields(problem, form)?.focus();
    }
    return goTo("#/webhooks", "The webhook was created.");
  });
  return card("create-webhook", "Give a run a webhook", [
    h("p.hint", "An ended run sends its message at once. A webhook that the run has is replaced. "
      + "To create a webhook together with a run, add webhook to the spec as JSON."),
    form,
  ]);
}
