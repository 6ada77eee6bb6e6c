// Numbers, sizes and times as people read them.

import { language, t } from "./text.js";

const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0, signDisplay: "negative" });
const precise = new Intl.NumberFormat(language, { maximumSignificantDigits: 4, signDisplay: "negative" });
const percents = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1, signDisplay: "negative" });
const moments = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
const NOTHING = "–";

export function integer(value) {
  return value === null || value === undefined ? NOTHING : whole.format(value);
}

/** Four significant digits; very large and very small ones with an exponent. */
export function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return NOTHING;
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(2);
  return precise.format(value);
}

export function percent(share) {
  return percents.format(share);
}

export function bytes(count) {
  const units = ["B", "kB", "MB", "GB"];
  const power = count < 1 ? 0 : Math.min(3, Math.floor(Math.log10(count) / 3));
  return `${precise.format(Number((count / 1000 ** power).toPrecision(3)))} ${units[power]}`;
}

/** Seconds as `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return NOTHING;
  if (seconds < 10) return t("time.seconds", { n: precise.format(Number(seconds.toFixed(1))) });
  const rounded = Math.round(seconds);
  if (rounded < 60) return t("time.seconds", { n: rounded });
  if (rounded < 3600) return t("time.minutes", { m: Math.floor(rounded / 60), s: rounded % 60 });
  return t("time.hours", { h: Math.floor(rounded / 3600), m: Math.floor((rounded % 3600) / 60) });
}

/** Seconds between two of the API's times, or until now. */
export function elapsed(from, to) {
  return from === null ? null : Math.max(0, ((to ? Date.parse(to) : Date.now()) - Date.parse(from)) / 1000);
}

export function moment(time) {
  return time === null ? NOTHING : moments.format(new Date(time));
}

/** `2 min. ago`. */
export function ago(time) {
  const seconds = (Date.parse(time) - Date.now()) / 1000;
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  }
  return relative.format(Math.min(0, Math.round(seconds)), "second");
}
