// A model: its versions, where its aliases point, a form to try it, code, downloads.

import { get, v1 } from "../api.js";
import { deleteButton } from "../deletion.js";
import { h } from "../dom.js";
import { lackingNotice } from "../session.js";
import { t } from "../text.js";
import { downloads } from "./downloads.js";
import { snippets } from "./snippets.js";
import { tryForm } from "./try.js";
import { versionsSection } from "./versions.js";

export async function page({ given: [name, given], signal }) {
  const model = await get(v1("models", name), signal);
  const version = given ?? String(model.latest_version);
  const list = () => get(`${v1("models", name, "versions")}?limit=100`, signal);
  const [read, schema, code, versions] = await Promise.all([
    get(v1("models", name, "versions", version), signal),
    get(v1("models", name, "versions", version, "schema"), signal),
    get(v1("models", name, "versions", version, "snippets"), signal),
    list(),
  ]);
  return h("section", {},
    h("div", { class: "head" }, h("h1", { tabindex: "-1" }, name), h("span", { class: "chip" }, t("models.version", { n: version })),
      h("div", { class: "actions" }, h("a", { class: "button", href: `#/runs/${read.run_id}` }, t("models.its_run")))),
    lackingNotice(["models:predict", "models:write"]), tryForm(read, schema), versionsSection(name, Number(version), versions, list), snippets(code), downloads(read), deletion(name, version, versions.items));
}

/** The last version takes its model along, so then there is but one button. */
function deletion(name, version, versions) {
  const path = v1("models", name);
  return h("section", { class: "card", "aria-labelledby": "deletion" }, h("h2", { id: "deletion" }, t("delete.title")),
    h("p", { class: "hint" }, t("delete.hint")),
    versions.length > 1 && deleteButton(`${path}/versions/${version}`, "version", t("models.version", { n: version }), `#/models/${encodeURIComponent(name)}`),
    deleteButton(path, "model", name, "#/models"));
}
