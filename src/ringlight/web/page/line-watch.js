// Asks the server how our own line does: only the server sees that packets wait on the way.

import { toFault } from "./api.js";
import { askHow } from "./audience.js";

/** @typedef {import("./api.js").Fault} Fault */

const EVERY_MS = 4_000;    // a line counts as thin for half a minute after it was

export class LineWatch {
  /** Why pictures are left out for us; null while they are not. @type {Fault | null} */
  fault = null;

  #changed;
  #timer = 0;

  /** @param {() => void} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  /**
   * Begin with a playback.
   *
   * @param {string} resource  Its WHEP address.
   */
  start(resource) {
    this.stop();
    this.#timer = window.setInterval(() => void this.#ask(resource), EVERY_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
  }

  /** @param {string} resource */
  async #ask(resource) {
    if (document.hidden) return;
    const timer = this.#timer;
    const fault = toFault((await askHow(resource))?.line?.fault);
    if (timer !== this.#timer || (fault?.code === this.fault?.code && fault?.detail === this.fault?.detail)) return;
    this.fault = fault;
    this.#changed();
  }
}
