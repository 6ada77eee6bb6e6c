// The rule by which a new version of a model serves.

import { send, v1 } from "../api.js";
import { labelled, select } from "../parts.js";

const NEWEST = "newest"; // of models of earlier releases, and not for new ones
const RULES = [
  ["automatic", "serve at once if they keep the contract"],
  ["explicit", "serve only on request"],
];

/** Build the control of the rule. */
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

/** Say whether the next run may move what serves after a request has moved it. */
export function rerunNote({ promotion }) {
  if (promotion === "explicit") return "New versions serve only on request.";
  return "The next run that succeeds may serve at once; set New versions to “serve only on request” "
    + "to prevent that.";
}
