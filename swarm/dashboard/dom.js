// Elements from values. Whatever comes from outside becomes a text node or an attribute: there is
// no way from a string to markup in this program, and the page's policy forbids one.

const SVG = "http://www.w3.org/2000/svg";
const HANDLERS = ["onclick", "onkeydown", "oninput", "onchange", "onsubmit", "onpointerenter"];

/** An element: `h("a.name", {href}, "text", child, [children])`. */
export function h(what, props, ...children) {
  const [tag, ...classes] = what.split(".");
  return fill(document.createElement(tag || "div"), classes, props, children);
}

/** An element of a picture. */
export function s(what, props, ...children) {
  const [tag, ...classes] = what.split(".");
  return fill(document.createElementNS(SVG, tag), classes, props, children);
}

function fill(element, classes, props, children) {
  if (classes.length) element.setAttribute("class", classes.join(" "));
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (HANDLERS.includes(name)) element[name] = value;
    else if (name === "data-row") { // what j and k go along
      element.setAttribute(name, "");
      element.setAttribute("tabindex", "-1");
    } else if (name === "key") element.setAttribute("data-key", value);
    else if (name === "class") element.classList.add(...value.split(" ").filter(Boolean));
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false)
    .map((c) => (c instanceof Node ? c : String(c))));
  return element;
}

/** Make the children of `parent` look like `fresh`, keeping what is the same: focus and scroll stay. */
export function show(parent, ...fresh) {
  const wanted = document.createElement("div");
  wanted.append(...fresh.flat(Infinity).filter(Boolean));
  const focused = document.activeElement;
  children(parent, wanted);
  // A browser takes the focus from what is moved: a list that ranks anew would lose the reader's place.
  if (focused !== document.activeElement && parent.contains(focused)) focused.focus({ preventScroll: true });
}

function children(old, fresh) {
  const keyed = new Map();
  for (const child of old.children) if (child.dataset.key) keyed.set(child.dataset.key, child);
  let at = old.firstChild;
  for (const want of [...fresh.childNodes]) {
    const key = want.dataset?.key;
    const have = key ? keyed.get(key) : at;
    if (key && have) {
      keyed.delete(key);
      if (have === at) at = at.nextSibling;
      else old.insertBefore(have, at);
      alike(have, want);
    } else if (have && !have.dataset?.key && same(have, want)) {
      at = at.nextSibling;
      alike(have, want);
    } else {
      old.insertBefore(want, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

const same = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && a.id === b.id;

function alike(old, want) {
  if (!same(old, want)) return old.replaceWith(want);
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== want.data) old.data = want.data;
    return;
  }
  for (const name of HANDLERS) if (old[name] !== want[name]) old[name] = want[name];
  if (old.hasAttribute("data-own")) return; // its size and its inside are somebody else's
  for (const { name } of [...old.attributes]) {
    if (old.nodeName === "DETAILS" && name === "open") continue; // the reader's, not ours
    if (!want.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of want.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old.nodeName === "INPUT") {
    if (document.activeElement !== old) old.value = want.getAttribute("value") ?? "";
    return;
  }
  children(old, want);
  if (old.nodeName === "SELECT") old.value = want.value;
}
