// What whoever uses this page may do here. The server judges each request all the same: this only spares presses in vain.

/** @typedef {"view" | "talk" | "control" | "rooms" | "admin"} Scope */

/** @type {Set<string> | null} */
let scopes = null;

/**
 * Take what the server says of who uses this page.
 *
 * @param {string[]} listed
 */
export function learn(listed) {
  scopes = new Set(listed);
}

/**
 * Whether something may be done; until the server has said, everything.
 *
 * @param {Scope} scope
 */
export function may(scope) {
  return scopes === null || scopes.has(scope);
}

/**
 * Say why buttons of a camera are missing; empty where none is.
 *
 * @returns {string}
 */
export function whyLimited() {
  const parts = [may("talk") ? "" : "talk (`talk`)", may("control") ? "" : "record, turn, and use light and siren (`control`)"];
  const missing = parts.filter(Boolean).join(", nor to ");
  return missing && `What you are logged in with does not allow you to ${missing}. Whoever gave it to you can give you more.`;
}
