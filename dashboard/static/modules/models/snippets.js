// Code from the service that calls predict, for a chosen version or for the one that serves.

import { copyButton } from "../copying.js";
import { h, put } from "../dom.js";
import { card } from "../parts.js";

const NAMES = {
  curl: "curl", python: "Python", "python-fitserve": "Python, fitserve", typescript: "TypeScript",
};

/** Build the code. `version` is the version that the code always calls, if any. */
export function snippets(code, version) {
  const languages = Object.keys(code);
  const text = h("pre", { id: "snippet", tabindex: "0", role: "tabpanel" });
  const show = (i) => {
    tabs.forEach((tab, j) => {
      tab.setAttribute("aria-selected", String(i === j));
      tab.tabIndex = i === j ? 0 : -1;
    });
    put(text, code[languages[i]]);
    text.setAttribute("aria-label", tabs[i].textContent);
  };
  const walk = (i) => ({ key }) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (!step) return;
    const next = (i + step + tabs.length) % tabs.length;
    show(next);
    tabs[next].focus();
  };
  const tabs = languages.map((language, i) => h("button", {
    role: "tab", "aria-controls": "snippet", onclick: () => show(i), onkeydown: walk(i),
  }, NAMES[language] ?? language));
  show(0);
  const calls = version === undefined
    ? "The code names no version: it calls the one that serves, or an alias of it."
    : `Always version ${version}.`;
  return card("snippets", "Code", [
    h("p.hint", calls),
    h("div.tabs", { role: "tablist", "aria-labelledby": "snippets" }, tabs), text,
  ], { controls: copyButton(() => text.textContent) });
}
