// A problem at the controls that it points at: each says so itself, below.

import { h, newId, prose } from "../dom.js";
import { saidOf } from "../problems.js";

/** Mark the controls that the problem points at; null takes all marks away. */
export function mark(problem) {
  const errors = problem?.errors ?? [];
  for (const control of document.querySelectorAll("[data-pointer]")) {
    unmark(control);
    const found = errors.filter((error) => error.pointer === control.dataset.pointer);
    if (found.length) tell(control, found.map(saidOf).join(" "));
  }
}

function tell(control, sentence) {
  const note = h("span", { class: "wrong", id: newId("wrong") }, prose(sentence));
  control.setAttribute("aria-invalid", "true");
  control.setAttribute("aria-describedby", [...described(control), note.id].join(" "));
  control.closest("li, .field").append(note);
}

function unmark(control) {
  control.removeAttribute("aria-invalid");
  const [notes, others] = [described(control).filter(isNote), described(control).filter((id) => !isNote(id))];
  notes.forEach((id) => document.getElementById(id)?.remove());
  if (others.length) control.setAttribute("aria-describedby", others.join(" "));
  else control.removeAttribute("aria-describedby");
}

function described(control) {
  return (control.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean);
}

function isNote(id) {
  return id.startsWith("wrong-");
}
