// The address after `#` says which page is shown; each page is a module of its own.

import { ProblemError } from "./api.js";
import { announce, h, put } from "./dom.js";
import { problemBox } from "./problems.js";
import { showSession } from "./session.js";
import { t } from "./text.js";

const PAGES = [
  [/^\/?$/, "start", () => import("./start/page.js")],
  [/^\/runs$/, "runs", () => import("./runs/list.js")],
  [/^\/runs\/([^/]+)$/, "runs", () => import("./runs/page.js")],
  [/^\/compare(?:\/([^/]*))?$/, "compare", () => import("./compare/page.js")],
  [/^\/models$/, "models", () => import("./models/list.js")],
  [/^\/models\/([^/]+)(?:\/([^/]+))?$/, "models", () => import("./models/page.js")],
];
const NAV = { start: "#/", runs: "#/runs", compare: "#/compare", models: "#/models" };
const main = document.getElementById("main");
let leaving = new AbortController();

/** Build the new page, then put it in the old one's place: nothing jumps on the way. */
async function show() {
  const address = location.hash.slice(1);
  if (address === "main") return;
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const [path, query] = address.split("?");
  const found = PAGES.map(([form, name, load]) => [form.exec(path), name, load]).find(([match]) => match);
  const [match, name, load] = found ?? [[], null, null];
  showNav(name);
  main.setAttribute("aria-busy", "true");
  const shown = await built(load, match.slice(1), new URLSearchParams(query), signal);
  if (signal.aborted) return;
  put(main, shown);
  main.removeAttribute("aria-busy");
  greet(shown);
}

async function built(load, given, query, signal) {
  try {
    if (!load) return h("section", {}, h("h1", { tabindex: "-1" }, t("nav.nothing")), h("p", {}, t("nav.nothing_detail")));
    const { page } = await load();
    return await page({ given: given.map((part) => part && decodeURIComponent(part)), query, signal });
  } catch (error) {
    if (error instanceof ProblemError) return h("section", {}, h("h1", { tabindex: "-1" }, t("nav.failed")), problemBox(error.problem));
    if (error.name === "AbortError") return null;
    throw error;
  }
}

let greeted = false;

/** Title and focus follow, for those who listen; the first page leaves focus alone. */
function greet(shown) {
  const title = shown?.querySelector("h1");
  document.title = title ? `${title.textContent} · fitserve` : "fitserve";
  scrollTo(0, 0);
  if (greeted) title?.focus({ preventScroll: true });
  if (greeted && title) announce(title.textContent);
  greeted = true;
}

function showNav(current) {
  const links = Object.entries(NAV).map(([name, href]) =>
    h("a", { href, "aria-current": name === current ? "page" : null }, t(`nav.${name}`)));
  put(document.getElementById("nav"), links, h("a", { href: "docs", class: "aside" }, t("nav.docs")));
  document.getElementById("nav").setAttribute("aria-label", t("nav.label"));
}

addEventListener("hashchange", show);
addEventListener("fitserve-key", showSession);
showSession();
show();
