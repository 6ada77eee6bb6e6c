// A question before something is lost. By keys: Escape is no, and focus begins on no.

import { h, newId } from "./dom.js";
import { t } from "./text.js";

/** Whether somebody says yes; `yes` is the word on the button that does it. */
export function confirmed(title, detail, yes) {
  const id = newId("confirm");
  const no = h("button", { type: "button" }, t("confirm.no"));
  const act = h("button", { type: "button", class: "danger" }, yes);
  const dialog = h("dialog", { role: "alertdialog", "aria-labelledby": `${id}-title`, "aria-describedby": `${id}-said` },
    h("h2", { id: `${id}-title` }, title), h("p", { id: `${id}-said` }, detail), h("div", { class: "actions" }, no, act));
  document.body.append(dialog);
  dialog.showModal();
  no.focus();
  addEventListener("hashchange", () => dialog.close(), { once: true }); // what it asks about is left
  return new Promise((resolve) => {
    let isSure = false;
    act.addEventListener("click", () => {
      isSure = true;
      dialog.close();
    });
    no.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(isSure);
    });
  });
}
