// The field for the secret that signs the messages of a webhook.

import { copyButton } from "../copying.js";
import { h } from "../dom.js";
import { field } from "../parts.js";

const [PREFIX, NUM_BYTES] = ["whsec_", 32];
const HINT = "whsec_ and 24 to 64 bytes in base64. It is never shown again.";

/** Build the field. With `generates`, buttons make and copy a random secret. */
export function secretField({ generates = false, hint = HINT } = {}) {
  const input = h("input.mono", {
    type: "text", autocomplete: "off", spellcheck: "false", maxlength: 200,
    "data-pointer": "#/secret",
  });
  const onclick = () => { input.value = randomSecret(); };
  const element = field("Secret", input, { hint });
  if (generates) {
    element.append(h("div.actions",
      h("button.quiet", { type: "button", onclick }, "Generate a secret"),
      copyButton(() => input.value)));
  }
  return { element, input };
}

function randomSecret() {
  const bytes = crypto.getRandomValues(new Uint8Array(NUM_BYTES));
  return PREFIX + btoa(String.fromCharCode(...bytes));
}
