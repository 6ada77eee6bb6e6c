// Sends a file of rows to the service, and shows the progress.

import { ProblemError, get, request, v1 } from "./api.js";
import { h, put } from "./dom.js";

/** The files that a file picker offers. */
export const ACCEPTED = ".csv,.tsv,.txt,.gz,.zst,.jsonl,.ndjson,.parquet,.arrow,.feather,.xlsx,"
  + ".ods,text/csv";

/** Send a file to `path` and return the dataset when it is read. `place` shows the progress. */
export async function sendTable(path, file, place, signal) {
  const bar = h("progress", { max: 1, value: 0, "aria-label": file.name });
  const step = h("span", "Uploading");
  put(place, h("div.sending", h("span", file.name), bar, step));
  const report = (share, text) => {
    bar.value = share;
    put(step, text);
  };
  const options = { method: "POST", headers: { "Content-Type": "text/csv" }, body: file, signal };
  let dataset = await (await request(path, options, sendingWith(report))).json();
  while (dataset.status === "processing") {
    report(dataset.progress, "Reading");
    dataset = await get(`${v1("datasets", dataset.id)}?wait=1`, signal);
  }
  if (dataset.error) throw new ProblemError(dataset.error);
  return dataset;
}

/** Return a `fetch` that uses XMLHttpRequest, because `fetch` reports no upload progress. */
function sendingWith(report) {
  return (path, { method, headers, body, signal }) => new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.open(method, path);
    for (const [name, value] of Object.entries(headers)) sending.setRequestHeader(name, value);
    sending.upload.onprogress = ({ loaded, total }) => report(loaded / total, "Uploading");
    sending.onload = () => {
      const { responseText, status, statusText } = sending;
      resolve(new Response(responseText, { status, statusText }));
    };
    sending.onerror = () => reject(new TypeError("The connection failed"));
    sending.onabort = () => reject(signal.reason);
    signal.addEventListener("abort", () => sending.abort());
    sending.send(body);
  });
}
