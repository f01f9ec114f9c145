// The buttons to talk to a camera: one to hold, with mouse, finger, space or Enter; one to switch, for who cannot hold.

import { el, icon, prose } from "./dom.js";

/** @typedef {import("./viewing.js").Viewing} Viewing */

const HINTS = { off: "Hold to talk", asking: "Wait a moment", on: "Talking" };

/** @type {Pick<import("./talking.js").Talking, "state" | "fault" | "ready" | "mine">} */
const NOT_TALKING = { state: "off", fault: null, ready: false, mine: false };

export class TalkBar {
  /** @type {Viewing | null} */
  #viewing = null;
  #held = false;
  #kept = false;
  #hint = el("span", {}, HINTS.off);
  #hold = el("button", { id: "talk", class: "button", type: "button", "aria-pressed": "false" }, icon("mic"), this.#hint);
  #keep = el("button", { id: "talk-keep", class: "button quiet", type: "button", "aria-pressed": "false",
    onclick: () => this.#toggle() }, "Hands-free");
  #said = el("p", { class: "talk-said", role: "status" });
  #fault = el("div", { class: "talk-fault", role: "alert" });
  element = el("div", { class: "talk-bar", role: "group", "aria-label": "Talk to the camera", hidden: true },
    this.#hold, this.#keep, this.#said, this.#fault);

  constructor() {
    const hold = this.#hold;
    hold.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      hold.setPointerCapture(event.pointerId);   // the end is heard wherever the finger slides to
      this.#press();
    });
    for (const name of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) {
      hold.addEventListener(name, () => this.#release());
    }
    hold.addEventListener("contextmenu", (event) => event.preventDefault());
    hold.addEventListener("keydown", (event) => {
      if (event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      if (!event.repeat) this.#press();
    });
    hold.addEventListener("keyup", (event) => {
      if (event.key === " " || event.key === "Enter") this.#release();
    });
  }

  /** @param {Viewing | null} viewing  What can be talked to, if anything is being watched. */
  show(viewing) {
    const usable = viewing?.canTalk ?? false;
    const { state, fault, ready, mine } = viewing?.talking ?? NOT_TALKING;
    this.#viewing = viewing;
    if (state === "off") this.#kept = false;
    this.element.hidden = !usable;
    const taken = state === "off" && !mine && viewing?.snapshot.talk === "taken";
    for (const button of [this.#hold, this.#keep]) button.setAttribute("aria-disabled", String(taken));
    this.#hold.setAttribute("aria-pressed", String(state === "on"));
    this.#keep.setAttribute("aria-pressed", String(this.#kept));
    write(this.#hint, HINTS[state]);
    write(this.#said, taken ? "Somebody is talking." : ready ? "The microphone is ready now." : "");
    this.#showFault(fault);
  }

  /** @param {import("./api.js").Fault | null} fault */
  #showFault(fault) {
    if ((this.#fault.getAttribute("data-fault-code") ?? "") === (fault?.code ?? "")) return;   // do not read it out again
    if (!fault) {
      this.#fault.removeAttribute("data-fault-code");
      this.#fault.replaceChildren();
      return;
    }
    this.#fault.setAttribute("data-fault-code", fault.code);
    this.#fault.replaceChildren(el("strong", {}, prose(`${fault.title}. `)), prose(fault.fix),
      fault.detail ? el("span", {}, ` (${fault.code}: ${fault.detail})`) : "");
  }

  #press() {
    if (this.#held || this.#kept || this.#hold.getAttribute("aria-disabled") === "true") return;
    this.#held = true;
    this.#viewing?.talking.begin();
  }

  #release() {
    if (!this.#held) return;
    this.#held = false;
    this.#viewing?.talking.end();
  }

  #toggle() {
    const talking = this.#viewing?.talking;
    if (!talking || this.#held || this.#keep.getAttribute("aria-disabled") === "true") return;
    this.#kept = !this.#kept;
    if (this.#kept) talking.begin();
    else talking.end();
  }
}

/**
 * Change a text only where it changes, so that it is not read out again.
 *
 * @param {HTMLElement} node
 * @param {string} text
 */
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
