// From whatever was thrown to a fault that can be shown.

import { serverGone, toFault } from "../page/api.js";

/**
 * @param {unknown} error
 * @returns {import("../page/api.js").Fault}
 */
export function faultOf(error) {
  const carried = error instanceof Error && "fault" in error ? toFault(error.fault) : null;
  return carried ?? serverGone(error instanceof Error ? error.message : String(error));
}
