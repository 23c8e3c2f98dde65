// @ts-check
// The few ways in which elements touch the page. Text goes in as text, structure comes from templates.

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {import("./types.js").Tone} Tone */

/**
 * A fresh copy of a template of the page.
 * @param {string} id
 * @returns {DocumentFragment}
 */
export function cloned(id) {
  const template = document.getElementById(id);
  if (!(template instanceof HTMLTemplateElement)) throw new Error(`no template ${id}`);
  return document.importNode(template.content, true);
}

/**
 * The part of an element that is called `name` in its template.
 * @param {ParentNode} root
 * @param {string} name
 * @returns {any} an HTMLElement; the template says which
 */
export function part(root, name) {
  const found = root.querySelector(`[data-part="${name}"]`);
  if (!found) throw new Error(`no part ${name}`);
  return found;
}

/**
 * Set a text, touching the page only when it differs: selections and live regions stay calm.
 * @param {Element} element
 * @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Set a text and hide the element when there is none. @param {HTMLElement} element @param {string|null|undefined} text */
export function sayOrHide(element, text) {
  say(element, text ?? "");
  show(element, Boolean(text));
}

/** @param {HTMLElement} element @param {boolean} visible */
export function show(element, visible) {
  if (element.hidden === visible) element.hidden = !visible;
}

/** @param {string} name @returns {SVGSVGElement} */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(SVG, "use"));
  setIcon(svg, name);
  return svg;
}

/** @param {Element} svg @param {string} name */
export function setIcon(svg, name) {
  const use = svg.querySelector("use");
  if (use?.getAttribute("href") === `#i-${name}`) return;
  use?.setAttribute("href", `#i-${name}`);
  svg.setAttribute("class", name === "busy" ? "icon spin" : "icon");
}

/**
 * Dress an element as a pill: tone, icon and word, never colour alone.
 * @param {HTMLElement} element
 * @param {{tone: Tone, icon: string, word: string}|null} look
 */
export function setPill(element, look) {
  show(element, look !== null);
  if (!look) return;
  const tone = look.tone === "idle" ? "" : ` ${look.tone}`;
  if (element.className !== `pill${tone}`) element.className = `pill${tone}`;
  if (element.childElementCount === 0) element.append(icon(look.icon), document.createElement("span"));
  setIcon(/** @type {Element} */ (element.firstElementChild), look.icon);
  say(/** @type {Element} */ (element.lastElementChild), look.word);
}

/** @param {HTMLElement} element @param {Tone} tone @param {string} name */
export function setBadge(element, tone, name) {
  element.className = tone === "idle" ? "badge" : `badge ${tone}`;
  if (element.childElementCount === 0) element.append(icon(name));
  setIcon(/** @type {Element} */ (element.firstElementChild), name);
}

/**
 * A bar with data units in its viewBox.
 * @param {Element} svg
 * @param {number} total
 * @param {number} used
 * @param {string} label  States the finding, for those who do not see the bar.
 */
export function setBar(svg, total, used, label) {
  svg.setAttribute("viewBox", `0 0 ${total} 1`);
  svg.setAttribute("aria-label", label);
  const rect = svg.firstElementChild ?? svg.appendChild(document.createElementNS(SVG, "rect"));
  rect.setAttribute("width", String(Math.max(0, Math.min(used, total))));
  rect.setAttribute("height", "1");
}

/**
 * Make the children of a list match its items, in order, keeping the element of each key.
 * @template T
 * @param {Element} parent
 * @param {T[]} items
 * @param {(item: T) => string} keyOf
 * @param {(item: T) => HTMLElement} make
 * @param {(element: any, item: T) => void} update
 */
export function keyed(parent, items, keyOf, make, update) {
  const old = new Map([...parent.children].map((child) => [/** @type {HTMLElement} */ (child).dataset.key, child]));
  let before = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let child = /** @type {HTMLElement|undefined} */ (old.get(key));
    old.delete(key);
    if (!child) {
      child = make(item);
      child.dataset.key = key;
    }
    if (child === before) before = before.nextElementSibling;
    else parent.insertBefore(child, before);
    update(child, item);
  }
  for (const child of old.values()) child.remove();
}

/**
 * The effects of a dialog: what stops, what waits, what stays.
 * @param {Element} list
 * @param {{kind: "stop"|"wait"|"keep", icon: string, what: string, how?: string}[]} effects
 */
export function setEffects(list, effects) {
  const numbered = effects.map((effect, index) => ({ ...effect, key: String(index) }));
  keyed(list, numbered, (effect) => effect.key, () => /** @type {HTMLElement} */ (cloned("t-effect").firstElementChild), (item, effect) => {
    item.className = effect.kind;
    setIcon(/** @type {Element} */ (item.firstElementChild), effect.icon);
    say(part(item, "what"), effect.what);
    say(part(item, "how"), effect.how ?? "");
  });
}

/** Words and an icon on a button. @param {HTMLElement} button @param {string} words @param {string} [name] */
export function setButton(button, words, name) {
  if (button.childElementCount === 0) button.replaceChildren(icon(name ?? "idle"), document.createElement("span"));
  const [svg, span] = /** @type {any} */ (button.children);
  if (name) setIcon(svg, name);
  svg.toggleAttribute("hidden", !name);
  say(span, words);
}

/**
 * Tell whoever listens above what the reader wants.
 * @param {Element} element
 * @param {string} type
 * @param {any} [detail]
 */
export function wish(element, type, detail) {
  element.dispatchEvent(new CustomEvent(type, { bubbles: true, detail }));
}
