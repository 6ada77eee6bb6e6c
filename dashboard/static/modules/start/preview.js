// The first rows of a selected file before its upload, with types and notations that can be
// changed.

import { outcome, request } from "../api.js";
import { h, put } from "../dom.js";
import { plural, word } from "../format.js";
import { TYPES, select, table } from "../parts.js";
import { problemBox, remarkBoxes } from "../problems.js";
import { cellText, rowLines } from "../rows.js";

const BYTES = 1024 * 1024 + 1; // one more than the service reads, so that it knows of more
const MOST_WHOLE = 8 * 1024 * 1024;
const FOUND = { format: "datetime", unit: "unit", decimal: "decimal", timezone: "timezone" };
const MOST = { rows: 10, columns: 50 };
const FORMATS = {
  "%Y-%m-%d": "2024-12-31", "%d.%m.%Y": "31.12.2024", "%d/%m/%Y": "31/12/2024",
  "%m/%d/%Y": "12/31/2024", "%Y%m%d": "20241231", "%d %b %Y": "31 Dec 2024",
  "%Y-%m-%d %H:%M:%S": "2024-12-31 23:59:00", "%d.%m.%Y %H:%M": "31.12.2024 23:59",
  "%m/%d/%Y %H:%M": "12/31/2024 23:59", epoch_seconds: "seconds since 1970",
  epoch_milliseconds: "milliseconds since 1970", excel_days: "days of Excel",
};
const NULLS = ["null_values", "Words for missing, with commas"];
const OPTIONS = {
  datetime: [
    ["format", "Format", FORMATS], ["dayfirst", "Day first", { true: "yes", false: "no" }],
    ["timezone", "Time zone"], NULLS,
  ],
  numeric: [
    ["decimal", "Decimal mark", { ".": ".", ",": "," }], ["unit", "Unit"],
    ["percent", "12.5% is", { number: "12.5", fraction: "0.125" }], NULLS,
  ],
  boolean: [NULLS], categorical: [NULLS], text: [NULLS],
};
const OTHER = " other"; // no format is this text
const PLAIN = /\.(csv|tsv|txt|jsonl|ndjson)$/i;

/** Build the preview of a file. Its button calls `upload(types)` with the chosen types. */
export function filePreview(file, upload, signal) {
  const types = {};
  const shown = h("div", h("p.hint", "Reading the first rows…"));
  const refused = h("div");
  let latest = 0;
  const refresh = async () => {
    latest += 1;
    const mine = latest;
    const { value, problem } = await outcome(previewOf(file, types, signal));
    if (mine !== latest) return;
    put(refused, problem && problemBox(problem));
    if (value) keepingFocus(() => put(shown, contents(value, types, refresh)));
    else if (mine === 1) put(shown);
  };
  if (isTooLarge(file)) put(shown, h("p.hint", "A large file of this kind has no preview."));
  else refresh();
  const send = h("button.primary", { type: "button", onclick: () => upload(types) }, "Upload");
  return h("div.preview", h("strong", file.name), shown, refused, h("div.go", send));
}

/** Draw again, and focus the control with the label of the one that had the focus. */
function keepingFocus(draw) {
  const label = document.activeElement?.getAttribute("aria-label");
  draw();
  if (label) document.querySelector(`[aria-label="${CSS.escape(label)}"]`)?.focus();
}

/** Return the part of a URL's query that gives the types; empty if none is given. */
export function typesQuery(types) {
  return Object.keys(types).length ? `types=${encodeURIComponent(JSON.stringify(types))}` : "";
}

/** Return whether only the whole file could be previewed, and it is large. */
function isTooLarge(file) {
  return !PLAIN.test(file.name) && file.size > MOST_WHOLE;
}

async function previewOf(file, types, signal) {
  const body = PLAIN.test(file.name) ? file.slice(0, BYTES) : file;
  const headers = { "Content-Type": "text/csv" };
  const path = `v1/datasets/preview?${typesQuery(types)}`;
  return (await request(path, { method: "POST", headers, body, signal })).json();
}

function contents({ columns, rows, warnings, is_complete: isAll }, types, refresh) {
  const some = columns.slice(0, MOST.columns);
  const places = some.map(({ name }) => rows.columns.indexOf(name));
  const lines = rowLines(rows.data.slice(0, MOST.rows), places, some);
  const hidden = columns.length - some.length;
  return [
    table("First rows", "first-rows", some.map((one) => head(one, types, refresh)), lines),
    h("p.hint", `${plural(rows.total, "row")} read${isAll ? "" : "; the file has more"}. `,
      hidden > 0 && `${plural(hidden, "more column")}. `,
      "A type or a notation that is wrong can be changed here."),
    remarks(warnings, some),
  ];
}

function head({ name, type, format }, types, refresh) {
  const options = TYPES.map((one) => [one, word(one)]);
  const choice = select(options, type, {
    "aria-label": `Type of ${name}`,
    onchange: () => {
      types[name] = choice.value;
      refresh();
    },
  });
  const fields = (OPTIONS[type] ?? []).map(([key, label, words]) => {
    const given = { ...(typeof types[name] === "object" && types[name]), type };
    const text = `${label} of ${name}`;
    const control = optionControl(key, words, given[key], cellText(format[FOUND[key]]), text, (value) => {
      types[name] = withOption(given, key, value);
      refresh();
    });
    return h("label", label, control);
  });
  const isOpen = typeof types[name] === "object";
  return h("th", { scope: "col" }, h("span", name), choice,
    fields.length > 0 && h("details", { open: isOpen }, h("summary", "Notation"), fields));
}

/** Build a menu of `words`, or a text field. A menu of formats also takes another format. */
function optionControl(key, words, value, found, label, change) {
  const input = h("input", {
    type: "text", value: String(value ?? ""), placeholder: found, "aria-label": label,
    onchange: () => change(input.value.trim()),
  });
  if (!words) return input;
  const own = value !== undefined && !(value in words) ? [[value, value]] : [];
  const more = key === "format" ? [[OTHER, "another…"]] : [];
  const detect = found ? `detect (${words[found] ?? found})` : "detect";
  const options = [["", detect], ...Object.entries(words), ...own, ...more];
  const menu = select(options, String(value ?? ""), {
    "aria-label": label,
    onchange: () => {
      if (menu.value !== OTHER) return change(menu.value);
      menu.replaceWith(input);
      return input.focus();
    },
  });
  return menu;
}

function withOption(given, key, text) {
  const { [key]: _old, ...others } = given;
  if (text === "") return others;
  if (key === "null_values") return { ...others, [key]: text.split(",").map((one) => one.trim()) };
  return { ...others, [key]: { true: true, false: false }[text] ?? text };
}

/** Build the boxes of what the preview says about the file and about its columns. */
function remarks(warnings, columns) {
  const texts = columns.flatMap(({ name, warnings: own }) =>
    own.map((one) => `Column \`${name}\`: ${one}`));
  const kinds = columns.flatMap(({ warning_kinds: own }) => own);
  return remarkBoxes([...warnings, ...texts], [...warnings.map(() => "reading"), ...kinds],
    "Warnings from reading the file");
}
