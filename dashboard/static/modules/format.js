// Formats numbers, sizes and times for the page.

const LANGUAGE = "en"; // the page is in English only
const MISSING = "–";
const numbers = (options) =>
  new Intl.NumberFormat(LANGUAGE, { signDisplay: "negative", ...options });
const whole = numbers({ maximumFractionDigits: 0 });
const precise = numbers({ maximumSignificantDigits: 4 });
const percents = numbers({ style: "percent", maximumFractionDigits: 1 });
const moments = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium", timeStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(LANGUAGE, { numeric: "auto", style: "short" });

export function integer(value) {
  return value === null || value === undefined ? MISSING : whole.format(value);
}

/** Return `1 row` or `1,200 rows`. */
export function plural(count, noun) {
  return `${integer(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Return a number for a reader. docs/values.md states the rule, and
 *  fitserve/number_text.py has the same rule; a test compares both. */
export function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return MISSING;
  const size = Math.abs(value);
  if (size === 0) return "0";
  const isPlain = size >= 1e-4 && size < 1e15;
  return (value < 0 ? "-" : "") + (isPlain ? plain(size) : exponential(size));
}

/** Return a number with all its decimals: `0.90`; 1,000 and more as `number`. */
function fixed(value, decimals) {
  const size = Math.abs(value);
  if (!(size < 1e3)) return number(value);
  const digits = size.toFixed(decimals);
  return `${value < 0 && Number(digits) ? "-" : ""}${digits}`;
}

/** Return numbers with the same decimals: so many that the largest has `digits` at most. Return
 *  them as `number` does if the largest is not of a usual size. */
export function aligned(values, digits = 4) {
  const texts = values.map(number);
  const largest = Math.max(...values.filter(Number.isFinite).map(Math.abs));
  const decimals = Math.min(Math.max(...texts.map(decimalsOf)), digits - Math.ceil(Math.log10(largest)));
  if (!(largest >= 1e-4 && largest < 1e3 && Number.isFinite(decimals))) return texts;
  return texts.map((text, i) => (text === MISSING ? text : fixed(values[i], decimals)));
}

function decimalsOf(text) {
  return text.includes("e") ? Infinity : (text.split(".")[1]?.length ?? 0);
}

function plain(size) {
  if (size < 1e3) return trimmed(size.toPrecision(4));
  return thousands(trimmed(size.toFixed(size < 1e6 ? 2 : 0)));
}

function exponential(size) {
  const [digits, power] = size.toExponential(3).split("e");
  return `${trimmed(digits)}e${Number(power)}`;
}

function trimmed(digits) {
  return digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
}

/** Add marks between thousands from 10,000 on: a year has none. */
function thousands(digits) {
  const [before, ...rest] = digits.split(".");
  const marked = before.length < 5 ? before : before.replace(/\B(?=(\d{3})+$)/g, ",");
  return [marked, ...rest].join(".");
}

const UNITS = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1, ""]];

/** Return the texts of an axis: `0.5M` and `1M` if the ticks have two decimals at most. */
export function axisTexts(ticks) {
  const most = Math.max(...ticks.map(Math.abs));
  if (most < 1e-4 || most >= 1e15) {
    return ticks.map((tick) => (tick === 0 ? "0" : tick.toExponential().replace("+", "")));
  }
  const isShort = (value) => Math.abs(value * 100 - Math.round(value * 100)) < 1e-6;
  const [size, unit] = UNITS.find(([one]) =>
    one === 1 || (most >= one && ticks.every((tick) => isShort(tick / one))));
  const text = (tick) => thousands(trimmed((Math.abs(tick) / size).toFixed(10)));
  return ticks.map((tick) => (tick === 0 ? "0" : `${tick < 0 ? "-" : ""}${text(tick)}${unit}`));
}

export function percent(share) {
  return percents.format(share);
}

export function bytes(count) {
  const power = count < 1 ? 0 : Math.min(3, Math.floor(Math.log10(count) / 3));
  const size = Number((count / 1000 ** power).toPrecision(3));
  return `${precise.format(size)} ${["B", "kB", "MB", "GB"][power]}`;
}

/** Return seconds as `0.4 s`, `12 s`, `3 min 20 s` or `2 h 5 min`. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return MISSING;
  if (seconds < 10) return `${precise.format(Number(seconds.toFixed(1)))} s`;
  const rounded = Math.round(seconds);
  const minutes = Math.floor(rounded / 60);
  if (minutes < 1) return `${rounded} s`;
  if (minutes < 60) return `${minutes} min ${rounded % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Return the seconds between two API times. Without the second time, count until now. */
export function elapsed(from, to) {
  if (from === null) return null;
  return Math.max(0, ((to ? Date.parse(to) : Date.now()) - Date.parse(from)) / 1000);
}

export function moment(time) {
  return time === null ? MISSING : moments.format(new Date(time));
}

/** Return a time as `2 min. ago`. */
export function ago(time) {
  const seconds = (Date.parse(time) - Date.now()) / 1000;
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  }
  return relative.format(Math.min(0, Math.round(seconds)), "second");
}

const METRICS = {
  r2: "R²", mae: "MAE", rmse: "RMSE", mse: "MSE", roc_auc: "ROC AUC", auc: "ROC AUC",
  pr_auc: "PR AUC", brier: "Brier score", f1: "F1",
  mean_absolute_error: "MAE", mean_squared_error: "MSE", root_mean_squared_error: "RMSE", // Keras
};
const WORDS = {
  binary: "binary classification", multiclass: "multiclass classification",
  train: "training", ...METRICS,
};

/** Return the page's text for an API value: a task, a metric, a part of the split. Keras names
 *  the metrics of validation rows `val_…`. */
export function word(value) {
  if (value === null) return "";
  if (value.startsWith("val_")) return `validation ${word(value.slice(4))}`;
  return WORDS[value] ?? value.replaceAll("_", " ");
}

/** Return the API's name of a metric that a user typed: `roc_auc` for `ROC AUC`. */
export function metricNamed(text) {
  const typed = text.trim().toLowerCase();
  const [name] = Object.entries(METRICS).find(([, label]) => label.toLowerCase() === typed) ?? [];
  return name ?? typed.replaceAll(" ", "_");
}

/** Return the name of a version of a dataset, such as houses@2. */
export function datasetName({ name, version }) {
  return `${name}@${version}`;
}

/** Return a main figure and its interval as `ROC AUC 0.87 (0.85–0.89)`.
 *  fitserve/main_figure.py has the same rule; a test compares both. */
export function mainFigure(figure) {
  if (!figure) return MISSING;
  const { metric, value, low, high } = figure;
  const shown = shownAs(figure);
  const dash = low < 0 ? " to " : "–";
  const range = low === null ? "" : ` (${shown(low)}${dash}${shown(high)})`;
  return `${word(metric)} ${shown(value)}${range}`;
}

/** Return the best baseline of a main figure as `gradient boosting 0.84`; null without one. */
export function bestBaseline(figure) {
  const best = figure?.baseline;
  if (!best) return null;
  return `${figure.baseline_title} ${shownAs(figure)(best.value)}`;
}

/** Return the sentence of a main figure: `ROC AUC 0.87 (0.85–0.89) on 400 test rows; linear 0.84`. */
export function figureSentence(figure) {
  const rows = plural(figure.num_rows, `${figure.side} row`);
  const best = bestBaseline(figure);
  return `${mainFigure(figure)} on ${rows}${best ? `; ${best}` : ""}`;
}

/** Return a format with the fewest decimals that make the ends of the interval differ. */
export function shownAs({ metric, low, high }) {
  if (metric === "mae") return number;
  const shows = (count) => low !== null && fixed(low, count) !== fixed(high, count);
  const decimals = [2, 3, 4].find(shows) ?? (low === null ? 2 : 4);
  return (value) => fixed(value, decimals);
}
