// A button that copies a text.

import { announce, h, put } from "./dom.js";

/** Build a button that copies what `read()` returns, and shows the result. */
export function copyButton(read, className = "quiet") {
  const onclick = async () => {
    try {
      await navigator.clipboard.writeText(read());
      put(button, "Copied");
    } catch {
      put(button, "Copy failed. Select the text to copy it."); // no permission
    }
    announce(button.textContent);
    setTimeout(() => put(button, "Copy"), 2000);
  };
  const button = h("button", { type: "button", class: className, onclick }, "Copy");
  return button;
}
