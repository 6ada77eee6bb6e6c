// The public API, as any client calls it. Failures are problems (RFC 9457).

import { askForKey, authorization } from "./key.js";

/** An answer of the service that is a problem. */
export class ProblemError extends Error {
  constructor(problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** Return the response of a request that succeeded. Ask for a key if the service wants one. */
export async function request(path, { headers = {}, ...options } = {}, transport = fetch) {
  const sent = authorization();
  const all = { ...options, headers: { ...headers, ...sent } };
  const response = await transport(path, all).catch(unreachable);
  if (response.ok) return response;
  const problem = await problemIn(response);
  if (response.status !== 401) throw new ProblemError(problem);
  await askForKey(sent, problem.detail);
  return request(path, { headers, ...options }, transport);
}

function unreachable(error) {
  if (error.name === "AbortError") throw error;
  throw new ProblemError({
    status: 0,
    title: "The service does not answer",
    detail: "No response came. Is the service running, and is this machine online?",
  });
}

/** Return the problem in a response, also if a proxy sent something else. */
async function problemIn(response) {
  const { status, statusText: title } = response;
  const body = await response.json().catch(() => ({})); // not JSON: only the status is known
  return body.detail ? body : { status, title, detail: `HTTP status ${status} without a reason.` };
}

export async function get(path, signal) {
  return (await request(path, { signal })).json();
}

/** Send JSON. The service treats requests with the same `key` as one. */
export async function send(method, path, body, { signal, key } = {}) {
  const headers = { "Content-Type": "application/json", ...(key && { "Idempotency-Key": key }) };
  const response = await request(path, { method, headers, body: JSON.stringify(body), signal });
  return response.status === 204 ? null : response.json();
}

/** Return `{ value }` of a promise, or `{ problem }` if the service refused. */
export async function outcome(promise) {
  try {
    return { value: await promise };
  } catch (error) {
    if (error instanceof ProblemError) return { problem: error.problem };
    throw error;
  }
}

/** Return what is at a path, or null if there is nothing. */
export async function find(path, signal) {
  const { value = null, problem } = await outcome(get(path, signal));
  if (problem && problem.status !== 404) throw new ProblemError(problem);
  return value;
}

/** Return a random key. `crypto.randomUUID` would need TLS. */
export function newKey() {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(16)).join("-");
}

/** Return a path below /v1 whose parts are escaped. */
export function v1(...parts) {
  return `v1/${parts.map(encodeURIComponent).join("/")}`;
}

/** Return the path of a version of a model, or of something below it. */
export function versionPath({ model_name: name, version }, ...parts) {
  return v1("models", name, "versions", String(version), ...parts);
}
