// A model: its versions, where its aliases point, a form to try it, code, downloads.

import { get, v1 } from "../api.js";
import { h, put } from "../dom.js";
import { t } from "../text.js";
import { downloads } from "./downloads.js";
import { snippets } from "./snippets.js";
import { tryForm } from "./try.js";
import { versionsSection } from "./versions.js";

export async function page({ given: [name, given], signal }) {
  const model = await get(v1("models", name), signal);
  const version = given ?? String(model.latest_version);
  const [read, schema, code, versions] = await Promise.all([
    get(v1("models", name, "versions", version), signal),
    get(v1("models", name, "versions", version, "schema"), signal),
    get(v1("models", name, "versions", version, "snippets"), signal),
    get(`${v1("models", name, "versions")}?limit=100`, signal),
  ]);
  const table = h("div", {});
  const draw = (page) => put(table, versionsSection(name, Number(version), page, refresh));
  const refresh = async () => draw(await get(`${v1("models", name, "versions")}?limit=100`, signal));
  draw(versions);
  return h("section", {},
    h("div", { class: "head" }, h("h1", { tabindex: "-1" }, name), h("span", { class: "chip" }, t("models.version", { n: version })),
      h("div", { class: "actions" }, h("a", { class: "button", href: `#/runs/${read.run_id}` }, t("models.its_run")))),
    tryForm(read, schema), table, snippets(code), downloads(read));
}
