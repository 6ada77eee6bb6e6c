// The address after `#` names the page; each page is a module of its own.

import { outcome } from "./api.js";
import { announce, h, put } from "./dom.js";
import { pageOf } from "./parts.js";
import { problemBox } from "./problems.js";
import { showSession } from "./session.js";

const PAGES = [
  [/^\/?$/, "#/", () => import("./start/page.js")],
  [/^\/runs$/, "#/runs", () => import("./runs/list.js")],
  [/^\/runs\/([^/]+)$/, "#/runs", () => import("./runs/page.js")],
  [/^\/compare(?:\/([^/]*))?$/, "#/compare", () => import("./compare/page.js")],
  [/^\/models$/, "#/models", () => import("./models/list.js")],
  [/^\/models\/([^/]+)(?:\/([^/]+))?$/, "#/models", () => import("./models/page.js")],
];
const main = document.getElementById("main");
let leaving = new AbortController();

/** Build the new page, then put it in place of the old one, so that nothing jumps. */
async function show() {
  const address = location.hash.slice(1);
  if (address === "main") return;
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const [path, query] = address.split("?");
  const [form, place, load] = PAGES.find(([one]) => one.test(path)) ?? [];
  markPlace(place);
  main.setAttribute("aria-busy", "true");
  const given = form?.exec(path).slice(1).map((part) => part && decodeURIComponent(part));
  const shown = await built(load, { given, query: new URLSearchParams(query), signal });
  if (signal.aborted) return;
  put(main, shown);
  main.removeAttribute("aria-busy");
  greet(shown);
}

async function built(load, options) {
  if (!load) {
    return pageOf("There is no such page", h("p", "Start, Runs, Compare and Models are above."));
  }
  const { page } = await load();
  const { value, problem } = await outcome(page(options));
  return value ?? pageOf("This page could not be shown", problemBox(problem));
}

let isGreeted = false;

/** Let title and focus follow, for screen readers; the first page leaves the focus alone. */
function greet(shown) {
  const title = shown.querySelector("h1");
  document.title = `${title.textContent} · fitserve`;
  scrollTo(0, 0);
  if (isGreeted) {
    title.focus({ preventScroll: true });
    announce(title.textContent);
  }
  isGreeted = true;
}

function markPlace(place) {
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === place) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

addEventListener("unhandledrejection", (event) => {
  if (event.reason.name === "AbortError") event.preventDefault(); // the page was left
});
addEventListener("hashchange", show);
addEventListener("fitserve-key", showSession);
showSession();
show();
