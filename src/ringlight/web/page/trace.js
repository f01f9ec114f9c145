/**
 * A trace that begins here (W3C Trace Context): the server's spans of what this page asks for belong to it, and its log
 * names it. It says nothing of who asks: both ids are chance, and new each time.
 *
 * @returns {string} For the header `traceparent`.
 */
export function traceparent() {
  return `00-${chance(16)}-${chance(8)}-01`;
}

/** @param {number} count Of bytes. */
function chance(count) {
  const bytes = crypto.getRandomValues(new Uint8Array(count));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
