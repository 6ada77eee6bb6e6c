// Says how a version compares to the version that served when it was trained.

import { comparedFigure } from "../comparing.js";
import { h } from "../dom.js";
import { mainFigure } from "../format.js";

/** Build the notice, or return null for a version before which none served. */
export function standing({ version, serves, main_figure: figure, changes }, ...actions) {
  if (!changes?.served) return null;
  const when = serves ? "which served before" : "which served when this one was trained";
  const { text, isWorse } = sentenceOf(figure, changes, when);
  return h("div.notice", { class: isWorse && serves ? "warn" : "" },
    h("p", `Version ${version} ${serves ? "serves" : "does not serve"}. ${text}`), actions);
}

function sentenceOf(figure, { against, not_comparable: reasons, main_figure: former }, when) {
  if (reasons.length) {
    const text = `Its main figure cannot be compared with that of version ${against}, ${when}: `;
    return { text: `${text}${reasons.join(", ")}.`, isWorse: false };
  }
  const { words, before, isWorse, isClear } = comparedFigure(figure, former);
  const text = `Its main figure, ${mainFigure(figure)}, is ${words} that of version ${against} `
    + `(${before}), ${when}${isClear ? "" : "; their intervals overlap"}.`;
  return { text, isWorse: isWorse && isClear };
}
