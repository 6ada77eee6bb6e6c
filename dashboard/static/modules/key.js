// The API key, kept for this tab alone.

import { h, prose } from "./dom.js";
import { field, openDialog } from "./parts.js";

const PLACE = "fitserve-key";
let asking = null;

export function authorization() {
  const key = sessionStorage.getItem(PLACE);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

export function forgetKey() {
  sessionStorage.removeItem(PLACE);
}

/** Ask for another key than the refused one; all refused requests share one question. */
export function askForKey(refused, detail) {
  if (authorization().Authorization !== refused.Authorization) return Promise.resolve();
  asking ??= prompted(detail).finally(() => (asking = null));
  return asking;
}

function prompted(detail) {
  return new Promise((resolve) => {
    const input = h("input", { type: "password", autocomplete: "off", required: true });
    const onsubmit = (event) => {
      event.preventDefault();
      sessionStorage.setItem(PLACE, input.value.trim());
      dialog.close();
      dispatchEvent(new Event("fitserve-key"));
      resolve();
    };
    const hint = "It is kept for this tab alone, until the tab is closed.";
    const dialog = openDialog("dialog", "This service requires an API key", prose(detail),
      h("form", { onsubmit }, field("API key", input, { hint }),
        h("button.primary", "Use this key")));
    dialog.addEventListener("cancel", (event) => event.preventDefault());
  });
}
