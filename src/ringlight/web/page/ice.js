// What WHEP says about ICE, as text: fragments of descriptions, and the servers that help to find a path.

/**
 * Our side of ICE, as RFC 8840 wants it: what is the same for all sections, and the first of the bundle.
 *
 * @param {string} sdp
 */
export function fragmentOf(sdp) {
  const [session = "", first = ""] = sdp.split(/^(?=m=)/m);
  const wanted = /^(m=|a=(mid|ice-ufrag|ice-pwd|ice-options|candidate|end-of-candidates))/;
  const group = session.split("\r\n").filter((line) => line.startsWith("a=group:BUNDLE"));
  return [...group, ...first.split("\r\n").filter((line) => wanted.test(line)), ""].join("\r\n");
}

/**
 * The answer that we had, with the ICE of a fragment in the place of its own; null where the fragment has none.
 *
 * @param {string} answer
 * @param {string} fragment
 */
export function withIce(answer, fragment) {
  const ufrag = /^a=ice-ufrag:.*$/m.exec(fragment)?.[0].trim();
  const pwd = /^a=ice-pwd:.*$/m.exec(fragment)?.[0].trim();
  if (!ufrag || !pwd) return null;
  const candidates = fragment.split(/\r?\n/).filter((line) => line.startsWith("a=candidate:"));
  const stays = (/** @type {string} */ line) => !/^a=(candidate:|end-of-candidates)/.test(line);
  return answer.split(/\r?\n/).filter(stays).flatMap((line) => {
    if (line.startsWith("a=ice-ufrag:")) return [ufrag];
    if (line.startsWith("a=ice-pwd:")) return [pwd, ...candidates];
    return [line];
  }).join("\r\n");
}

/**
 * Whether a TURN server refused the name or the password (RFC 8656).
 *
 * @param {RTCPeerConnectionIceErrorEvent} event
 */
export const isRefused = ({ errorCode }) => errorCode === 401 || errorCode === 403;

/**
 * STUN and TURN servers out of a `Link` header (RFC 9725 section 4.6).
 *
 * @param {string} link
 * @returns {RTCIceServer[]}
 */
export function iceServersOf(link) {
  const entries = link.matchAll(/<([^>]*)>((?:\s*;\s*[\w-]+\s*=\s*(?:"[^"]*"|[^",;]*))*)/g);
  return [...entries].flatMap(([, urls = "", rest = ""]) => {
    const pairs = [...rest.matchAll(/([\w-]+)\s*=\s*(?:"([^"]*)"|([^",;]*))/g)];
    const named = Object.fromEntries(pairs.map(([, name, quoted, bare]) => [name, quoted ?? bare]));
    if (named.rel !== "ice-server") return [];
    return [named.username ? { urls, username: named.username, credential: named.credential } : { urls }];
  });
}
