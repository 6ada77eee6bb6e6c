// The dialog that lets a version serve, or points an alias at it.

import { outcome, send, v1 } from "../api.js";
import { h, put } from "../dom.js";
import { metricNamed, word } from "../format.js";
import { field, openDialog, select } from "../parts.js";
import { problemBox } from "../problems.js";
import { nextRunNote } from "./promotion_rule.js";

const [SERVING, OTHER] = ["", " other"]; // names of aliases have no spaces
const DETAIL = "Requests use the version within one second. One call rolls back.";

/** Open the dialog. After a promotion, close it and call `done` with a sentence. The version
 *  that serves can only get an alias. */
export function openPromotion(model, { version, serves }, done) {
  const { name, aliases, main_figure: figure } = model;
  const example = `${word(figure?.metric ?? "accuracy")} >= current`;
  const [title, action] = serves ? ["Point an alias at", "Point the alias"] : ["Promote", "Promote"];
  const known = Object.entries(aliases).filter(([, to]) => to !== version)
    .map(([alias]) => [alias, `alias ${alias}`]);
  const targets = [
    !serves && [SERVING, "requests without a version"], ...known, [OTHER, "another alias"],
  ].filter(Boolean);
  const pointer = select(targets, targets[0][0]);
  const alias = textInput({ value: Object.keys(aliases).length ? "" : "live", maxlength: 100 });
  const require = textInput({ placeholder: example, maxlength: 200, spellcheck: "false" });
  const reason = textInput({ maxlength: 500 });
  const other = field("Alias", alias);
  const failed = h("div");
  pointer.addEventListener("change", () => { other.hidden = pointer.value !== OTHER; });
  other.hidden = pointer.value !== OTHER;

  const promote = async (allowNewContract) => {
    put(failed);
    const conditions = requirements(require.value);
    if (typeof conditions === "string") return put(failed, problemBox(noCondition(conditions, example)));
    const moved = pointer.value === OTHER ? alias.value.trim() : pointer.value;
    if (pointer.value === OTHER && !moved) return put(failed, problemBox(NO_ALIAS));
    const path = moved ? v1("models", name, "aliases", moved) : v1("models", name, "serving");
    const body = {
      version, require: conditions, allow_new_contract: allowNewContract,
      reason: reason.value.trim() || null,
    };
    const { problem } = await outcome(send("PUT", path, body));
    if (problem) return put(failed, refusal(problem, () => promote(true)));
    dialog.close();
    return done(moved ? `${moved} now points to version ${version}.` : `Version ${version} serves now.`);
  };
  const onsubmit = (event) => {
    event.preventDefault();
    promote(false);
  };
  const dialog = openDialog("dialog", `${title} version ${version}`,
    serves ? DETAIL : `${DETAIL} ${nextRunNote(model)}`,
    h("form", { onsubmit, novalidate: true },
      field("For", pointer), other, field("Conditions", require, {
        hint: `Optional. Metrics on held-out rows, for example ${example}.`,
      }),
      field("Reason", reason, { hint: "Optional. Shown in the changes." }),
      failed,
      h("div.actions",
        h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"),
        h("button.primary", action))));
}

function textInput(props) {
  return h("input", { type: "text", autocomplete: "off", ...props });
}

/** Build the box of a refusal. A new contract can be accepted. */
function refusal(problem, accept) {
  const isContract = problem.type?.endsWith("/contract-broken");
  return [problemBox(problem), isContract
    && h("button.danger", { type: "button", onclick: accept }, "Promote with the new contract")];
}

/** Parse `ROC AUC >= current, log loss <= 0.4` for the API. Return the invalid part, if any. */
function requirements(text) {
  const read = {};
  for (const part of text.split(",").map((one) => one.trim()).filter(Boolean)) {
    const [, label, condition] = /^([A-Za-z][^<>=]*)((?:>=|<=|>|<).+)$/.exec(part) ?? [];
    const metric = label && metricNamed(label);
    if (!metric || metric in read) return part;
    read[metric] = condition;
  }
  return read;
}

const NO_ALIAS = { title: "No alias", detail: "Enter the name of the alias, for example live." };

function noCondition(given, example) {
  return {
    title: "Invalid condition",
    detail: `Received “${given}”. Expected a metric, then >=, <=, > or <, then a number or `
      + `current, for example ${example}. Separate conditions with commas.`,
  };
}
