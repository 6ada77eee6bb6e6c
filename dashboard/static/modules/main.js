// Opens the page that the URL names after `#`. Each page is a separate module.

import { outcome, unreachable } from "./api.js";
import { watchConnection } from "./connection.js";
import { announce, h, put, takeSentence } from "./dom.js";
import { pageOf } from "./parts.js";
import { problemBox } from "./problems.js";
import { showSession } from "./session.js";

const PAGES = [
  [/^\/?$/, "#/", () => import("./start/page.js")],
  [/^\/runs$/, "#/runs", () => import("./runs/list.js")],
  [/^\/runs\/([^/]+)$/, "#/runs", () => import("./runs/page.js")],
  [/^\/compare(?:\/([^/]*))?$/, "#/compare", () => import("./compare/page.js")],
  [/^\/tables$/, "#/tables", () => import("./tables/list.js")],
  [/^\/tables\/([^/]+)$/, "#/tables", () => import("./tables/page.js")],
  [/^\/models$/, "#/models", () => import("./models/list.js")],
  [/^\/models\/([^/]+)(?:\/([^/]+))?$/, "#/models", () => import("./models/page.js")],
  [/^\/webhooks$/, "#/webhooks", () => import("./webhooks/page.js")],
  [/^\/keys$/, "#/keys", () => import("./keys/page.js")],
];
const main = document.getElementById("main");
let leaving = new AbortController();
let isIncomplete = false; // whether the page waits for the service
let isModuleMissing = false; // a browser may not load a missed module again

/** Build the new page before it replaces the old one, to avoid layout shifts. */
async function show() {
  const address = location.hash.slice(1);
  if (address === "main") return;
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const sentence = takeSentence();
  const [path, query] = address.split("?");
  const [form, place, load] = PAGES.find(([one]) => one.test(path)) ?? [];
  markPlace(place);
  main.setAttribute("aria-busy", "true");
  isIncomplete = true;
  const given = form?.exec(path).slice(1).map((part) => part && decodeURIComponent(part));
  const shown = await built(load, { given, query: new URLSearchParams(query), signal });
  if (signal.aborted) return;
  put(main, shown);
  main.removeAttribute("aria-busy");
  greet(shown, sentence);
}

async function built(load, options) {
  if (!load) {
    isIncomplete = false;
    return pageOf("Page not found", h("p", "Use the links above."));
  }
  const { value, problem } = await outcome(opened(load, options));
  isIncomplete = problem?.status === 0;
  return value ?? pageOf("The page could not be loaded", problemBox(problem));
}

async function opened(load, options) {
  const { page } = await load().catch((error) => {
    isModuleMissing = true;
    return unreachable(error);
  });
  return page(options);
}

/** Open the page again that waits for the service. Leave a complete page as it is. */
function resume() {
  if (isModuleMissing) location.reload();
  else if (isIncomplete) show();
}

let isGreeted = false;

/** Update title and focus for screen readers. The first page does not move the focus. Show the
 *  sentence about what led to the page below its title. */
function greet(shown, sentence) {
  const title = shown.querySelector("h1");
  if (sentence) (title.closest(".head") ?? title).after(h("p.done.outcome", sentence));
  document.title = `${title.textContent} · fitserve`;
  scrollTo(0, 0);
  if (isGreeted) {
    title.focus({ preventScroll: true });
    announce(sentence ?? title.textContent);
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
  if (event.reason.name === "AbortError") event.preventDefault(); // another page was opened
});
addEventListener("hashchange", show);
addEventListener("fitserve-key", showSession);
addEventListener("fitserve-back", resume);
addEventListener("fitserve-back", showSession);
watchConnection();
showSession();
show();
