// Builds elements without a framework. No function here parses HTML.

const SVG = "http://www.w3.org/2000/svg";
const PROPERTIES = new Set(["value", "checked", "disabled", "hidden"]);

/** Build an element: `h("p.hint", { title: "…", onclick: act }, children)`. Attributes are
 *  optional. Children may be nested; null, undefined and false are skipped. */
export function h(name, ...given) {
  return build((tag) => document.createElement(tag), name, given);
}

/** Build an SVG element from the arguments of `h`. */
export function s(name, ...given) {
  return build((tag) => document.createElementNS(SVG, tag), name, given);
}

function build(create, name, given) {
  const [tag, ...classes] = name.split(".");
  const element = create(tag);
  if (classes.length) element.classList.add(...classes);
  const props = given[0]?.constructor === Object ? given.shift() : {};
  for (const [key, value] of Object.entries(props)) setProp(element, key, value);
  return put(element, given);
}

function setProp(element, name, value) {
  if (value === null || value === undefined) return;
  if (typeof value === "function") element.addEventListener(name.slice(2), value);
  else if (PROPERTIES.has(name)) element[name] = value;
  else if (name === "class") element.classList.add(...value.split(" ").filter(Boolean));
  else if (value !== false) element.setAttribute(name, value === true ? "" : value);
}

/** Replace the children of an element, and return it. */
export function put(element, ...children) {
  const isShown = (child) => child !== null && child !== undefined && child !== false;
  element.replaceChildren(...children.flat(Infinity).filter(isShown));
  return element;
}

let count = 0;

/** Return a new id, for labels and descriptions. */
export function newId(prefix = "e") {
  count += 1;
  return `${prefix}-${count}`;
}

/** Split a sentence into texts and, for its parts in backticks, `code` elements. */
export function prose(text) {
  return text.split(/`([^`]+)`/).map((part, i) => (i % 2 ? h("code", part) : part));
}

/** Announce a sentence to screen readers. */
export function announce(sentence) {
  document.getElementById("announcer").textContent = sentence;
}

/** Return a function that calls `action` at most once per animation frame. */
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

let waiting = null; // the sentence for the page that opens next

/** Open a page. Rebuild the page if it is already open. The page shows `sentence` at its head. */
export function goTo(hash, sentence = null) {
  waiting = sentence;
  if (location.hash === hash) dispatchEvent(new Event("hashchange"));
  else location.hash = hash;
}

/** Return and remove the sentence that `goTo` stored. */
export function takeSentence() {
  const sentence = waiting;
  waiting = null;
  return sentence;
}
