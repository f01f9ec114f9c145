// A short number that both sides of a call see the same, unless somebody sits in between. Pure.
//
// Sound and pictures are encrypted from browser to browser with keys that the fingerprints in both descriptions vouch
// for (RFC 8827 section 6.5). Whoever swaps the descriptions could sit in between; then the two numbers differ.

const DIGITS = 20;
// A number this short could be hit by trying certificates out; so that each try takes long (PBKDF2, RFC 8018).
const ROUNDS = 100_000;

/**
 * @param {string} oneSdp
 * @param {string} otherSdp  The order does not matter.
 * @returns {Promise<string | null>}  Such as "1234 5678 9012 3456 7890"; null where a description has no fingerprint.
 */
export async function safetyNumber(oneSdp, otherSdp) {
  const sides = [oneSdp, otherSdp].map(fingerprintsOf).sort();
  if (sides.some((side) => side === "")) return null;
  const bytes = new TextEncoder().encode(sides.join("\n"));
  const key = await crypto.subtle.importKey("raw", bytes, "PBKDF2", false, ["deriveBits"]);
  const salt = new TextEncoder().encode("ringlight safety number 1");
  const derived = await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations: ROUNDS }, key, 128);
  const whole = [...new Uint8Array(derived)].reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const digits = (whole % 10n ** BigInt(DIGITS)).toString().padStart(DIGITS, "0");
  return digits.match(/.{4}/g)?.join(" ") ?? null;
}

/** @param {string} sdp */
function fingerprintsOf(sdp) {
  const found = [...sdp.matchAll(/^a=fingerprint:(\S+)[ \t]+(\S+)/gim)];
  return [...new Set(found.map(([, hash, value]) => `${hash} ${value}`.toLowerCase()))].sort().join(",");
}
