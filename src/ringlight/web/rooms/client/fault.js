// A row of the catalogue with what was seen this time, for every module that has bad news.

import { FAULTS } from "./faults.js";

/**
 * What went wrong, why, and what to do. As `<fault-card>` of the main page shows it.
 *
 * @typedef {object} Fault
 * @property {string} code  A word that never changes, such as WEB-DENIED.
 * @property {string} title
 * @property {string} cause
 * @property {string} fix
 * @property {import("./faults.js").Retry} retry
 * @property {string | null} detail  What was seen this time.
 * @property {string} help  Where the server explains the code; relative to the server.
 */

/**
 * The row of a code; of a code that is newer than this file, what can be said.
 *
 * @param {string} code
 * @param {string | null} [detail]
 * @returns {Fault}
 */
export function namedFault(code, detail = null) {
  const row = FAULTS[code] ?? { title: code, cause: "The server names a fault that this page does not know.",
    fix: "Load the page again; it may be older than the server.", retry: "after-fix" };
  return { code, ...row, detail, help: `/api/faults/${encodeURIComponent(code)}` };
}

/**
 * Read a fault out of a problem body or an `error` frame; null when it is neither.
 *
 * @param {unknown} body
 * @returns {Fault | null}
 */
export function toFault(body) {
  if (typeof body !== "object" || body === null) return null;
  const { code, title, cause, message, fix, retry, detail, help } = /** @type {Record<string, any>} */ (body);
  if (typeof code !== "string") return null;
  const known = namedFault(code, detail ?? null);
  return {
    ...known, title: title ?? known.title, cause: cause ?? message ?? known.cause, fix: fix ?? known.fix,
    retry: retry ?? known.retry, help: help ?? known.help,
  };
}

/** Carries a fault to whoever can show it. */
export class FaultError extends Error {
  /** @param {Fault} fault */
  constructor(fault) {
    super(`${fault.code}: ${fault.cause}`);
    this.name = "FaultError";
    this.fault = fault;
  }
}
