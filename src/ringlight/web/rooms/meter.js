// How loud the microphone is, as a row of lamps.

import { el } from "../page/dom.js";
import { named } from "./i18n.js";

const LAMPS = 16;

export class Meter {
  #lamps = Array.from({ length: LAMPS }, () => el("span", { class: "lamp" }));
  element = named(el("div", { class: "meter", role: "meter", "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": 0 }, ...this.#lamps), "meter");

  /** @param {number} level  0 to 1. */
  show(level) {
    const lit = Math.round(level * LAMPS);
    this.#lamps.forEach((lamp, index) => lamp.toggleAttribute("data-lit", index < lit));
    this.element.setAttribute("aria-valuenow", String(Math.round(level * 100)));
  }
}
