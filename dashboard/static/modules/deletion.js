// A button that deletes something, once somebody has said yes.

import { remove } from "./api.js";
import { confirmed } from "./confirm.js";
import { announce, goTo, h } from "./dom.js";
import { attempt } from "./problems.js";
import { t } from "./text.js";

/** `kind` and `name` say what; a refusal is told beside the button; afterwards the page is `next`. */
export function deleteButton(path, kind, name, next) {
  const said = h("div", {});
  const button = h("button", { type: "button", class: "quiet bad" }, t(`delete.${kind}`, { name }));
  button.addEventListener("click", async () => {
    if (!(await confirmed(t(`delete.${kind}_title`, { name }), t(`delete.${kind}_detail`), t("delete.yes")))) return;
    if (!(await attempt(button, said, () => remove(path)))) return;
    goTo(next);
    announce(t("delete.done", { name }));
  });
  return h("div", { class: "delete" }, button, said);
}
