// Rows of the catalogue with what was seen this time, for every module that has bad news, also without a server.

import { FaultError, toFault } from "../../page/api.js";
import { FAULTS } from "./faults.js";

/** @typedef {import("../../page/api.js").Fault} Fault */

export { FaultError };

/**
 * The row of a code; of a code that is newer than this file, what can be said.
 *
 * @param {string} code
 * @param {string | null} [detail]  What was seen this time.
 * @returns {Fault & { help: string }}
 */
export function namedFault(code, detail = null) {
  const row = FAULTS[code] ?? { title: code, cause: "The server names a fault that this page does not know.",
    fix: "Load the page again; it may be older than the server.", retry: "after-fix" };
  return { code, ...row, detail, help: `/api/faults/${encodeURIComponent(code)}` };
}

/**
 * Read a fault out of a problem body or an `error` frame of a room; null when it is neither.
 *
 * @param {unknown} body
 * @returns {Fault & { help: string } | null}
 */
export function refusalOf(body) {
  if (typeof body !== "object" || body === null) return null;
  const { code, message, cause = message, ...said } = /** @type {Record<string, any>} */ (body);
  if (typeof code !== "string") return null;
  const known = namedFault(code);
  return { ...known, ...toFault({ ...known, ...said, cause: cause ?? known.cause }), help: known.help };
}
