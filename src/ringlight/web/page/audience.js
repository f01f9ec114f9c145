// Asks the server how our own playback fares, and says whose fault it is that no picture comes. Draws nothing.

import { ask, toFault } from "./api.js";

/** @typedef {import("./api.js").Fault} Fault */

/**
 * What the server says of one playback, of which this is read here.
 *
 * @typedef {object} Fared
 * @property {"closed" | "opening" | "live" | "failed"} view  Of the camera.
 * @property {unknown} fault  Why nobody can show a picture of it.
 * @property {{ fault: unknown } | null} line
 */

export const FIRST_PICTURE_MS = 10_000;   // from the connection; Ring cameras send a key frame every 4 s or so
const WITHIN_MS = 3_000;   // requests that wait on a dead network would take the connections of those that matter

/**
 * Where the server says how a playback fares: the one of several that shows the camera.
 *
 * @param {string} resource  The WHEP address of the playback.
 */
export const addressOf = (resource) => resource.replace(/\/whep\/([^/]+)\/([^/]+)$/, "/api/cameras/$1/audience/$2");

/**
 * Ask how a playback fares; null where nobody says it, for whatever reason: others find out whether the server is there.
 *
 * @param {string} resource  Its WHEP address.
 * @param {Record<string, string>} [headers]  What lets somebody in without the server's key.
 * @returns {Promise<Fared | null>}
 */
export const askHow = (resource, headers = {}) =>
  ask(addressOf(resource), { headers, signal: AbortSignal.timeout(WITHIN_MS) }).catch(() => null);

/**
 * Whose fault it is that a browser with a connection has no picture.
 *
 * @param {Fared | null} fared
 * @returns {Fault | "browser" | "nobody"}  A fault is the camera's. `nobody`: its view opens, perhaps once more.
 */
export function whoseFault(fared) {
  return fared?.view === "opening" ? "nobody" : toFault(fared?.fault) ?? "browser";
}

/** Waits for the first picture of a playback that is connected. */
export class FirstPicture {
  #missing;
  #timer = 0;

  /** @param {(fault: Fault | null) => void} missing  None has come: for this fault of the camera, else by the browser. */
  constructor(missing) {
    this.#missing = missing;
  }

  /**
   * Begin to wait; `missing` is told after ten seconds, and every ten from then on, until `stop`.
   *
   * @param {string | null} resource  The WHEP address of the playback.
   * @param {Record<string, string>} [headers]  As for `askHow`, read each time.
   */
  expect(resource, headers) {
    this.stop();
    const timer = this.#timer = self.setTimeout(async () => {
      const whose = whoseFault(resource ? await askHow(resource, headers) : null);
      if (timer !== this.#timer) return;   // it has come meanwhile
      this.expect(resource, headers);
      if (whose !== "nobody") this.#missing(whose === "browser" ? null : whose);
    }, FIRST_PICTURE_MS);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }
}

/** What is seen where the browser is to blame. */
export const NO_PICTURE = `connected, but no picture decoded within ${FIRST_PICTURE_MS / 1000} s`;
