// From what a page can know of a connection that failed, to a fault that is never empty. Pure: no socket, no clock.

/**
 * What went wrong, why, and what to do: a row of the catalogue, with what was seen this time. A superset of what
 * `<fault-card>` of the main page shows.
 *
 * @typedef {object} SignalingFault
 * @property {string} code  A word that never changes, such as REACH-MIXED.
 * @property {string} title
 * @property {string} cause
 * @property {string} fix
 * @property {"now" | "backoff" | "after-fix" | "never"} retry
 * @property {string | null} detail  What was seen this time, in a sentence.
 * @property {string} help  Where the server explains the code; relative to the server.
 * @property {string} url  The address that was tried, without any token.
 * @property {0 | 1 | 2 | 3 | null} readyState  Of the socket; null where none was made.
 * @property {number | null} closeCode
 * @property {string} closeMeaning  The close code in words; never empty.
 * @property {string[]} tried  What was done before this was said, in order; never empty.
 * @property {number} at  Milliseconds since 1970.
 */

/**
 * What a plain request to the same server found out (`probe.js` makes one).
 *
 * - `ok`: a Ringlight server, or one like it, answers. `other`: something answers, and is none.
 * - `opaque`: something answers and does not let this page read it. `refused`: failed at once.
 * - `silent`: nothing came back in time. `blocked`: the browser does not allow the request. `not-run`: none was made.
 *
 * @typedef {{ outcome: "ok" | "other" | "opaque" | "refused" | "silent" | "blocked" | "not-run", seen?: string }} Probe
 */

/**
 * What a page knows.
 *
 * @typedef {object} Sighting
 * @property {string} url  The socket's address as it was asked for.
 * @property {string} page  The page's own address.
 * @property {boolean} online  `navigator.onLine`.
 * @property {number} at  Milliseconds since 1970.
 * @property {0 | 1 | 2 | 3} [readyState]
 * @property {boolean} [opened]  Whether the socket was ever open.
 * @property {number} [closeCode]
 * @property {string} [closeReason]
 * @property {unknown} [refusal]  The last `error` frame before the close.
 * @property {Probe} [probe]
 * @property {number} [attempts]  How often it was tried.
 * @property {string} [thrown]  What `new WebSocket` threw.
 */

/**
 * @param {Sighting} sighting
 * @returns {SignalingFault}
 */
export function signalingFault(sighting) {
  throw new Error(`not built yet: ${sighting.url}`);
}

/**
 * Judge an address before anything is sent to it; null when nothing is wrong with it.
 *
 * @param {string} url
 * @param {string} page
 * @returns {string | null}  The code of a fault.
 */
export function judgeUrl(url, page) {
  throw new Error(`not built yet: ${url} ${page}`);
}

/** Carries a fault to whoever can show it. */
export class SignalingError extends Error {
  /** @param {SignalingFault} fault */
  constructor(fault) {
    super(`${fault.code}: ${fault.cause}`);
    this.name = "SignalingError";
    this.fault = fault;
  }
}
