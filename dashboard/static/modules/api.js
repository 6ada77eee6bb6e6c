// The public API, as any client calls it. Failures are problems (RFC 9457).

import { askForKey, authorization } from "./key.js";
import { t } from "./text.js";

/** What the service answered in place of what was asked for. */
export class ProblemError extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** The response of a request that went well; asks for a key where one is wanted. */
export async function request(path, { headers = {}, ...options } = {}) {
  const sent = authorization();
  let response;
  try {
    response = await fetch(path, { ...options, headers: { ...headers, ...sent } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ProblemError({ status: 0, title: t("problem.unreachable"), detail: t("problem.unreachable_detail") });
  }
  if (response.ok) return response;
  const problem = await problemOf(response);
  if (response.status !== 401) throw new ProblemError(problem);
  await askForKey(sent, problem.detail);
  return request(path, { headers, ...options });
}

/** The problem in a response, also where a proxy answered with something else. */
export async function problemOf(response) {
  try {
    const body = await response.json();
    if (body.detail) return body;
  } catch {
    // not JSON: the status is all that is known
  }
  return { status: response.status, title: response.statusText, detail: t("problem.status", { n: response.status }) };
}

export async function get(path, signal) {
  return (await request(path, { signal })).json();
}

/** Sent again safely: the same press of a button is one request to the service. */
export async function post(path, body, { signal, key } = {}) {
  const headers = { "Content-Type": "application/json" };
  if (key) headers["Idempotency-Key"] = key;
  return (await request(path, { method: "POST", headers, body: JSON.stringify(body), signal })).json();
}

export async function put(path, body) {
  const headers = { "Content-Type": "application/json" };
  return (await request(path, { method: "PUT", headers, body: JSON.stringify(body) })).json();
}

export async function remove(path) {
  await request(path, { method: "DELETE" });
}

/** What may be absent: null where the service has no such thing. */
export async function find(path, signal) {
  try {
    return await get(path, signal);
  } catch (error) {
    if (error instanceof ProblemError && error.problem.status === 404) return null;
    throw error;
  }
}

/** Random, also where the page did not come over TLS. */
export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A path below /v1 with every part made safe. */
export function v1(...parts) {
  return `v1/${parts.map(encodeURIComponent).join("/")}`;
}
