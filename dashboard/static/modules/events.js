// Reads a run's events with fetch, because EventSource cannot send a key.

import { request } from "./api.js";

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
      const { status = 0 } = error.problem ?? {};
      if (status !== 0 && status < 500) throw error; // a retry would fail again
    }
    if (!isEnded) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

async function readStream(path, last, read, signal) {
  const headers = { "Last-Event-ID": String(last), Accept: "text/event-stream" };
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
