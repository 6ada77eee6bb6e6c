// Links to the files of a version.

import { request, versionPath } from "../api.js";
import { h } from "../dom.js";
import { bytes } from "../format.js";
import { authorization } from "../key.js";
import { card } from "../parts.js";

export function downloads(version) {
  const item = ({ name, num_bytes: size, sha256 }) => h("li",
    fileLink(versionPath(version, "artifacts", name), name), h("span.figure", bytes(size)),
    h("code", { title: sha256 }, `sha256 ${sha256.slice(0, 12)}…`));
  return card("files", "Files", h("ul.files", version.artifacts.map(item)));
}

/** Build a link to a file. Fetch the file by script if a key is set: a link cannot send it. */
export function fileLink(href, name) {
  const onclick = async (event) => {
    if (!authorization().Authorization) return;
    event.preventDefault();
    const response = await request(href);
    const blob = URL.createObjectURL(await response.blob());
    h("a", { href: blob, download: nameOf(response) ?? name }).click();
    setTimeout(() => URL.revokeObjectURL(blob), 60_000);
  };
  return h("a", { href, download: name, onclick }, name);
}

/** Return the file name from the Content-Disposition header. */
function nameOf({ headers }) {
  const disposition = headers.get("Content-Disposition") ?? "";
  const [, name] = /filename\*=UTF-8''([^;]+)/i.exec(disposition) ?? [];
  return name && decodeURIComponent(name);
}
