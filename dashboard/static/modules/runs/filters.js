// The search and the filters of the Runs page. The address of the page contains them.

import { get } from "../api.js";
import { h, newId } from "../dom.js";
import { field, select } from "../parts.js";

const STATUSES = ["queued", "running", "succeeded", "failed", "cancelled"];
const QUIET_MS = 300;
const NAMES = ["text", "status", "model", "tag"];

/** Build the controls. They call `show(filters)` when the user has changed one. */
export function filterBar(query, signal, show) {
  const given = (name) => query.get(name) ?? "";
  const text = input("search", "text", given("text"), { maxlength: 200 });
  const status = select([["", "All statuses"], ...STATUSES], given("status"), at("status"));
  const model = input("text", "model", given("model"), { maxlength: 100 });
  const tag = input("text", "tag", given("tag"), { placeholder: "name:value", maxlength: 700 });
  const controls = { text, status, model, tag };
  const read = () => Object.fromEntries(
    NAMES.map((name) => [name, controls[name].value.trim()]));
  let timer = null;
  const act = () => {
    clearTimeout(timer);
    const filters = read();
    keepInAddress(filters);
    show(filters);
  };
  const actSoon = () => {
    clearTimeout(timer);
    timer = setTimeout(act, QUIET_MS);
  };
  signal.addEventListener("abort", () => clearTimeout(timer));
  status.addEventListener("change", act);
  [text, model, tag].forEach((one) => one.addEventListener("input", actSoon));
  suggestModels(model, signal);
  const onsubmit = (event) => {
    event.preventDefault();
    act();
  };
  const element = h("form.filters", { role: "search", onsubmit },
    field("Search", text, { hint: "Words of a name, a tag or the notes" }),
    field("Status", status), field("Model", model), field("Tag", tag));
  return { element, read };
}

function at(name) {
  return { "data-pointer": `#/query/${name}` };
}

function input(type, name, value, props) {
  return h("input", { type, value, autocomplete: "off", spellcheck: "false", ...at(name), ...props });
}

/** Write the filters to the address, without a new entry in the browser's history. */
function keepInAddress(filters) {
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value));
  history.replaceState(null, "", query.size ? `#/runs?${query}` : "#/runs");
}

/** Offer the names of models. Without the scope to read them, offer none. */
function suggestModels(control, signal) {
  const id = newId("models");
  get("v1/models?limit=100", signal).then(({ items }) => {
    control.setAttribute("list", id);
    control.after(h("datalist", { id }, items.map(({ name }) => h("option", { value: name }))));
  }, () => {});
}
