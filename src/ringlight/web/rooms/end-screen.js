// Where a visit ends, or cannot begin: what happened, what one can do now, and the fault in full for whoever helps.

import { el } from "../page/dom.js";
import { namedFault } from "./client/index.js";
import { faultView } from "./fault-view.js";
import { icon } from "./icons.js";
import { has, resay, say } from "./i18n.js";

/** @typedef {import("../page/api.js").Fault} Fault */

/** @type {Record<string, string>}  What a refusal means for a person. */
const KINDS = {
  "ROOM-ENDED": "ended", "ROOM-DENIED": "denied", "ROOM-TOKEN-EXPIRED": "expired", "ROOM-REPLACED": "replaced",
  "ROOM-FULL": "full", "ROOM-EARLY": "early", "ROOM-LOCKED": "locked", "ROOM-UNKNOWN": "unknown",
};

/** What the state of a link is called in the catalogue. @type {Record<string, string>} */
const OF_LINKS = {
  used: "ROOM-LINK-USED", expired: "ROOM-LINK-EXPIRED", early: "ROOM-EARLY", unknown: "ROOM-LINK-UNKNOWN", ended: "ROOM-ENDED",
};

/**
 * The fault by which a link cannot be used.
 *
 * @param {string} state
 */
export const faultOfLink = (state) => namedFault(OF_LINKS[state] ?? "ROOM-LINK-UNKNOWN");

/** @type {Record<string, import("./icons.js").Icon>} */
const SIGNS = {
  left: "check", ended: "check", denied: "door", expired: "clock", used: "clock", replaced: "copy", full: "people",
  early: "clock", locked: "lock", unknown: "door", failed: "warn",
};

/**
 * The kind of end that a fault is.
 *
 * @param {{ code: string } | null} fault
 */
export const endOf = (fault) => (fault ? KINDS[fault.code] ?? "failed" : "left");

/**
 * What somebody waits for whom the server does not let in yet; null where they wait for a connection.
 *
 * @param {{ code: string } | null} fault
 */
export function waitsFor(fault) {
  const kind = endOf(fault);
  return kind === "full" || kind === "locked" || kind === "early" ? kind : null;
}

/**
 * @param {object} options
 * @param {string} options.kind  A key of `SIGNS`.
 * @param {Fault | null} [options.fault]
 * @param {(() => void) | null} [options.again]  Comes back, or tries again.
 * @param {number | null} [options.opens]  Milliseconds since 1970, for `early`: then `again` is called by itself.
 * @param {string} [options.reason]  What the person who declined wrote.
 * @param {() => string[]} [options.notes]
 * @returns {import("./screens.js").Screen}
 */
export function endScreen({ kind, fault = null, again = null, opens = null, reason = "", notes }) {
  const action = again && el("button", { id: "again", class: "button primary", type: "button", onclick: again },
    say(has(`end.${kind}.again`) ? `end.${kind}.again` : "try-again"));
  const countdown = opens === null ? null : el("p", { class: "countdown", role: "timer" });
  // A fault that no page explains better is shown at once; behind the others it is there for whoever helps.
  const card = fault && (kind === "failed"
    ? faultView(fault, { retry: again, notes })
    : el("details", { class: "for-support" }, el("summary", {}, say("end.details")), faultView(fault, { notes })));
  const element = el("div", { class: "end", "data-end": kind },
    el("div", { class: "end-sign", "aria-hidden": "true" }, icon(SIGNS[kind] ?? "warn")),
    el("h1", {}, say(`end.${kind}`)),
    el("p", { class: "lead" }, say(`end.${kind}.text`)),
    reason ? el("p", { class: "end-reason" }, say("end.reason"), " ", el("q", {}, reason)) : null,
    countdown,
    kind === "failed" && fault ? null : el("div", { class: "end-actions" }, action),
    card);
  const stop = countdown && opens !== null ? count(countdown, opens, again) : undefined;
  return { name: "end", element, title: `end.${kind}`, close: stop };
}

/**
 * Count down to a moment, then go on.
 *
 * @param {HTMLElement} place
 * @param {number} until  Milliseconds since 1970.
 * @param {(() => void) | null} then
 */
function count(place, until, then) {
  const tick = () => {
    const seconds = Math.ceil((until - Date.now()) / 1000);
    if (seconds > 0) return resay(place, "end.early.in", { time: { seconds } });
    clearInterval(timer);
    then?.();
  };
  const timer = setInterval(tick, 1_000);
  tick();
  return () => clearInterval(timer);
}
