// The Ring app on this server: its linked accounts, what they told, what was given up; and the simulated Ring of the demo.

import { ask } from "./api.js";

/** @typedef {import("./api.js").Fault} Fault */
/** @typedef {"unclaimed" | "awaiting" | "completed" | "lost"} LinkState */

/**
 * @typedef {object} Link
 * @property {string} account  The last letters of Ring's id.
 * @property {LinkState} state
 * @property {number} since  Seconds since 1970.
 * @property {string | null} identifier  Whose it is, masked.
 * @property {number} devices
 * @property {string[]} cameras  Their ids on this page.
 */

/**
 * @typedef {object} RingEvent
 * @property {number} number
 * @property {string} type
 * @property {string | null} subtype
 * @property {number | null} at  Seconds since 1970.
 * @property {number} received
 * @property {"waiting" | "started" | "done" | "dead"} state
 * @property {number} attempts
 * @property {string} account
 * @property {string} device
 * @property {{ id: string, name: string } | null} camera
 * @property {string | null} recording  The id of its clip in the camera's history.
 * @property {Fault | null} fault  Why it was given up or is tried again.
 */

/** @typedef {Fault & { subject: string, over: boolean, at: number, count: number }} Notice */
/** @typedef {{ linking: boolean, links: Link[], events: RingEvent[], dead: RingEvent[], notices: Notice[] }} RingState */

const JSON_TYPE = { "content-type": "application/json" };

/**
 * Hear of every change, a whole state each time. The browser connects again by itself.
 *
 * @param {(state: RingState) => void} show
 */
export function listen(show) {
  const source = new EventSource("/api/ring/stream");
  source.addEventListener("message", ({ data }) => show(JSON.parse(data)));
  source.addEventListener("fault", () => source.close());   // the key is over; what is pressed next says so
}

/**
 * @param {string} path
 * @param {object} body
 */
const post = (path, body) => ask(path, { method: "POST", headers: JSON_TYPE, body: JSON.stringify(body) });

/**
 * Let events that were given up be handled again, or drop them for good.
 *
 * @param {"replay" | "drop"} what
 * @param {number[] | null} numbers  Null: all of them.
 */
export const settleDeadLetters = (what, numbers) => post(`/api/ring/dead-letters/${what}`, { numbers });

/**
 * Take the app in Ring's app store, as a person does on their phone.
 *
 * @returns {Promise<string | null>}  Where Ring leads the browser; null where the app did not take its code.
 */
export const installApp = async () => (await post("/_sim/partner/install", {})).redirect;

/** Remove the app again. */
export const removeApp = () => post("/_sim/partner/remove", {});

/**
 * Press the bell of the simulated front door, or walk past it.
 *
 * @param {"bell" | "motion"} what
 */
export const happen = (what) => post(`/_sim/cameras/1001/${what}`, {});

