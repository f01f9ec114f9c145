// A round button for something that is on or off: microphone, camera, screen, lock.

import { el } from "../page/dom.js";
import { icon, redraw } from "./icons.js";
import { named, resay, say } from "./i18n.js";

/** @typedef {import("./icons.js").Icon} Icon */

/** @type {Partial<Record<Icon, Icon>>} */
const OFF = { mic: "mic-off", camera: "camera-off", lock: "unlock" };

/**
 * @typedef {object} Toggle
 * @property {HTMLButtonElement} element
 * @property {(on: boolean, key: string) => void} show  `key`: what pressing it will do. Its name says so, and so it
 *   carries no `aria-pressed`: "Mute, pressed" would be a riddle.
 */

/**
 * @param {Icon} name
 * @param {() => void} press
 * @param {{ id?: string, caption?: string }} [options]  `caption`: key of the word under it.
 * @returns {Toggle}
 */
export function toggle(name, press, { id, caption } = {}) {
  const element = el("button", { class: "round", type: "button", onclick: press, id: id ?? null }, icon(name));
  const rename = caption ? captioned(element, caption) : (/** @type {string} */ key) => void named(element, key);
  return {
    element,
    show(on, key) {
      element.toggleAttribute("data-off", !on);
      redraw(element, on ? name : OFF[name] ?? name);
      rename(key);
    },
  };
}

/**
 * Put a word under a button. The word is part of its name, for those who speak to their device: "press Mic"
 * (WCAG 2.5.3); what it does follows for those who listen.
 *
 * @param {HTMLButtonElement} button
 * @param {string} caption
 */
export function captioned(button, caption) {
  const word = say(caption);
  word.className = "caption";
  const more = el("span", { class: "visually-hidden" });
  button.append(word, " ", more);
  return (/** @type {string} */ key, /** @type {import("./i18n.js").Values} */ values = {}) => resay(more, key, values);
}
