// Replaces the words of the API by the words of a page.

/** Parts of the service's sentences that only programs need, and the words for a reader. */
const WORDS = [
  [/ ?Send it as `Authorization: Bearer <key>`\./, " Enter the key that you were given."],
  [/The header Authorization has the wrong scheme; expected `Bearer <key>`\./, "Enter the key."],
  [/ created with `--scope [\w:]+`/, " with this scope"],
  [/Check the path and the method first: unknown ones need `admin` too\. /, ""],
  [/^row \d+, column (['"]).*?\1: (?=got )/, ""],
  [/^row \d+ has no value for the column .*/, "the value is missing"],
  [/^send (it with nulls|null) where .*/, "leave the field empty if the value is unknown"],
  [/ If curl sends the file, .*/, ""],
  [/ The request is strict, so .*/, ""],
];
const TITLES = {
  "Invalid body": "Some values are not valid",
  "Invalid spec": "Some values are not valid",
  "Instances do not fit the model": "Some values do not fit the model",
};

/** Return a sentence of the service in the words of a page. */
export function inWords(text) {
  return WORDS.reduce((words, [api, page]) => words.replace(api, page), text);
}

/** Return the title of a problem in the words of a page. */
export function titleInWords(title) {
  return TITLES[title] ?? title;
}

/** Return `fit → early stopping` for `#/fit/early_stopping`. Lists count from 1. */
export function wordsOf(pointer) {
  const parts = pointer.replace(/^#\/?(query\/)?/, "").split("/").filter(Boolean);
  const word = (part) => (/^\d+$/.test(part) ? `no. ${Number(part) + 1}`
    : part.replaceAll("~1", "/").replaceAll("~0", "~").replaceAll("_", " "));
  return parts.map(word).join(" → ");
}
