// Says when the service does not answer, and asks until it answers again.

import { h, put } from "./dom.js";

const CHECK = "health/live"; // needs no key
const DELAYS = [1, 2, 4, 8, 15, 30]; // seconds between two checks
const [QUIET_MS, PATIENCE_MS, THANKS_MS] = [10_000, 5_000, 4_000];
const times = new Intl.DateTimeFormat("en", { timeStyle: "medium" });
let since = null; // the time of the first request without an answer, or null
let tries = 0;
let timer = null;
let lastAnswer = Date.now();

/** Record that the service answered a request. */
export function answered() {
  lastAnswer = Date.now();
  if (since === null) return;
  since = null;
  clearTimeout(timer);
  showBack();
  dispatchEvent(new Event("fitserve-back"));
}

/** Record that a request got no answer, and show the banner. */
export function unanswered() {
  if (since !== null) return;
  since = Date.now();
  tries = 0;
  showAway();
  plan();
}

/** Return whether a status without a problem means that a proxy reached no service. */
export function isFromProxy(status) {
  return status >= 502 && status <= 504;
}

/** Wait, at least until the service answers. The result is false if `signal` aborts. */
export async function pause(milliseconds, signal) {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  while (since !== null && !signal?.aborted) await nextOf("fitserve-back", signal);
  return !signal?.aborted;
}

function nextOf(event, signal) {
  return new Promise((resolve) => {
    addEventListener(event, resolve, { once: true, signal });
    signal?.addEventListener("abort", resolve, { once: true });
  });
}

function plan() {
  const delay = DELAYS[Math.min(tries, DELAYS.length - 1)];
  tries += 1;
  clearTimeout(timer);
  timer = setTimeout(check, delay * 1000);
}

/** Ask the service for a sign of life. A hidden page waits until it is visible. */
async function check() {
  if (document.visibilityState === "hidden") return;
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const response = await fetch(CHECK, { signal, cache: "no-store" }).catch(() => null);
  if (response && !isFromProxy(response.status)) answered();
  else if (since === null) unanswered();
  else plan();
}

function checkNow() {
  if (since !== null || Date.now() - lastAnswer > QUIET_MS) check();
}

function showAway() {
  const now = h("button", { onclick: checkNow }, "Try now");
  const text = `The service has not answered since ${times.format(since)}. This page shows what `
    + "it knew then, and continues when the service answers.";
  put(place(), h("div.banner.bad", h("p", h("strong", "No connection. "), text), now));
}

function showBack() {
  const shown = h("div.banner.good", h("p", "The service answers again."));
  put(place(), shown);
  setTimeout(() => shown.remove(), THANKS_MS);
}

function place() {
  return document.getElementById("connection");
}

/** Check a page that asks for nothing, so that it also notices a service that is away. */
export function watchConnection() {
  setInterval(() => since === null && checkNow(), QUIET_MS);
  addEventListener("online", checkNow);
  addEventListener("offline", unanswered);
  document.addEventListener("visibilitychange", checkNow);
}
