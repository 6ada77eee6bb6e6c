// A model: its versions, its aliases, a form to try it, code, files.

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
      h("div.actions", h("a.button", { href: `#/runs/${version.run_id}` }, "Its run"))),
    lackingNotice(["models:predict", "models:write"]), tryForm(version, schema),
    versionsSection(name, version.version, versions, list), snippets(code), downloads(version),
    deletion(name, version, versions.items.length));
}

/** The deletion of the last version deletes its model, so then there is one button. */
function deletion(name, version, count) {
  const isOneOfSeveral = count > 1;
  const called = `version ${version.version}`;
  return card("deletion", "Delete", [
    h("p.hint", "A version that an alias points to cannot be deleted; remove the alias first."),
    isOneOfSeveral && deleteButton(versionPath(version), called, {
      label: `Delete ${called}`,
      title: `Delete ${called}?`,
      detail: "Its files and its report are deleted for good, and its number is never used again. "
        + "The run and its history stay.",
      next: `#/models/${encodeURIComponent(name)}`,
    }),
    deleteButton(v1("models", name), name, {
      label: `Delete the model ${name}`,
      title: `Delete ${name} with all its versions?`,
      detail: "Nobody can predict with it any more, and its files are deleted for good. "
        + "Its runs and their histories stay.",
      next: "#/models",
    }),
  ]);
}
