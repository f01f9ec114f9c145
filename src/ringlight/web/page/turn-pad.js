// Four buttons that turn a camera which can turn: a press is a step, holding turns on and on. Arrow keys do the same
// while one of them has the focus.

import { faultOf } from "./api.js";
import { keepTurning, turnCamera } from "./control-api.js";
import { el } from "./dom.js";

/** @typedef {import("./control-api.js").Direction} Direction */
/** @typedef {import("./control-api.js").Turned} Turned */

/** @type {[Direction, string, string, string][]} */
const BUTTONS = [
  ["left", "←", "Turn left", "to the left"], ["up", "↑", "Turn up", "up"],
  ["down", "↓", "Turn down", "down"], ["right", "→", "Turn right", "to the right"],
];
const HOLD_MS = 350;    // pressed for longer than a click takes
const AGAIN_MS = 700;   // the server lets go after two seconds
const SPEED = 0.5;      // what Ring's own app uses

export class TurnPad {
  #cameraId = "";
  /** What the camera is told just now; a hold that begins meanwhile waits for it. @type {Promise<void> | null} */
  #telling = null;
  #timer = 0;
  /** The step that was asked for while another was told; of several the last. @type {Direction | null} */
  #next = null;
  /** @type {Direction | null} */
  #holding = null;
  /** The press has become a hold, so the click at its end is no step. */
  #wasHold = false;
  /** @type {() => void} */
  #release = () => {};
  #said = el("p", { class: "turn-said", role: "status" });
  element = el("div", { class: "turn-pad", role: "group", "aria-label": "Turn the camera", hidden: true },
    ...BUTTONS.map(([direction, sign, label]) =>
      el("button", { class: "button", type: "button", "data-turn": direction, "aria-label": label,
        title: `${label}; hold to go on`, onclick: () => this.#click(direction),
        onpointerdown: (event) => this.#press(/** @type {PointerEvent} */ (event), direction),
        oncontextmenu: (event) => event.preventDefault() }, sign)),
    this.#said);

  constructor() {
    this.element.addEventListener("keydown", (event) => this.#key(event));
    for (const end of ["pointerup", "pointercancel", "blur", "keyup"]) window.addEventListener(end, () => this.#letGo());
    document.addEventListener("visibilitychange", () => this.#letGo());
  }

  /**
   * @param {string} cameraId
   * @param {boolean} usable  Whether the camera can turn and is being watched.
   */
  show(cameraId, usable) {
    if (cameraId !== this.#cameraId) this.#say(null, "");
    if (cameraId !== this.#cameraId || !usable) {
      this.#next = null;
      this.#letGo();
    }
    this.#cameraId = cameraId;
    this.element.hidden = !usable;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const direction = BUTTONS.map(([name]) => name).find((name) => event.key === `Arrow${name[0].toUpperCase()}${name.slice(1)}`);
    if (!direction) return;
    event.preventDefault();
    if (event.repeat) void this.#hold(direction);
    else this.#step(direction);
  }

  /**
   * @param {PointerEvent} event
   * @param {Direction} direction
   */
  #press(event, direction) {
    if (event.button !== 0) return;
    this.#wasHold = false;
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => {
      this.#wasHold = true;
      void this.#hold(direction);
    }, HOLD_MS);
  }

  /** @param {Direction} direction */
  #click(direction) {
    if (!this.#wasHold) this.#step(direction);
    this.#wasHold = false;
  }

  #letGo() {
    clearTimeout(this.#timer);
    this.#holding = null;
    this.#release();
  }

  /** @param {Direction} direction */
  #step(direction) {
    if (this.#telling) this.#next = direction;
    else this.#do(async () => this.#tell(direction, await turnCamera(this.#cameraId, direction)));
  }

  /** Turn for as long as it is held; the answers tell when the camera can go no further. @param {Direction} direction */
  async #hold(direction) {
    if (this.#holding) return;
    this.#holding = direction;
    while (this.#telling && this.#holding === direction) await this.#telling;
    if (this.#holding === direction) this.#do(() => this.#goOn(direction));
  }

  /** @param {Direction} direction */
  async #goOn(direction) {
    const cameraId = this.#cameraId;
    const released = new Promise((resolve) => (this.#release = () => resolve(undefined)));
    while (this.#holding === direction) {
      this.#tell(direction, await keepTurning(cameraId, direction, SPEED));
      await Promise.race([released, new Promise((resolve) => setTimeout(resolve, AGAIN_MS))]);
    }
    this.#tell(direction, await keepTurning(cameraId, direction, 0));
  }

  /** @param {() => Promise<void>} what */
  #do(what) {
    this.#telling = what()
      .catch((error) => this.#complain(error))
      .finally(() => {
        const next = this.#next;
        this.#telling = this.#next = null;
        if (next && !this.element.hidden) this.#step(next);
      });
  }

  /**
   * @param {Direction} direction
   * @param {Turned} turned
   */
  #tell(direction, turned) {
    const where = BUTTONS.find(([name]) => name === direction)?.[3];
    if (turned === "limit") this.#say(direction, `Turned ${where} as far as it goes.`);
    else this.#say(null, "");
  }

  /** @param {unknown} error */
  #complain(error) {
    const fault = faultOf(error);
    this.#say(null, `${fault.title}. ${fault.fix.replaceAll("`", "")}`);
  }

  /**
   * @param {Direction | null} limit  Where it can go no further.
   * @param {string} text
   */
  #say(limit, text) {
    if (this.#said.textContent !== text) this.#said.textContent = text;
    for (const button of this.element.querySelectorAll("button")) {
      button.toggleAttribute("data-limit", button.dataset.turn === limit);
    }
  }
}
