// One plain request to a server whose socket did not open. It may say more than the socket can.

/** @typedef {import("./signaling-error.js").Probe} Probe */

const SILENT_AFTER_MS = 4_000;

/**
 * Ask `/health` of the socket's server. Never throws.
 *
 * @param {string} url  The socket's address.
 * @returns {Promise<Probe>}
 */
export async function probe(url) {
  const health = new URL("/health", url.replace(/^ws/i, "http")).href;
  let isBlocked = false;
  /** @param {SecurityPolicyViolationEvent} event */
  const onViolation = (event) => { isBlocked ||= health.startsWith(event.blockedURI); };
  document.addEventListener("securitypolicyviolation", onViolation);
  try {
    return await ask(health);
  } catch (error) {
    if (error instanceof DOMException && error.name === "TimeoutError") return { outcome: "silent" };
    await new Promise((resolve) => setTimeout(resolve));   // the browser tells of its policy a little later
    if (isBlocked) return { outcome: "blocked" };
    return await askBlindly(health);
  } finally {
    document.removeEventListener("securitypolicyviolation", onViolation);
  }
}

/** @param {string} health */
async function ask(health) {
  const response = await fetch(health, options());
  const status = await response.json().then((body) => body?.status, () => null);
  // Ours says "ok"; servers for which the old address was made say "healthy".
  /** @type {Probe} */
  const found = { outcome: response.ok && ["ok", "healthy"].includes(status) ? "ok" : "other", seen: `HTTP ${response.status}` };
  return found;
}

/**
 * Without the right to read: that an answer comes at all is worth knowing.
 *
 * @param {string} health
 * @returns {Promise<Probe>}
 */
async function askBlindly(health) {
  try {
    await fetch(health, { ...options(), mode: "no-cors" });
    return { outcome: "opaque" };
  } catch (error) {
    const silent = error instanceof DOMException && error.name === "TimeoutError";
    return { outcome: silent ? "silent" : "refused" };
  }
}

/** @returns {RequestInit} */
function options() {
  return { cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(SILENT_AFTER_MS) };
}
