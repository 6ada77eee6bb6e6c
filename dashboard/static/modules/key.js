// The service's key, kept for this tab alone.

import { h, newId, prose, put } from "./dom.js";
import { t } from "./text.js";

const PLACE = "fitserve-key";
let asking = null;

export function authorization() {
  const key = sessionStorage.getItem(PLACE);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** Ask once, however many requests were refused; done when a new key is there. */
export function askForKey(refused, detail) {
  if (authorization().Authorization !== refused.Authorization) return Promise.resolve();
  asking ??= prompted(detail).finally(() => (asking = null));
  return asking;
}

function prompted(detail) {
  const id = newId("key");
  const input = h("input", { id, type: "password", autocomplete: "off", required: true, "aria-describedby": `${id}-said` });
  const dialog = h("dialog", { class: "key", "aria-labelledby": `${id}-title` });
  return new Promise((resolve) => {
    const keep = (event) => {
      event.preventDefault();
      sessionStorage.setItem(PLACE, input.value.trim());
      dialog.close();
      dialog.remove();
      dispatchEvent(new Event("fitserve-key"));
      resolve();
    };
    put(
      dialog,
      h("form", { on: { submit: keep } },
        h("h2", { id: `${id}-title` }, t("key.title")),
        h("p", { id: `${id}-said` }, prose(detail)),
        h("label", { for: id }, t("key.label")),
        input,
        h("p", { class: "hint" }, t("key.kept")),
        h("button", { class: "primary" }, t("key.use"))),
    );
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    document.body.append(dialog);
    dialog.showModal();
  });
}

export function hasKey() {
  return sessionStorage.getItem(PLACE) !== null;
}

export function forgetKey() {
  sessionStorage.removeItem(PLACE);
}
