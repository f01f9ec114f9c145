// Four buttons that turn a camera which can turn. Arrow keys work while one of them has the focus.

import { faultOf, turnCamera } from "./api.js";
import { el } from "./dom.js";

/** @typedef {"left" | "up" | "down" | "right"} Direction */

/** @type {[Direction, string, string][]} */
const BUTTONS = [["left", "←", "Turn left"], ["up", "↑", "Turn up"], ["down", "↓", "Turn down"], ["right", "→", "Turn right"]];

export class TurnPad {
  #cameraId = "";
  #busy = false;
  #said = el("p", { class: "turn-said", role: "status" });
  element = el("div", { class: "turn-pad", role: "group", "aria-label": "Turn the camera", hidden: true },
    ...BUTTONS.map(([direction, sign, label]) =>
      el("button", { class: "button", type: "button", "data-turn": direction, "aria-label": label, title: label,
        onclick: () => this.#turn(direction) }, sign)),
    this.#said);

  constructor() {
    this.element.addEventListener("keydown", (event) => {
      const direction = BUTTONS.map(([name]) => name).find((name) => event.key === `Arrow${name[0].toUpperCase()}${name.slice(1)}`);
      if (!direction) return;
      event.preventDefault();
      this.#turn(direction);
    });
  }

  /**
   * @param {string} cameraId
   * @param {boolean} usable  Whether the camera can turn and is being watched.
   */
  show(cameraId, usable) {
    if (cameraId !== this.#cameraId) this.#said.textContent = "";
    this.#cameraId = cameraId;
    this.element.hidden = !usable;
  }

  /** @param {Direction} direction */
  async #turn(direction) {
    if (this.#busy) return;
    this.#busy = true;
    try {
      await turnCamera(this.#cameraId, direction);
      this.#said.textContent = "";
    } catch (error) {
      const fault = faultOf(error);
      this.#said.textContent = `${fault.title}. ${fault.fix.replaceAll("`", "")}`;
    } finally {
      this.#busy = false;
    }
  }
}
