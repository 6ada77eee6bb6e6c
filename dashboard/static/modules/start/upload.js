// Sending a CSV. By XMLHttpRequest, the only way to hear how much has been sent.

import { ProblemError, get, v1 } from "../api.js";
import { askForKey, authorization } from "../key.js";
import { t } from "../text.js";

/** The dataset, once it has been read; `told(share, what)` hears of the progress. */
export async function upload(file, told, signal) {
  let dataset = await send(file, told, signal);
  while (dataset.status === "processing") {
    told(dataset.progress, t("table.reading"));
    dataset = await get(`${v1("datasets", dataset.id)}?wait=1`, signal);
  }
  if (dataset.error) throw new ProblemError(dataset.error);
  return dataset;
}

async function send(file, told, signal) {
  const sent = authorization();
  const { status, body } = await sendOnce(file, sent, told, signal);
  if (status === 201) return body;
  if (status !== 401) throw new ProblemError(body);
  await askForKey(sent, body.detail);
  return send(file, told, signal);
}

function sendOnce(file, headers, told, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `v1/datasets?filename=${encodeURIComponent(file.name)}`);
    request.setRequestHeader("Content-Type", "text/csv");
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => told(event.loaded / event.total, t("table.sending")));
    request.addEventListener("load", () => resolve({ status: request.status, body: parsed(request) }));
    request.addEventListener("error", () => reject(new ProblemError({ title: t("problem.unreachable"), detail: t("problem.unreachable_detail") })));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

function parsed(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return { title: request.statusText, detail: t("problem.status", { n: request.status }) };
  }
}
