// A run's events. By fetch and not by EventSource, which cannot send a key.

import { request } from "./api.js";

const PAUSE_MS = 1000;

/** Call `hear(type, data)` for each event behind epoch `after`, until the stream's last. */
export async function follow(path, after, hear, signal) {
  let last = after;
  let ended = false;
  const told = (event) => {
    if (event.id) last = event.id;
    const data = JSON.parse(event.data);
    hear(event.type, data);
    ended = event.type === "status" && data.ended_at !== null;
  };
  while (!ended && !signal.aborted) {
    try {
      await readOnce(path, last, told, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error.problem && error.problem.status !== 0 && error.problem.status < 500) throw error;
    }
    if (!ended) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

async function readOnce(path, last, told, signal) {
  const response = await request(path, { headers: { "Last-Event-ID": String(last), Accept: "text/event-stream" }, signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const event = parsed(block);
      if (event.data) told(event);
    }
  }
}

function parsed(block) {
  const event = { type: "message", id: null, data: "" };
  for (const line of block.split("\n")) {
    const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name === "event") event.type = value;
    else if (name === "id") event.id = value;
    else if (name === "data") event.data += value;
  }
  return event;
}
