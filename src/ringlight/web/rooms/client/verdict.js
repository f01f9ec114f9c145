// What the checks before a call come to. Pure.

import { namedFault } from "./fault.js";

/** @typedef {import("./fault.js").Fault} Fault */
/** @typedef {"permission" | "camera" | "microphone" | "server" | "turn" | "bandwidth"} CheckName */

/**
 * @typedef {object} Check
 * @property {CheckName} name
 * @property {"waiting" | "running" | "good" | "warning" | "bad" | "skipped"} state
 * @property {Fault | null} fault  A row of the catalogue.
 * @property {Record<string, string | number | boolean | null>} seen  Figures, for the report; no names, no addresses.
 */

/**
 * @typedef {object} Report
 * @property {string} at  ISO time.
 * @property {"good" | "warning" | "bad"} verdict  `bad`: a call will not work. `warning`: it will, with less.
 * @property {string[]} codes  Of all faults, worst first.
 * @property {Check[]} checks
 * @property {{ agent: string, secure: boolean, webrtc: boolean }} browser
 */

/** Below this not even sound is sure. */
const SOUND_KBPS = 100;
/** Below this there will be no picture worth looking at. */
const PICTURE_KBPS = 500;
const LOSSY = 0.05;
const FAR_MS = 400;

/**
 * @param {import("./relay-loop.js").Loop} loop
 * @returns {Pick<Check, "state" | "fault" | "seen">}
 */
export function judgeLine({ kbps, loss, rttMs }) {
  const seen = { kbps, loss: loss === null ? null : Math.round(loss * 1000) / 1000, rtt_ms: rttMs };
  if (kbps === null) return { state: "skipped", fault: null, seen };
  const isThin = kbps < PICTURE_KBPS || (loss ?? 0) > LOSSY || (rttMs ?? 0) > FAR_MS;
  const words = `${kbps} kbit/s, ${Math.round((loss ?? 0) * 100)} % lost, ${rttMs ?? "?"} ms`;
  if (!isThin) return { state: "good", fault: null, seen };
  return { state: kbps < SOUND_KBPS ? "bad" : "warning", fault: namedFault("WEB-THIN", words), seen };
}

/**
 * One missing device still lets people talk, or be seen; none at all, or no server, does not.
 *
 * @param {Check[]} checks
 * @param {{ at: string, browser: Report["browser"] }} about
 * @returns {Report}
 */
export function reportOf(checks, { at, browser }) {
  const worstFirst = ["bad", "warning"].flatMap((state) => checks.filter((check) => check.state === state));
  const codes = [...new Set(worstFirst.flatMap(({ fault }) => fault?.code ?? []))];
  const verdict = worstFirst[0]?.state === "bad" ? "bad" : worstFirst.length ? "warning" : "good";
  return { at, verdict, codes, checks: checks.map((check) => ({ ...check })), browser };
}
