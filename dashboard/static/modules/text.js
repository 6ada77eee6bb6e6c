// Every word that the page says, by key, in the reader's language where there is one.

import { en } from "./texts/en.js";

const LANGUAGES = { en };
const wanted = navigator.languages.map((tag) => tag.split("-")[0]);
export const language = wanted.find((tag) => tag in LANGUAGES) ?? "en";
const words = LANGUAGES[language];
const plurals = new Intl.PluralRules(language);

/** The sentence of a key, `{name}` filled in; `n` chooses among plurals. */
export function t(key, given = {}) {
  let sentence = words[key] ?? en[key] ?? key;
  if (typeof sentence === "object") sentence = sentence[plurals.select(given.n)] ?? sentence.other;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => given[name] ?? whole);
}

/** The word for one of the API's values, or the value itself. */
export function word(kind, value) {
  return value === null ? "" : (words[`${kind}.${value}`] ?? en[`${kind}.${value}`] ?? value.replaceAll("_", " "));
}
