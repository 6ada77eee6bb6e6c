// What the curve says, and the spec to try next: trained at once, or opened first.

import { newKey, post } from "../../api.js";
import { h, prose, put } from "../../dom.js";
import { attempt } from "../../problems.js";
import { startWith } from "../../start/handover.js";
import { t, word } from "../../text.js";

export function reading(read) {
  if (!read) return null;
  const said = h("div", {});
  const key = newKey(); // pressed twice, it is one run all the same
  const train = h("button", { type: "button", class: "primary" }, t("report.train_next"));
  const open = h("button", { type: "button", on: { click: () => startWith(structuredClone(read.next_spec)) } }, t("report.open_next"));
  train.addEventListener("click", () => attempt(train, said, async () => {
    const run = await post("v1/runs", read.next_spec, { key });
    location.hash = `#/runs/${run.id}`;
  }));
  return h("div", { class: "notice reading" }, h("strong", {}, word("reading", read.word)), h("p", {}, prose(read.sentence)),
    h("p", {}, prose(read.advice)),
    h("p", { class: "links" }, train, open), put(said));
}
