// What a tab keeps over a reload of its page: who it was in a room. Nothing is kept while the page is open.

/** @typedef {import("./session.js").Memento} Memento */

const NAME = "ringlight-room:";

/**
 * Take what was kept of a room. A tab that is duplicated copies its storage: so it is taken out, and put back only when
 * the page is left. Otherwise two tabs would be one person, and throw each other out.
 *
 * @param {string} room
 * @returns {Memento | null}
 */
export function recall(room) {
  try {
    const kept = JSON.parse(sessionStorage.getItem(NAME + room) ?? "null");
    sessionStorage.removeItem(NAME + room);
    return typeof kept?.session === "string" && typeof kept.resume === "string" ? kept : null;
  } catch {
    return null;   // a browser that keeps nothing for this page
  }
}

/**
 * Whether there is something to recall.
 *
 * @param {string} room
 */
export function remembers(room) {
  try {
    return sessionStorage.getItem(NAME + room) !== null;
  } catch {
    return false;
  }
}

/**
 * Keep it when the page is left; returns how to stop.
 *
 * @param {string} room
 * @param {() => Memento | null} memento
 */
export function rememberOnLeave(room, memento) {
  const stop = new AbortController();
  // The browser may show the page again as it was: then it is open, and nothing is kept.
  addEventListener("pageshow", () => void recall(room), { signal: stop.signal });
  addEventListener("pagehide", () => {
    const kept = memento();
    try {
      if (kept) sessionStorage.setItem(NAME + room, JSON.stringify(kept));
    } catch {
      // then they come back as somebody new
    }
  }, { signal: stop.signal });
  return () => stop.abort();
}
