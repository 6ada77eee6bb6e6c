// The pages of models for a key that may not read models: what it lacks, and what it may do.

import { v1 } from "../api.js";
import { h } from "../dom.js";
import { card, field, pageOf } from "../parts.js";
import { lackingNotice } from "../session.js";
import { fileForm } from "./try_file.js";

const NEEDED = ["models:read", "models:predict"];

/** Return whether the service refused to show models because of the scopes of the key. */
export function isRefused(problem) {
  return problem?.type?.endsWith("/missing-scope") ?? false;
}

/** Build the page of a model. Without its schema, only a file can be predicted. */
export function unreadModel(name, version) {
  const of = version === undefined ? [] : ["versions", version];
  return pageOf(name, lackingNotice(NEEDED), card("try", "Predict", [
    h("p.hint", "With the scope ", h("code", "models:predict"), ", a key can still predict the "
      + "rows of a file. The form for one row needs the columns of the model, which the key "
      + "cannot read."),
    fileForm({ path: v1("models", name, ...of, "predict"), target: "value" }),
  ]));
}

/** Build the list of models: a form that opens the page of a model by its name. */
export function unreadModels() {
  const input = h("input", { type: "text", autocomplete: "off", spellcheck: "false", required: true });
  const onsubmit = (event) => {
    event.preventDefault();
    location.hash = `#/models/${encodeURIComponent(input.value.trim())}`;
  };
  return pageOf("Models", lackingNotice(NEEDED), card("by-name", "Open a model", [
    h("form.stacked", { onsubmit }, field("Name of the model", input),
      h("div.go", h("button.primary", "Open"))),
  ]));
}
