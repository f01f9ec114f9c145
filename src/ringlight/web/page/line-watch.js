// Asks the server how our own playback fares: only the server sees that packets wait on the way, or what the camera lacks.

import { ask, toFault } from "./api.js";

/** @typedef {import("./api.js").Fault} Fault */

const EVERY_MS = 4_000;    // a line counts as thin for half a minute after it was
const WITHIN_MS = 3_000;   // requests that wait on a dead network would take the connections of those that matter

/**
 * Where the server says how a playback fares.
 *
 * @param {string} resource  Its WHEP address.
 */
function addressOf(resource) {
  const [camera, playback] = new URL(resource, location.href).pathname.split("/").slice(-2);
  return `/api/cameras/${camera}/audience/${playback}`;
}

/**
 * Ask for the fault of the camera for which nobody can show a picture; null where it has none, or nobody answers.
 *
 * @param {string} resource  The WHEP address of the playback.
 * @returns {Promise<Fault | null>}
 */
export async function faultOfCamera(resource) {
  return toFault((await ask(addressOf(resource), { signal: AbortSignal.timeout(WITHIN_MS) }).catch(() => null))?.fault);
}

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
    const address = addressOf(resource);
    this.#timer = window.setInterval(() => void this.#ask(address), EVERY_MS);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
  }

  /** @param {string} address */
  async #ask(address) {
    if (document.hidden) return;
    const timer = this.#timer;
    const told = await ask(address, { signal: AbortSignal.timeout(WITHIN_MS) }).catch(() => null);   // whether the server is there, others find out
    const fault = toFault(told?.line?.fault);
    if (timer !== this.#timer || (fault?.code === this.fault?.code && fault?.detail === this.fault?.detail)) return;
    this.fault = fault;
    this.#changed();
  }
}
