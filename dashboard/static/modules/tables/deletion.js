// The button that deletes one version of a table.

import { v1 } from "../api.js";
import { deleteButton } from "../deletion.js";

const DETAIL = "This permanently deletes the version and the files that no later version has. "
  + "Models that were trained on it continue to work.";

/** Build the button. After the deletion, open the page `next`. */
export function deleteVersionButton({ id, name, version }, next, label = `Delete version ${version}`) {
  return deleteButton(v1("datasets", id), `Version ${version} of the table ${name}`, {
    label,
    "aria-label": `Delete version ${version}`,
    title: `Delete version ${version} of the table ${name}?`,
    detail: DETAIL,
    next,
  });
}
