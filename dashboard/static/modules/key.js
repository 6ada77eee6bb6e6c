// Stores the API key in the session storage of this browser tab, and offers it to other tabs of
// the page that ask for a key. No other storage has the key.

import { h, prose, put } from "./dom.js";
import { field, openModal } from "./parts.js";
import { inWords } from "./words.js";

const PLACE = "fitserve-key";
const tabs = new BroadcastChannel(PLACE);
const [ASK, OFFER, USE] = ["ask", "offer", "use"];
let asking = null;

tabs.addEventListener("message", ({ data: { what } }) => {
  if (what === ASK && stored()) tell({ what: OFFER, key: stored() });
});

function tell(message) {
  tabs.postMessage(message); // oxlint-disable-line require-post-message-target-origin -- no window
}

function stored() {
  return sessionStorage.getItem(PLACE);
}

export function authorization() {
  return stored() ? { Authorization: `Bearer ${stored()}` } : {};
}

/** Use a key for all requests of this tab, and of other tabs that wait for a key. */
export function useKey(key) {
  keep(key);
  tell({ what: USE, key });
}

function keep(key) {
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

/** Show the dialog until the user enters a key, here or in another tab. */
function prompted(detail) {
  const { promise, resolve } = Promise.withResolvers();
  const refused = stored();
  const answered = new AbortController();
  const take = (act) => (key) => {
    answered.abort();
    dialog.close();
    act(key);
    resolve();
  };
  const [enter, adopt] = [take(useKey), take(keep)];
  const input = h("input", { type: "password", autocomplete: "off", required: true });
  const onsubmit = (event) => {
    event.preventDefault();
    enter(input.value.trim());
  };
  const hint = "The key is stored in this browser tab until you close the tab.";
  const offer = h("div");
  const dialog = openModal("dialog", "API key required", prose(inWords(detail)), offer,
    h("form", { onsubmit }, field("API key", input, { hint }),
      h("button.primary", "Use this key")));
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  tabs.addEventListener("message", ({ data: { what, key } }) => {
    if (what === USE) adopt(key);
    if (what === OFFER && key !== refused) put(offer, offered(() => adopt(key)));
  }, { signal: answered.signal });
  tell({ what: ASK });
  return promise;
}

/** Build the button that uses the key of another tab. */
function offered(onclick) {
  return [h("p.hint", "This page has a key in another tab of this browser."),
    h("button", { type: "button", onclick }, "Use the key of the other tab")];
}
