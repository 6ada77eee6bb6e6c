// The card with the tags and the notes of a run, which can be edited.

import { outcome, send, v1 } from "../api.js";
import { announce, h, put } from "../dom.js";
import { card, field } from "../parts.js";
import { markField, markFields, problemBox } from "../problems.js";
import { tagLink } from "./tags.js";

const TAG = /^([^:]+?)\s*:\s*(.*)$/;

/** Build the card. Each change is sent at once; the answer shows what is stored. */
export function notesCard(run) {
  const [tags, failed] = [h("div.tags"), h("div")];
  const change = async (body, done) => {
    put(failed);
    const { value, problem } = await outcome(send("PATCH", v1("runs", run.id), body));
    if (value) {
      drawTags(tags, value, change);
      announce(done);
    } else put(failed, problemBox(problem));
    markFields(problem, section);
    return value;
  };
  const section = card("notes", "Tags and notes",
    [tags, newTag(change), notesForm(run, change), failed]);
  drawTags(tags, run, change);
  return section;
}

function drawTags(place, { tags }, change) {
  const remove = (name) => async () => {
    if (await change({ tags: { [name]: null } }, `The tag ${name} was removed.`)) {
      place.parentElement.querySelector(".new-tag input").focus();
    }
  };
  const shown = Object.entries(tags).map(([name, value]) => h("span",
    tagLink([name, value]),
    h("button.icon", { onclick: remove(name), "aria-label": `Remove the tag ${name}` }, "×")));
  put(place, shown.length ? shown : h("span.hint", "No tags."));
}

function newTag(change) {
  const input = h("input", {
    type: "text", autocomplete: "off", spellcheck: "false", maxlength: 600,
  });
  const onsubmit = async (event) => {
    event.preventDefault();
    const given = input.value.trim();
    if (!given) return input.focus();
    const [, name, value] = TAG.exec(given) ?? [];
    markField(input, name ? [] : [{ detail: `got “${given}”, expected name:value, such as team:red` }]);
    if (!name) return input.focus();
    input.dataset.pointer = `#/tags/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const stored = await change({ tags: { [name]: value } }, `The tag ${name} was added.`);
    if (stored) input.value = "";
    return input.focus();
  };
  return h("form.new-tag", { onsubmit, novalidate: true },
    field("New tag", input, { hint: "name:value, for example team:red" }),
    h("button", "Add tag"));
}

function notesForm(run, change) {
  const text = h("textarea", { rows: 3, maxlength: 10_000, "data-pointer": "#/notes" });
  text.value = run.notes ?? "";
  const done = h("span.done", { role: "status" });
  const save = h("button", { disabled: true }, "Save notes");
  text.addEventListener("input", () => {
    save.disabled = false;
    put(done);
  });
  const onsubmit = async (event) => {
    event.preventDefault();
    if (!(await change({ notes: text.value.trim() }, "The notes were saved."))) return;
    save.disabled = true;
    put(done, "Saved.");
  };
  return h("form.stacked", { onsubmit }, field("Notes", text),
    h("div.actions", save, done));
}
