// @ts-check
// Elements made by hand: a card of controls that know each other.

import { icon } from "../dom.js";

/**
 * @param {string} tag
 * @param {Record<string, any>} [props]  Attributes; `on...` are listeners, `class` and `text` as they say.
 * @param {...(Node|string|null)} children
 * @returns {any} an HTMLElement
 */
export function made(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** @param {string} words @param {string} name of its icon @param {Record<string, any>} props */
export function button(words, name, props) {
  return made("button", { type: "button", class: "btn", ...props }, icon(name), made("span", { text: words }));
}

/** A card with a title. @param {string} id @param {string} title @param {...(Node|null)} children */
export function card(id, title, ...children) {
  return made("section", { class: "card stack", "aria-labelledby": id }, made("h2", { id, text: title }), ...children);
}
