// Which visit this tab is for, and what lets it in: from the address, from a one-time link, from this tab's own memory.

import { ask } from "../page/api.js";

const REMEMBERED = "ringlight.visit.";

/**
 * What a link says of itself before it is used.
 *
 * @typedef {object} Link
 * @property {"good" | "used" | "expired" | "early" | "unknown" | "ended"} state
 * @property {string} [room]
 * @property {string} [role]
 * @property {string} [name]
 * @property {string} [invited_by]  Who invites; empty where nobody said.
 * @property {number | null} [opens]  Seconds since 1970.
 * @property {number | null} [expires]
 * @property {RTCIceServer[]} [ice]  To try the line with, before a good link is used.
 */

/**
 * Who enters which room. With a token it says everything; without one (open mode) the server takes our word.
 *
 * @typedef {object} Visit
 * @property {string} room
 * @property {string} [token]
 * @property {string} [role]
 * @property {string} [name]
 */

/**
 * What an address names: a link, a room, or nothing.
 *
 * @param {string} path
 * @returns {{ link: string } | { room: string } | null}
 */
export function addressed(path) {
  const [, place, rest = ""] = /^\/(j|rooms)\/([^/]+)\/?$/.exec(path) ?? [];
  if (!place) return null;
  let named;
  try {
    named = decodeURIComponent(rest);
  } catch {
    named = rest;   // a mangled address is looked up as it is, and the server says that it knows no such thing
  }
  return place === "j" ? { link: named } : { room: named };
}

/**
 * Look at a link; this does not use it.
 *
 * @param {string} link
 * @returns {Promise<Link>}
 */
export const lookAtLink = (link) => ask(`/j/${encodeURIComponent(link)}`, { headers: { accept: "application/json" } });

/**
 * Use a link up: what it gives is for this tab alone. The address becomes the room's, so that nobody reads the link there.
 *
 * @param {string} link
 * @returns {Promise<Visit>}
 */
export async function useLink(link) {
  /** @type {Visit} */
  const visit = await ask(`/j/${encodeURIComponent(link)}`, { method: "POST", headers: { accept: "application/json" } });
  remember(visit);
  history.replaceState(null, "", `/rooms/${encodeURIComponent(visit.room)}`);
  return visit;
}

/**
 * What this tab was let in with before; null where it was not.
 *
 * @param {string} room
 * @returns {Visit | null}
 */
export function remembered(room) {
  try {
    return JSON.parse(sessionStorage.getItem(REMEMBERED + room) ?? "null");
  } catch {
    return null;
  }
}

/** For a reload. Session storage is this tab's own and ends with it. @param {Visit} visit */
export function remember({ room, token, role, name }) {
  try {
    sessionStorage.setItem(REMEMBERED + room, JSON.stringify({ room, token, role, name }));
  } catch {
    // a browser that keeps nothing: a reload asks again
  }
}

/** @param {string} room */
export function forget(room) {
  try {
    sessionStorage.removeItem(REMEMBERED + room);
  } catch {
    // nothing was kept
  }
}
