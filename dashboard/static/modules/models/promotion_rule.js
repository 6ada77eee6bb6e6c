// The rule that decides whether a new version of a model serves at once.

import { send, v1 } from "../api.js";
import { labelled, select } from "../parts.js";

const NEWEST = "newest"; // only models of earlier releases have this rule
const RULES = [
  ["automatic", "serve at once if they keep the contract"],
  ["explicit", "serve only on request"],
];

/** Build the menu of the rule. `act` sends the change and shows the sentence. */
export function promotionRule({ name, follows_newest: followsNewest, promotion }, act) {
  const options = followsNewest
    ? [[NEWEST, "serve at once, as in earlier releases"], ...RULES] : RULES;
  const control = select(options, followsNewest ? NEWEST : promotion, {
    "data-act": "rule",
    onchange: () => act(
      () => send("PATCH", v1("models", name), { promotion: control.value }),
      () => `New versions ${RULES.find(([rule]) => rule === control.value)[1]}.`),
  });
  return labelled("rule", "New versions", control);
}

/** Return the sentence about whether the next run may change the serving version. */
export function nextRunNote({ promotion }) {
  if (promotion === "explicit") return "New versions serve only on request.";
  return "The version of the next successful run may serve at once; to prevent that, set New "
    + "versions to “serve only on request”.";
}
