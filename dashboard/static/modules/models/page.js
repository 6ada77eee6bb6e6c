// The page of a model: prediction form, lineage of versions, changes, code and files.

import { get, outcome, ProblemError, v1, versionPath } from "../api.js";
import { deleteButton } from "../deletion.js";
import { h } from "../dom.js";
import { figureSentence } from "../format.js";
import { card } from "../parts.js";
import { lackingNotice } from "../session.js";
import { formerUse } from "./changes.js";
import { downloads } from "./downloads.js";
import { snippets } from "./snippets.js";
import { standing } from "./standing.js";
import { tryForm } from "./try.js";
import { isRefused, unreadModel } from "./unread.js";
import { versionsSection } from "./versions.js";

const DETAIL = "This permanently deletes the files and the report of the version. The version "
  + "number is not used again. The run and its history remain.";

export async function page({ given: [name, wanted], signal }) {
  const { value: state, problem } = await outcome(readState(name, signal));
  if (isRefused(problem)) return unreadModel(name, wanted);
  if (problem) throw new ProblemError(problem);
  const number = wanted ?? String(state.model.serving_version);
  const of = (...parts) => versionPath({ model_name: name, version: number }, ...parts);
  const codePath = wanted === undefined ? v1("models", name, "snippets") : of("snippets");
  const [version, schema, code] = await Promise.all([
    get(of(), signal), get(of("schema"), signal), get(codePath, signal),
  ]);
  return h("section",
    h("div.head", h("h1", { tabindex: "-1" }, name), h("span.chip", `version ${number}`),
      version.serves && h("span.chip.succeeded", "serves"),
      h("div.actions", h("a.button", { href: `#/runs/${version.run_id}` }, "Training run"))),
    version.main_figure && h("p.verdict", figureSentence(version.main_figure)),
    version.serves && standing(version), lackingNotice(["models:predict", "models:write"]),
    tryForm(version, schema),
    versionsSection(version.version, state, () => readState(name, signal)),
    snippets(code, wanted), downloads(version), deletion(name, version, state.versions.items.length));
}

/** Read a model, its versions and its changes. */
async function readState(name, signal) {
  const of = (...parts) => v1("models", name, ...parts);
  const [model, versions, changes] = await Promise.all([
    get(of(), signal), get(`${of("versions")}?limit=100`, signal),
    get(`${of("changes")}?limit=50`, signal),
  ]);
  return { model, versions, changes };
}

/** Build the buttons. The only version of a model is deleted together with the model. */
function deletion(name, version, count) {
  const isOneOfSeveral = count > 1;
  const called = `version ${version.version}`;
  return card("deletion", "Delete", [
    h("p.hint", "A version that serves, or that an alias points to, cannot be deleted: promote another "
      + "version, or remove the alias first."),
    isOneOfSeveral && deleteButton(versionPath(version), `Version ${version.version} of ${name}`, {
      label: `Delete ${called}`,
      title: `Delete ${called}?`,
      detail: async () => {
        const changes = await get(`${v1("models", name, "changes")}?limit=100`);
        return `${formerUse(changes, version.version)} ${DETAIL}`.trim();
      },
      next: `#/models/${encodeURIComponent(name)}`,
    }),
    deleteButton(v1("models", name), `The model ${name}`, {
      label: `Delete the model ${name}`,
      title: `Delete the model ${name} and all its versions?`,
      detail: "This permanently deletes the files of the model. Requests to the model fail. "
        + "Its runs and their histories remain.",
      next: "#/models",
    }),
  ]);
}
