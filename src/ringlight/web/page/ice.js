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
  /** @type {RTCIceServer[]} */
  const servers = [];
  let at = link.indexOf("<");
  while (at >= 0) {
    const end = link.indexOf(">", at);
    if (end < 0) break;   // nor is there one for any "<" that follows
    const [named, next] = parametersAt(link, end + 1);
    const urls = link.slice(at + 1, end);
    if (named.rel === "ice-server") {
      servers.push(named.username ? { urls, username: named.username, credential: named.credential } : { urls });
    }
    at = link.indexOf("<", next);
  }
  return servers;
}

/**
 * The parameters that begin at a place of a `Link` header (RFC 8288 section 3), and where they end.
 *
 * @param {string} link
 * @param {number} at
 * @returns {[Record<string, string | undefined>, number]}
 */
function parametersAt(link, at) {
  const one = /\s*;\s*([\w-]+)\s*=\s*(?:"([^"]*)"|([^",;]*))/y;
  const pairs = [];
  for (one.lastIndex = at; ;) {
    const found = one.exec(link);
    if (found === null) return [Object.fromEntries(pairs), at];
    pairs.push([found[1], found[2] ?? found[3]]);
    at = one.lastIndex;
  }
}
