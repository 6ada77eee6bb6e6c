// Stores the API key in the session storage of this browser tab.

import { h, prose } from "./dom.js";
import { field, openDialog } from "./parts.js";
import { inWords } from "./words.js";

const PLACE = "fitserve-key";
let asking = null;

export function authorization() {
  const key = sessionStorage.getItem(PLACE);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** Use a key for all requests of this tab. */
export function useKey(key) {
  sessionStorage.setItem(PLACE, key);
  dispatchEvent(new Event("fitserve-key"));
}

export function forgetKey() {
  sessionStorage.removeItem(PLACE);
}

/** Ask for a key after one was rejected. All rejected requests share one dialog. */
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
      dialog.close();
      useKey(input.value.trim());
      resolve();
    };
    const hint = "The key is stored in this browser tab until you close the tab.";
    const dialog = openDialog("dialog", "API key required", prose(inWords(detail)),
      h("form", { onsubmit }, field("API key", input, { hint }),
        h("button.primary", "Use this key")));
    dialog.addEventListener("cancel", (event) => event.preventDefault());
  });
}
