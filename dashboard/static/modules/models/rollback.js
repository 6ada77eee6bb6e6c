// The button that undoes the last change of an alias, or of the serving version.

import { send, v1 } from "../api.js";
import { isConfirmed } from "../confirmation.js";
import { h } from "../dom.js";
import { lastUndoable } from "./changes.js";
import { nextRunNote } from "./promotion_rule.js";

/** Build the button, or return null if no change is left to undo. `alias` is null for the
 *  serving version. `act` sends the request and shows the sentence. */
export function rollbackButton({ model, changes }, alias, act) {
  const last = lastUndoable(changes, alias);
  if (!last) return null;
  const now = alias === null ? model.serving_version : model.aliases[alias];
  const [who, verb] = alias === null ? ["Requests without a version", "get"] : [alias, "points to"];
  const undo = () => send("POST", v1("models", model.name, "changes", "undo"),
    { alias, change: last.number });
  const onclick = async () => {
    const detail = `${who} ${verb} version ${last.before} again, instead of version ${now}. `
      + `This undoes change ${last.number} (${last.why}).`;
    const isSure = await isConfirmed(`Roll back to version ${last.before}?`,
      alias === null ? `${detail} ${nextRunNote(model)}` : detail, "Roll back");
    if (isSure) await act(undo, ({ after }) => `${who} ${verb} version ${after} again.`);
  };
  const label = alias === null ? "Roll back the serving version" : `Roll back ${alias}`;
  return h("button.quiet", { "data-act": `undo ${alias ?? ""}`, onclick },
    `${label} to version ${last.before}`);
}
