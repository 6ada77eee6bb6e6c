// Runs: a live table, pages of it as it is scrolled.

import { get } from "../api.js";
import { h, put, select } from "../dom.js";
import { ago, duration, elapsed, integer, moment, number } from "../format.js";
import { t, word } from "../text.js";
import { fitsOf } from "./fits.js";
import { statusChip } from "./status.js";

const [PAGE, REFRESH_MS] = [50, 2000];
const STATUSES = ["queued", "running", "succeeded", "failed", "cancelled"];

export async function page({ query, signal }) {
  const table = runTable(query.get("model"), query.get("status"), signal);
  await table.more();
  const filter = select([["", t("runs.every_status")], ...STATUSES.map((one) => [one, word("status", one)])], query.get("status") ?? "", { "aria-label": t("runs.filter") });
  filter.addEventListener("change", () => (location.hash = filter.value ? `#/runs?status=${filter.value}` : "#/runs"));
  return h("section", {},
    h("div", { class: "head" }, h("h1", { tabindex: "-1" }, t("runs.title")), h("div", { class: "actions" }, filter, h("a", { class: "button primary", href: "#/" }, t("runs.new")))),
    table.element);
}

function runTable(model, status, signal) {
  const body = h("tbody", {});
  const more = h("button", { type: "button", class: "more" }, t("runs.more"));
  const empty = h("div", { class: "empty", hidden: true }, h("p", {}, t("runs.empty")), h("a", { href: "#/", class: "button primary" }, t("runs.first")));
  const rows = new Map();
  const compare = compareBar(body);
  const state = { cursor: null, isBusy: false };
  const address = (cursor) => {
    const query = new URLSearchParams({ limit: PAGE, ...(model && { model }), ...(status && { status }), ...(cursor && { cursor }) });
    return `v1/runs?${query}`;
  };
  const load = async () => {
    if (state.isBusy) return;
    state.isBusy = true;
    const read = await get(address(state.cursor), signal).finally(() => (state.isBusy = false));
    body.append(...read.items.filter((run) => !rows.has(run.id)).map((run) => added(rows, run)));
    state.cursor = read.next_cursor;
    more.hidden = !state.cursor;
    empty.hidden = rows.size > 0;
    table.hidden = rows.size === 0;
  };
  const heads = ["choose", "model", "status", "dataset", "epoch", "val_loss", "params", "took", "created"];
  const table = h("div", { class: "scroll", role: "group", tabindex: "0", "aria-label": t("runs.title") },
    h("table", { class: "list runs" }, h("thead", {}, h("tr", {}, heads.map((head) => h("th", { scope: "col", class: head }, t(`runs.${head}`))))), body));
  more.addEventListener("click", load);
  const near = new IntersectionObserver(async ([seen]) => {
    if (!seen.isIntersecting || more.hidden) return;
    await load();
    near.unobserve(more); // looked at anew: it may be near still, which is no change
    near.observe(more);
  }, { rootMargin: "600px" });
  near.observe(more);
  keepFresh(() => refresh(address(null), rows, body, signal), signal);
  return { element: h("div", {}, table, empty, more, compare), more: load };
}

/** The newest page again and again while somebody looks. */
function keepFresh(action, signal) {
  const timer = setInterval(() => document.visibilityState === "visible" && action().catch(() => {}), REFRESH_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}

async function refresh(address, rows, body, signal) {
  const { items } = await get(address, signal);
  const fresh = [];
  for (const run of items) {
    if (rows.has(run.id)) rows.get(run.id)(run);
    else fresh.push(added(rows, run));
  }
  body.prepend(...fresh);
}

function added(rows, run) {
  const element = h("tr", { "data-run": run.id });
  let shown = null;
  const draw = (read) => {
    const now = JSON.stringify([read.status, read.progress.epoch, read.metrics]);
    if (now === shown && read.ended_at) return;
    shown = now;
    const isChosen = element.querySelector("input")?.checked ?? false;
    put(element, cells(read, isChosen));
  };
  draw(run);
  rows.set(run.id, draw);
  return element;
}

function cells(run, isChosen) {
  const choose = h("input", { type: "checkbox", value: run.id, checked: isChosen, "aria-label": t("runs.choose_one", { name: run.model_name, id: run.id.slice(-6) }) });
  return [
    h("td", { class: "choose" }, choose),
    h("th", { scope: "row" }, h("a", { href: `#/runs/${run.id}` }, run.model_name), h("span", { class: "id" }, run.id.slice(-6))),
    h("td", {}, statusChip(run.status)),
    h("td", { class: "dataset" }, run.dataset.name),
    h("td", { class: "figure" }, epochsOf(run)),
    h("td", { class: "figure" }, number(run.metrics.val_loss ?? run.metrics.loss)),
    h("td", { class: "figure params" }, integer(run.num_params)),
    h("td", { class: "figure took" }, run.started_at ? duration(elapsed(run.started_at, run.ended_at)) : ""),
    h("td", { class: "figure", title: moment(run.created_at) }, ago(run.created_at)),
  ];
}

function epochsOf(run) {
  const fits = fitsOf(run);
  return t(fits > 1 ? "runs.of_fits" : "runs.of", { epoch: integer(run.progress.epoch), epochs: integer(run.progress.epochs), fits: integer(fits) });
}

/** At the bottom while rows are chosen. */
function compareBar(body) {
  const link = h("a", { class: "button primary" });
  const bar = h("div", { class: "bar", hidden: true }, link);
  body.addEventListener("change", () => {
    const ids = [...body.querySelectorAll("input:checked")].map((box) => box.value);
    bar.hidden = ids.length === 0;
    link.href = `#/compare/${ids.join(",")}`;
    link.textContent = t("runs.compare", { n: ids.length });
  });
  return bar;
}
