// The list of runs. It refreshes itself and loads more runs while the user scrolls.

import { get } from "../api.js";
import { h, put } from "../dom.js";
import { ago, duration, elapsed, integer, moment, number, plural } from "../format.js";
import { emptyNote, figureCell, firstRunLink, select, table } from "../parts.js";
import { epochsText, fitsOf, statusChip } from "./status.js";

const [PAGE, REFRESH_MS] = [50, 2000];
const STATUSES = ["queued", "running", "succeeded", "failed", "cancelled"];
const HEADS = [
  ["Compare", "choose"], ["Run"], ["Status"], ["Main figure", "verdict"], ["Created", "figure"],
  ["Dataset"], ["Epochs", "figure"], ["Validation loss", "figure"], ["Parameters", "figure"],
  ["Training time", "figure"],
];

export async function page({ query, signal }) {
  const list = runTable({ model: query.get("model"), status: query.get("status") }, signal);
  await list.load();
  const filter = select([["", "All statuses"], ...STATUSES], query.get("status") ?? "", {
    "aria-label": "Filter runs by status",
    onchange: () => {
      location.hash = filter.value ? `#/runs?status=${filter.value}` : "#/runs";
    },
  });
  return h("section",
    h("div.head", h("h1", { tabindex: "-1" }, "Runs"),
      h("div.actions", filter, h("a.button.primary", { href: "#/" }, "New run"))),
    list.element);
}

function runTable(filters, signal) {
  const list = table("Runs", "list runs", HEADS, []);
  const body = list.querySelector("tbody");
  const more = h("button.more", { onclick: () => load() }, "More runs");
  const empty = emptyNote("No runs yet. Upload a dataset and train a network; "
    + "the run appears here immediately.", firstRunLink());
  empty.hidden = true;
  const rows = new Map();
  let cursor = null;
  let isBusy = false;
  const read = (from) => {
    const known = Object.entries({ limit: PAGE, ...filters, cursor: from });
    return get(`v1/runs?${new URLSearchParams(known.filter(([, value]) => value))}`, signal);
  };
  const added = (run) => {
    const row = runRow();
    row.draw(run);
    rows.set(run.id, row.draw);
    return row.element;
  };
  const load = async () => {
    if (isBusy) return;
    isBusy = true;
    const { items, next_cursor: next } = await read(cursor).finally(() => (isBusy = false));
    body.append(...items.filter((run) => !rows.has(run.id)).map(added));
    cursor = next;
    more.hidden = !next;
    empty.hidden = rows.size > 0;
    list.hidden = rows.size === 0;
  };
  const refresh = async () => {
    const { items } = await read(null);
    const [known, fresh] = [true, false].map((isKnown) =>
      items.filter((run) => rows.has(run.id) === isKnown));
    known.forEach((run) => rows.get(run.id)(run));
    body.prepend(...fresh.map(added));
  };
  loadNear(more, load);
  keepFresh(refresh, signal);
  return { element: h("div", list, empty, more, compareBar(body)), load };
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
    const now = JSON.stringify([run.status, run.progress.epoch, run.metrics, run.main_figure]);
    if (now === shown && run.ended_at) return;
    shown = now;
    element.dataset.run = run.id;
    put(element, cells(run, element.querySelector("input")?.checked ?? false));
  };
  return { element, draw };
}

function cells(run, checked) {
  const { id, metrics, started_at: started, created_at: created } = run;
  const label = `Compare ${run.model_name} ${id.slice(-6)}`;
  return [
    h("td.choose", h("input", { type: "checkbox", value: id, checked, "aria-label": label })),
    h("th", { scope: "row" },
      h("a", { href: `#/runs/${id}` }, run.model_name), h("span.id", id.slice(-6))),
    h("td", statusChip(run.status)),
    figureCell(run.main_figure),
    h("td.figure", { title: moment(created) }, ago(created)),
    h("td", run.dataset.name),
    h("td.figure", epochsOf(run)),
    h("td.figure", number(metrics.val_loss ?? metrics.loss)),
    h("td.figure", integer(run.num_params)),
    h("td.figure", started ? duration(elapsed(started, run.ended_at)) : ""),
  ];
}

function epochsOf(run) {
  const text = epochsText(run.progress.epoch, run.progress.epochs);
  return fitsOf(run) > 1 ? `${text} in ${integer(fitsOf(run))} fits` : text;
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
