// The page of a model: prediction form, versions, aliases, code and files.

import { get, v1, versionPath } from "../api.js";
import { deleteButton } from "../deletion.js";
import { h } from "../dom.js";
import { card } from "../parts.js";
import { lackingNotice } from "../session.js";
import { downloads } from "./downloads.js";
import { snippets } from "./snippets.js";
import { tryForm } from "./try.js";
import { versionsSection } from "./versions.js";

export async function page({ given: [name, wanted], signal }) {
  const model = await get(v1("models", name), signal);
  const number = wanted ?? String(model.latest_version);
  const of = (...parts) => versionPath({ model_name: name, version: number }, ...parts);
  const list = () => get(`${v1("models", name, "versions")}?limit=100`, signal);
  const [version, schema, code, versions] = await Promise.all([
    get(of(), signal), get(of("schema"), signal), get(of("snippets"), signal), list(),
  ]);
  return h("section",
    h("div.head", h("h1", { tabindex: "-1" }, name), h("span.chip", `version ${number}`),
      h("div.actions", h("a.button", { href: `#/runs/${version.run_id}` }, "Training run"))),
    lackingNotice(["models:predict", "models:write"]), tryForm(version, schema),
    versionsSection(name, version.version, versions, list), snippets(code), downloads(version),
    deletion(name, version, versions.items.length));
}

/** Build the buttons. The only version of a model is deleted together with the model. */
function deletion(name, version, count) {
  const isOneOfSeveral = count > 1;
  const called = `version ${version.version}`;
  return card("deletion", "Delete", [
    h("p.hint", "A version that an alias points to cannot be deleted. Remove the alias first."),
    isOneOfSeveral && deleteButton(versionPath(version), called, {
      label: `Delete ${called}`,
      title: `Delete ${called}?`,
      detail: "This permanently deletes the files and the report of the version. The version "
        + "number is not used again. The run and its history remain.",
      next: `#/models/${encodeURIComponent(name)}`,
    }),
    deleteButton(v1("models", name), name, {
      label: `Delete the model ${name}`,
      title: `Delete the model ${name} and all its versions?`,
      detail: "This permanently deletes the files of the model. Requests to the model fail. "
        + "Its runs and their histories remain.",
      next: "#/models",
    }),
  ]);
}
