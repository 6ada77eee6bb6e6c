// The list of runs. It refreshes itself and loads more runs while the user scrolls.

import { ProblemError, get, outcome } from "../api.js";
import { h, put } from "../dom.js";
import { ago, duration, integer, moment, number, plural } from "../format.js";
import { emptyNote, figureCell, firstRunLink, table } from "../parts.js";
import { markFields, problemBox } from "../problems.js";
import { filterBar } from "./filters.js";
import { tagList } from "./tags.js";
import { epochsText, statusChip } from "./status.js";

const [PAGE, REFRESH_MS] = [50, 2000];
const HEADS = [
  ["Compare", "choose"], ["Run"], ["Status"], ["Main figure", "verdict"], ["Created", "figure"],
  ["Dataset"], ["Epochs", "figure"], ["Validation loss", "figure"], ["Parameters", "figure"],
  ["Training time", "figure"],
];

export async function page({ query, signal }) {
  const list = runTable(signal);
  const failed = h("div");
  const filters = filterBar(query, signal, async (chosen) => {
    const { problem } = await outcome(list.show(chosen));
    put(failed, problem && problemBox(problem));
    markFields(problem, filters.element);
  });
  const { problem } = await outcome(list.show(filters.read()));
  if (problem && problem.status !== 422) throw new ProblemError(problem);
  put(failed, problem && problemBox(problem)); // a filter in the address is invalid
  markFields(problem, filters.element);
  return h("section",
    h("div.head", h("h1", { tabindex: "-1" }, "Runs"),
      h("div.actions", h("a.button.primary", { href: "#/" }, "New run"))),
    filters.element, failed, list.element);
}

/** Build the list. `show(filters)` empties it and loads the first runs that match. */
function runTable(signal) {
  const list = table("Runs", "list runs", HEADS, []);
  const body = list.querySelector("tbody");
  const more = h("button.more", { onclick: () => load() }, "More runs");
  const none = h("div");
  const rows = new Map();
  let filters = {};
  let cursor = null;
  let isBusy = false;
  let shown = 0; // counts the calls of `show`, so that a late answer is ignored
  const read = async (from) => {
    const asked = shown;
    const known = Object.entries({ view: "summary", limit: PAGE, ...filters, cursor: from });
    const query = new URLSearchParams(known.filter(([, value]) => value));
    const found = await get(`v1/runs?${query}`, signal);
    return asked === shown ? found : null;
  };
  const added = (run) => {
    const row = runRow();
    row.draw(run);
    rows.set(run.id, row);
    return row.element;
  };
  const mark = () => {
    put(none, rows.size === 0 && noRuns(filters));
    list.hidden = rows.size === 0;
  };
  const load = async () => {
    if (isBusy) return;
    isBusy = true;
    const found = await read(cursor).finally(() => (isBusy = false));
    if (!found) return;
    body.append(...found.items.filter((run) => !rows.has(run.id)).map(added));
    cursor = found.next_cursor;
    more.hidden = !cursor;
    mark();
  };
  const refresh = async () => {
    const found = await read(null);
    if (!found) return;
    const { items, next_cursor: next } = found;
    const [known, fresh] = [true, false].map((isKnown) =>
      items.filter((run) => rows.has(run.id) === isKnown));
    known.forEach((run) => rows.get(run.id).draw(run));
    gone(rows, items, next).forEach((id) => {
      rows.get(id).element.remove();
      rows.delete(id);
    });
    body.prepend(...fresh.map(added));
    mark();
  };
  const show = async (chosen) => {
    filters = chosen;
    shown += 1;
    isBusy = false;
    cursor = null;
    rows.clear();
    put(body);
    put(none);
    list.hidden = true;
    more.hidden = true;
    await load();
  };
  loadNear(more, load);
  keepFresh(refresh, signal);
  return { element: h("div", list, none, more, compareBar(body)), show };
}

/** Return the ids of the shown runs that no longer match: they are not in the new page. */
function gone(rows, items, next) {
  const last = items.at(-1)?.id;
  const inPage = (id) => !next || id >= last;
  const listed = new Set(items.map(({ id }) => id));
  return [...rows.keys()].filter((id) => inPage(id) && !listed.has(id));
}

function noRuns(filters) {
  const isFiltered = Object.values(filters).some(Boolean);
  return isFiltered
    ? emptyNote("No run matches the filters.", h("a.button", { href: "#/runs" }, "Show all runs"))
    : emptyNote("No runs yet. Upload a dataset and train a network; "
      + "the run appears here immediately.", firstRunLink());
}

/** Load more runs before the user scrolls to the button. */
function loadNear(button, load) {
  const near = new IntersectionObserver(async ([seen]) => {
    if (!seen.isIntersecting || button.hidden) return;
    await load();
    near.unobserve(button); // observe again, or a button that stays near triggers nothing
    near.observe(button);
  }, { rootMargin: "600px" });
  near.observe(button);
}

/** Repeat an action while the page is visible. Ignore a failure until the next repetition. */
function keepFresh(action, signal) {
  const act = () => document.visibilityState === "visible" && action().catch(() => {});
  const timer = setInterval(act, REFRESH_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}

/** Build an empty row. `draw(run)` fills it; it skips an ended run without changes. */
function runRow() {
  const element = h("tr");
  let shown = null;
  const draw = (run) => {
    const now = JSON.stringify([run.status, run.epoch, run.loss, run.main_figure, run.tags]);
    if (now === shown && run.ended_at) return;
    shown = now;
    element.dataset.run = run.id;
    put(element, cells(run, element.querySelector("input")?.checked ?? false));
  };
  return { element, draw };
}

function cells(run, checked) {
  const { id, seconds, created_at: created } = run;
  const label = `Compare ${run.model_name} ${id.slice(-6)}`;
  return [
    h("td.choose", h("input", { type: "checkbox", value: id, checked, "aria-label": label })),
    h("th", { scope: "row" },
      h("a", { href: `#/runs/${id}` }, run.model_name), h("span.id", id.slice(-6)), tagList(run.tags)),
    h("td", statusChip(run.status)),
    figureCell(run.main_figure),
    h("td.figure", { title: moment(created) }, ago(created)),
    h("td", run.dataset_name),
    h("td.figure", epochsOf(run)),
    h("td.figure", number(run.loss)),
    h("td.figure", integer(run.num_params)),
    h("td.figure", seconds === null ? "" : duration(seconds)),
  ];
}

function epochsOf(run) {
  const text = epochsText(run.epoch, run.epochs);
  return run.num_seeds > 1 ? `${text} in ${integer(run.num_seeds)} fits` : text;
}

/** Build a bar that is visible at the bottom while runs are selected. */
function compareBar(body) {
  const link = h("a.button.primary");
  const bar = h("div.bar", { hidden: true }, link);
  body.addEventListener("change", () => {
    const ids = [...body.querySelectorAll("input:checked")].map((box) => box.value);
    bar.hidden = ids.length === 0;
    link.href = `#/compare/${ids.join(",")}`;
    put(link, `Compare ${plural(ids.length, "run")}`);
  });
  return bar;
}
