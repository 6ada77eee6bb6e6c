// Calls to the public API. Failures are problems (RFC 9457).

import { answered, isFromProxy, unanswered } from "./connection.js";
import { askForKey, authorization } from "./key.js";

/** A problem that the service returned. */
export class ProblemError extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** Return the response of a successful request. Ask for a key if the service requires one. */
export async function request(path, { headers = {}, ...options } = {}, transport = fetch) {
  const sent = authorization();
  const all = { ...options, headers: { ...headers, ...sent } };
  const response = await transport(path, all).catch(unreachable);
  if (response.ok) {
    answered();
    return response;
  }
  const problem = await problemIn(response);
  if (response.status !== 401) throw new ProblemError(problem);
  await askForKey(sent, problem.detail);
  return request(path, { headers, ...options }, transport);
}

/** Show that the service does not answer, and throw a problem with the status 0. */
export function unreachable(error) {
  if (error.name === "AbortError") throw error;
  unanswered();
  throw new ProblemError({
    status: 0,
    title: "No response from the service",
    detail: "Check that the service is running and that this device is online, then retry.",
  });
}

/** Return the problem in a response, or build one if a proxy sent another body. */
async function problemIn(response) {
  const { status, statusText: title } = response;
  const body = await response.json().catch(() => ({})); // not JSON: only the status is known
  if (!body.detail && isFromProxy(status)) unreachable(new Error(title));
  answered();
  return body.detail ? body : { status, title, detail: `Received HTTP status ${status}.` };
}

/** Return whether a problem may pass: no answer, or an error of the service. */
export function isPassing(problem) {
  return problem !== undefined && (problem.status === 0 || problem.status >= 500);
}

export async function get(path, signal) {
  return (await request(path, { signal })).json();
}

/** Send JSON. The service executes requests with the same `key` once. */
export async function send(method, path, body, { signal, key } = {}) {
  const headers = { "Content-Type": "application/json", ...(key && { "Idempotency-Key": key }) };
  const response = await request(path, { method, headers, body: JSON.stringify(body), signal });
  return response.status === 204 ? null : response.json();
}

/** Return `{ value }` of a promise, or `{ problem }` if the service rejected the request. */
export async function outcome(promise) {
  try {
    return { value: await promise };
  } catch (error) {
    if (error instanceof ProblemError) return { problem: error.problem };
    throw error;
  }
}

/** Return the resource at a path, or null if it does not exist. */
export async function find(path, signal) {
  const { value = null, problem } = await outcome(get(path, signal));
  if (problem && problem.status !== 404) throw new ProblemError(problem);
  return value;
}

/** Return a random key. `crypto.randomUUID` requires TLS. */
export function newKey() {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(16)).join("-");
}

/** Return a path under /v1 with escaped parts. */
export function v1(...parts) {
  return `v1/${parts.map(encodeURIComponent).join("/")}`;
}

/** Return the path of a model version, or of a resource of that version. */
export function versionPath({ model_name: name, version }, ...parts) {
  return v1("models", name, "versions", String(version), ...parts);
}
