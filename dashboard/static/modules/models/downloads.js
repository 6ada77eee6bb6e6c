// The files of a version.

import { request, v1 } from "../api.js";
import { h } from "../dom.js";
import { bytes } from "../format.js";
import { authorization } from "../key.js";
import { t } from "../text.js";

export function downloads(version) {
  const of = (name) => v1("models", version.model_name, "versions", String(version.version), "artifacts", name);
  return h("section", { class: "card", "aria-labelledby": "files" }, h("h2", { id: "files" }, t("files.title")),
    h("ul", { class: "files" }, version.artifacts.map((one) => h("li", {},
      fileLink(of(one.name), one.name), h("span", { class: "figure" }, bytes(one.num_bytes)), h("code", { title: one.sha256 }, `sha256 ${one.sha256.slice(0, 12)}…`)))));
}

/** A link; where a key is in use, the file is fetched with it, as a link cannot. */
export function fileLink(address, name) {
  const link = h("a", { href: address, download: name }, name);
  link.addEventListener("click", async (event) => {
    if (!authorization().Authorization || link.href.startsWith("blob:")) return;
    event.preventDefault();
    const response = await request(address);
    const copy = h("a", { href: URL.createObjectURL(await response.blob()), download: nameOf(response) ?? name });
    copy.click();
    setTimeout(() => URL.revokeObjectURL(copy.href), 60_000);
  });
  return link;
}

/** What the service calls the file: by a link the browser would take that name too. */
function nameOf(response) {
  const [, name] = /filename\*=UTF-8''([^;]+)/i.exec(response.headers.get("Content-Disposition") ?? "") ?? [];
  return name && decodeURIComponent(name);
}
