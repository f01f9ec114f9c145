// From what a page can know of a connection that failed, to a fault that is never empty. Pure: no socket, no clock.

import { namedFault, refusalOf } from "./fault.js";
import { BY_CLOSE_CODE, FAULTS } from "./faults.js";

/**
 * What went wrong with a connection. Every field says something.
 *
 * @typedef {import("./fault.js").Fault & {
 *   detail: string,
 *   help: string,
 *   url: string,
 *   readyState: number | null,
 *   closeCode: number | null,
 *   closeMeaning: string,
 *   tried: string[],
 *   at: number,
 * }} SignalingFault
 *
 * `url` is the address that was tried, without any token. `readyState` and `closeCode` are null where there was no
 * socket, or no close. `closeMeaning` and `tried` are never empty. `at` is in milliseconds since 1970.
 */

/**
 * What a plain request to the same server found out (`probe.js` makes one).
 *
 * - `ok`: a Ringlight server, or one like it, answers. `other`: something answers, and is none.
 * - `opaque`: something answers and does not let this page read it. `refused`: failed at once.
 * - `silent`: nothing came back in time. `blocked`: the page's own policy forbids it. `not-run`: none was made.
 *
 * @typedef {{ outcome: "ok" | "other" | "opaque" | "refused" | "silent" | "blocked" | "not-run", seen?: string }} Probe
 */

/**
 * What a page knows.
 *
 * @typedef {object} Sighting
 * @property {string} url  The socket's address as it was asked for.
 * @property {string} page  The page's own address.
 * @property {boolean} online  `navigator.onLine`.
 * @property {number} at  Milliseconds since 1970.
 * @property {number | null} [readyState]  Of the socket when it was over.
 * @property {boolean} [opened]  Whether the socket was ever open.
 * @property {number | null} [closeCode]
 * @property {string} [closeReason]
 * @property {unknown} [refusal]  The last `error` frame before the close.
 * @property {Probe} [probe]
 * @property {number} [attempts]  How often it was tried.
 * @property {string} [thrown]  What `new WebSocket` threw.
 */

// Close codes that are not of our making (RFC 6455 section 7.4.1 and IANA's registry), and what they mean to us.
/** @type {Record<number, [meaning: string, code: string]>} */
const CLOSES = {
  1000: ["closed in an orderly way", "REACH-CLOSED"],
  1001: ["the server restarts, or the page was left", "ROOM-BUSY"],
  1002: ["a frame broke the protocol", "ROOM-MESSAGE"],
  1003: ["a frame of a kind that is not taken", "ROOM-MESSAGE"],
  1005: ["closed without a code", "REACH-CLOSED"],
  1006: ["ended without a word: never opened, or the network broke", ""],
  1007: ["text that is no UTF-8", "ROOM-MESSAGE"],
  1008: ["against the server's policy", "ROOM-RATE"],
  1009: ["a message was too large", "ROOM-SIZE"],
  1011: ["the server met an error of its own", "SERVER-ERROR"],
  1012: ["the server restarts", "ROOM-BUSY"],
  1013: ["the server is busy; try again later", "ROOM-BUSY"],
  1015: ["the secure connection failed", "REACH-PORT"],
};
// What pages write into an address when a variable has no value, or nobody has filled a template in.
const NO_VALUE = /^(undefined|null|nan|none|\[object object\]|true|false|[{:[$<].*)$/i;
const READY = ["connecting", "open", "closing", "closed"];

/**
 * @param {Sighting} seen
 * @returns {SignalingFault}
 */
export function signalingFault(seen) {
  const url = withoutSecrets(seen.url);
  const base = refusalOf(seen.refusal) ?? namedFault(codeOf(seen));
  const tried = triedOf(seen, url);
  return {
    ...base,
    detail: [base.detail, ...tried.slice(-1)].filter(Boolean).join("; "),
    url, tried, at: seen.at,
    readyState: seen.readyState ?? null,
    closeCode: seen.closeCode ?? null,
    closeMeaning: closeMeaning(seen.closeCode ?? null),
  };
}

/**
 * A close code in words.
 *
 * @param {number | null} closeCode
 */
export function closeMeaning(closeCode) {
  if (closeCode === null) return "there was no close: the socket was never made, or never ended";
  if (CLOSES[closeCode]) return CLOSES[closeCode][0];
  const codes = BY_CLOSE_CODE[closeCode];
  if (codes) return codes.map((code) => FAULTS[code]?.title ?? code).join(", or: ");
  return closeCode >= 4000 ? "a code of the server's own" : "a code that nobody has registered";
}

/**
 * Judge an address before anything is sent to it; null when it may be tried.
 *
 * @param {string} url
 * @param {string} page  The page's own address.
 * @returns {"REACH-URL" | "REACH-MIXED" | "ROOM-ID" | null}
 */
export function judgeUrl(url, page) {
  const parsed = parse(url, page);
  if (!parsed) return "REACH-URL";
  const parts = parsed.pathname.split("/").filter(Boolean).map(decode);
  const before = parts.slice(0, Math.max(parts.indexOf("ws"), 0));   // a base without a value ends up in the path
  if ([parsed.hostname, parsed.hostname.split(".")[0], ...before].some((part) => NO_VALUE.test(part))) return "REACH-URL";
  if (page.startsWith("https:") && parsed.protocol === "ws:" && !isLoopback(parsed.hostname)) return "REACH-MIXED";
  const at = parts.indexOf("signaling");
  if (at < 0) return null;
  const id = (parts[at + 1] ?? "").trim();
  if (!id || NO_VALUE.test(id) || /\/signaling\/\/(doctor|patient)?\/?$/.test(parsed.pathname)) return "ROOM-ID";
  return null;
}

/** @param {Sighting} seen */
function codeOf(seen) {
  const judged = judgeUrl(seen.url, seen.page);
  if (judged) return judged;
  if (seen.closeReason && FAULTS[seen.closeReason]) return seen.closeReason;
  if (seen.thrown) return "REACH-URL";
  const code = seen.closeCode ?? 1006;
  if (CLOSES[code]?.[1]) return CLOSES[code][1];
  if (BY_CLOSE_CODE[code]) return BY_CLOSE_CODE[code][0];
  if (!seen.online) return "REACH-OFFLINE";
  if (!seen.opened || seen.probe?.outcome === "refused") return byProbe(seen);
  return seen.readyState === 1 ? "ROOM-SILENT" : "REACH-DROPPED";   // left by the page itself, as no pong came
}

/**
 * A socket that never opened says nothing at all; a plain request to the same place says more.
 *
 * @param {Sighting} seen
 */
function byProbe(seen) {
  const url = /** @type {URL} */ (parse(seen.url, seen.page));
  const page = parse(seen.page, seen.page);
  const own = page !== null && page.host === url.host;
  const self = isLoopback(url.hostname) && page !== null && page.hostname !== "" && !isLoopback(page.hostname);
  switch (seen.probe?.outcome) {
    case "ok": return /\/ws\/(v2|signaling\/.+)\/?$/.test(url.pathname) ? "REACH-PROXY" : "ROOM-PATH";
    case "other": return "REACH-OTHER";
    case "opaque": return own ? "REACH-OTHER" : "REACH-CORS";
    case "blocked": return "REACH-POLICY";
    case "silent": return isLoopback(url.hostname) ? "SERVER-GONE" : "REACH-FIREWALL";
    default: return self ? "REACH-SELF" : own ? "SERVER-GONE" : "REACH-PORT";
  }
}

/**
 * @param {Sighting} seen
 * @param {string} url
 */
function triedOf(seen, url) {
  const tried = [`the address ${url || "(empty)"} was judged, from a page of ${originOf(seen.page)}`];
  if (seen.thrown) tried.push(`the browser refused to make a socket: ${seen.thrown}`);
  else if (seen.readyState !== undefined && seen.readyState !== null) {
    const times = seen.attempts && seen.attempts > 1 ? `, for the ${ordinal(seen.attempts)} time` : "";
    const closed = seen.closeCode ? `closed with ${seen.closeCode}${seen.closeReason ? ` (${seen.closeReason})` : ""}`
      : `still ${READY[seen.readyState] ?? seen.readyState} when its time was over`;
    tried.push(`a WebSocket was opened${times}: it ${seen.opened ? "was open, then" : "never opened, and"} ${closed}`);
  }
  if (!seen.online) tried.push("the browser was asked: it is offline");
  const { outcome, seen: what } = seen.probe ?? { outcome: "not-run" };
  if (outcome !== "not-run") tried.push(`a plain request to /health was made: ${PROBED[outcome]}${what ? ` (${what})` : ""}`);
  return tried;
}

const PROBED = {
  ok: "the server answers",
  other: "something else answers",
  opaque: "something answers that this page may not read",
  refused: "it failed at once",
  silent: "nothing came back",
  blocked: "the page's own policy forbids it",
};

/** @param {number} number */
function ordinal(number) {
  return number === 2 ? "second" : number === 3 ? "third" : `${number}th`;
}

/**
 * The address without query, fragment and user: tokens stand there.
 *
 * @param {string} url
 */
export function withoutSecrets(url) {
  return url.replace(/[?#].*$/s, "").replace(/^([a-z]+:)?\/\/[^/@]*@/i, "$1//");
}

/**
 * @param {string} url
 * @param {string} page
 */
function parse(url, page) {
  if (!url.trim()) return null;
  try {
    const parsed = new URL(url, page);
    const swapped = parsed.protocol.replace(/^http/, "ws");
    return swapped === "ws:" || swapped === "wss:" ? new URL(parsed.href.replace(/^http/i, "ws")) : null;
  } catch {
    return null;
  }
}

/** @param {string} part */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** @param {string} url */
function originOf(url) {
  try {
    return new URL(url).origin;
  } catch {
    return "an unknown address";
  }
}

/** @param {string} host */
function isLoopback(host) {
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127(\.\d+){3}$/.test(host);
}
