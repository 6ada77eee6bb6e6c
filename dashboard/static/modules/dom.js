// Elements without a framework. Text is always text: nothing here parses HTML.

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["value", "checked", "disabled", "hidden", "open", "selected"]);

/** An element: attributes, `on` for listeners, children that may be nested or null. */
export function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** The same in SVG. */
export function s(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined) continue;
    if (name === "on") listen(element, value);
    else if (PROPERTIES.has(name)) element[name] = value;
    else if (value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...flat(children));
  return element;
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false);
}

function listen(element, listeners) {
  for (const [type, listener] of Object.entries(listeners)) element.addEventListener(type, listener);
}

/** Replace what an element holds. */
export function put(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

let count = 0;

/** A new id, for labels and what they name. */
export function newId(prefix = "e") {
  count += 1;
  return `${prefix}-${count}`;
}

/** A control under its label, with a place for what is wrong with it. */
export function field(label, control, { hint = null, className = "" } = {}) {
  control.id ||= newId("field");
  const note = hint && h("span", { class: "hint", id: `${control.id}-hint` }, hint);
  if (note) control.setAttribute("aria-describedby", note.id);
  return h("div", { class: `field ${className}`.trim() }, h("label", { for: control.id }, label), control, note);
}

/** A sentence with what stands in backticks as code. */
export function prose(text) {
  return text.split(/`([^`]+)`/).map((part, i) => (i % 2 ? h("code", {}, part) : part));
}

/** A select of options, each `[value, text]` or a word. */
export function select(options, value, props = {}) {
  const pairs = options.map((option) => (Array.isArray(option) ? option : [option, option]));
  const element = h("select", props, pairs.map(([key, text]) => h("option", { value: key }, text)));
  element.value = value;
  return element;
}

/** Say something to those who listen instead of looking. */
export function announce(sentence) {
  document.getElementById("announcer").textContent = sentence;
}

/** Call `action` at most once a frame, however often it is asked for. */
export function perFrame(action) {
  let isWaiting = false;
  return () => {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      action();
    });
  };
}

/** Call `action` when nothing came for `ms` milliseconds. */
export function settled(action, ms) {
  let timer;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...given), ms);
  };
}

/** Open a page, also the one that is shown: then it is built anew. */
export function goTo(hash) {
  if (location.hash === hash) dispatchEvent(new Event("hashchange"));
  else location.hash = hash;
}
