// Replaces the words of the API by the words of a page.

import { word } from "./format.js";

/** Parts of the service's sentences that only programs need, and the words for a reader. */
const WORDS = [
  [/ ?Send it as `Authorization: Bearer <key>`\./, " Enter the key that you were given."],
  [/The header Authorization has the wrong scheme; expected `Bearer <key>`\./, "Enter the key."],
  [/ created with `--scope [\w:]+`/, " with this scope"],
  [/Check the path and the method first: unknown ones need `admin` too\. /, ""],
  [/^row \d+, column (['"]).*?\1: (?=got )/, ""],
  [/^row \d+ has no value for the column .*/, "the value is missing"],
  [/^send null where .*/, "leave the field empty if the value is unknown"],
  [/^send it with nulls where .*/, "add the column; its cells may be empty where the value is unknown"],
  [/ If curl sends the file, .*/, ""],
  [/ The request is strict, so .*/, ""],
];
const TITLES = {
  "Invalid body": "Some values are not valid",
  "Invalid spec": "Some values are not valid",
  "Instances do not fit the model": "Some values do not fit the model",
};

/** Names of metrics in sentences. Quoted ones may be columns, and one types those in backticks. */
const METRICS = /(?<!['`\w])(?:roc_auc|pr_auc|log_loss|r2)(?!['`\w])/g;

/** Return a sentence of the service in the words of a page. */
export function inWords(text) {
  const words = WORDS.reduce((said, [api, page]) => said.replace(api, page), text);
  return words.replace(METRICS, word);
}

/** Return the title of a problem in the words of a page. */
export function titleInWords(title) {
  return TITLES[title] ?? title;
}

/** Return `fit → early stopping` for `#/fit/early_stopping`. Lists count from 1. */
export function wordsOf(pointer) {
  const parts = pointer.replace(/^#\/?(query\/)?/, "").split("/").filter(Boolean);
  const text = (part, i) => {
    if (/^\d+$/.test(part)) return `no. ${Number(part) + 1}`;
    if (parts[i - 1] === "require") return word(part); // conditions are by metric
    return part.replaceAll("~1", "/").replaceAll("~0", "~").replaceAll("_", " ");
  };
  return parts.map(text).join(" → ");
}
