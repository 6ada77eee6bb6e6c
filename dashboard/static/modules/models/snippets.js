// Code that predicts with this version, as the service writes it.

import { announce, h, put } from "../dom.js";
import { t } from "../text.js";

const NAMES = { curl: "curl", python: "Python", "python-fitserve": "Python, fitserve", typescript: "TypeScript" };

export function snippets(code) {
  const languages = Object.keys(code);
  const text = h("pre", { id: "snippet", tabindex: "0", role: "tabpanel" });
  const tabs = languages.map((language) => h("button", { type: "button", role: "tab", "aria-controls": "snippet" }, NAMES[language] ?? language));
  let shown = 0;
  const show = (i, isFocused) => {
    shown = i;
    tabs.forEach((tab, j) => {
      tab.setAttribute("aria-selected", String(i === j));
      tab.tabIndex = i === j ? 0 : -1;
    });
    text.textContent = code[languages[i]];
    text.setAttribute("aria-label", NAMES[languages[i]] ?? languages[i]);
    if (isFocused) tabs[i].focus();
  };
  tabs.forEach((tab, i) => {
    tab.addEventListener("click", () => show(i));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) show((i + step + tabs.length) % tabs.length, true);
    });
  });
  show(0);
  return h("section", { class: "card", "aria-labelledby": "snippets" },
    h("div", { class: "head" }, h("h2", { id: "snippets" }, t("snippets.title")), copyButton(() => code[languages[shown]])),
    h("div", { role: "tablist", "aria-labelledby": "snippets", class: "tabs" }, tabs), text);
}

/** Says that it copied; where the clipboard may not be written, it says that. */
export function copyButton(read) {
  const button = h("button", { type: "button", class: "quiet" }, t("snippets.copy"));
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(read());
      put(button, t("snippets.copied"));
    } catch {
      put(button, t("snippets.not_copied"));
    }
    announce(button.textContent);
    setTimeout(() => put(button, t("snippets.copy")), 2000);
  });
  return button;
}
