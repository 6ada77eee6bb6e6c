// Reads a run's events with fetch, because EventSource cannot send a key.

import { isPassing, request } from "./api.js";
import { pause } from "./connection.js";

const PAUSE_MS = 1000;

/** Call `report(type, data)` for each event after epoch `after`, until the run has ended. */
export async function follow(path, after, report, signal) {
  let last = after;
  let isEnded = false;
  const read = ({ event, id, data }) => {
    if (id) last = id;
    const value = JSON.parse(data);
    report(event, value);
    isEnded = event === "status" && value.ended_at !== null;
  };
  while (!isEnded && !signal.aborted) {
    try {
      await readStream(path, last, read, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error.problem && !isPassing(error.problem)) throw error; // a retry would fail again
    }
    if (!isEnded) await pause(PAUSE_MS, signal);
  }
}

/** Read one stream to its end. A stream from before a lost connection is abandoned. */
async function readStream(path, last, read, leaving) {
  const headers = { "Last-Event-ID": String(last), Accept: "text/event-stream" };
  const old = new AbortController();
  const signal = AbortSignal.any([leaving, old.signal]);
  addEventListener("fitserve-back", () => old.abort(), { once: true, signal });
  const { body } = await request(path, { headers, signal });
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop();
    blocks.map(fieldsOf).filter(({ data }) => data).forEach(read);
  }
}

/** Return the fields of one event. Each line is a field. */
function fieldsOf(block) {
  return Object.fromEntries(block.split("\n").map((line) => line.split(/: ?(.*)/, 2)));
}
