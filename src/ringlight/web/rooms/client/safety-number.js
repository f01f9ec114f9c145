// A short number that both sides of a call see the same, unless somebody sits in between. Pure.

/**
 * @param {string} oneSdp
 * @param {string} otherSdp  The order does not matter.
 * @returns {Promise<string | null>}  Such as "1234 5678 9012 3456 7890"; null where a description has no fingerprint.
 */
export async function safetyNumber(oneSdp, otherSdp) {
  throw new Error(`not built yet: ${oneSdp} ${otherSdp}`);
}
