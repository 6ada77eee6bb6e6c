// The tags of a run.

import { h } from "../dom.js";

/** Build the list of tags, or null. Each tag is a link to the runs with it. */
export function tagList(tags) {
  const names = Object.entries(tags);
  return names.length > 0 && h("span.tag-list", names.map((pair) => tagLink(pair)));
}

export function tagLink([name, value]) {
  const tag = `${name}:${value}`;
  return h("a.alias", { href: `#/runs?${new URLSearchParams({ tag })}` }, value ? tag : name);
}
