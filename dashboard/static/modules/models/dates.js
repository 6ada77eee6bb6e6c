// Formats of dates for readers.

const PARTS = {
  Y: "YYYY", y: "YY", m: "MM", d: "DD", B: "month", b: "month", H: "hh", I: "hh", M: "mm",
  S: "ss", f: "fraction", p: "AM/PM", z: "zone", Z: "zone", j: "day of the year", q: "quarter",
  A: "weekday", a: "weekday", "%": "%",
};
const NAMES = { date: "YYYY-MM-DD", "date-time": "YYYY-MM-DD hh:mm:ss (ISO 8601)" };

/** Return `DD.MM.YYYY` for `%d.%m.%Y`, or for a name of JSON Schema's formats. */
export function datePattern(format) {
  return NAMES[format] ?? format.replace(/%([A-Za-z%])/g, (all, part) => PARTS[part] ?? all);
}
