// From this browser to the TURN server and back: whether it answers, how far it is, and how much gets through.

import { isRefused } from "../../page/ice.js";
import { namedFault } from "./fault.js";

/** @typedef {import("./fault.js").Fault} Fault */

/**
 * @typedef {object} Loop
 * @property {Fault | null} fault
 * @property {number | null} rttMs  To the server and back, twice: as between two people who both need it.
 * @property {number | null} kbps  What got through in the time, up to `MOST_KBPS`.
 * @property {number | null} loss  0 to 1.
 */

const CONNECT_MS = 10_000;
const LOAD_MS = 3_000;
const SETTLE_MS = 500;         // for what is still on its way
/** More is not asked for: it is enough for a picture of 720 lines. */
export const MOST_KBPS = 2_000;
const PACKET = 1_000;          // bytes
const TICK_MS = 20;

/** Whether a relay is named at all. @param {RTCIceServer[]} iceServers */
export function hasRelay(iceServers) {
  return iceServers.some(({ urls }) => [urls].flat().some((url) => /^turns?:/i.test(url)));
}

/**
 * Two connections in this page that may meet at the TURN server only. Never throws.
 *
 * @param {RTCIceServer[]} iceServers
 * @returns {Promise<Loop>}
 */
export async function relayLoop(iceServers) {
  /** @type {RTCPeerConnection[]} */
  const both = [];
  /** @type {RTCPeerConnectionIceErrorEvent[]} */
  const errors = [];
  let isLent = false;
  try {
    for (let side = 0; side < 2; side += 1) both.push(new RTCPeerConnection({ iceServers, iceTransportPolicy: "relay" }));
    const [one, other] = both;
    for (const [from, to] of [[one, other], [other, one]]) {
      from.onicecandidate = ({ candidate }) => {
        isLent ||= Boolean(candidate?.candidate);
        to.addIceCandidate(candidate ?? undefined).catch(() => {});
      };
      from.onicecandidateerror = (event) => errors.push(event);
    }
    const channel = one.createDataChannel("load", { ordered: false, maxRetransmits: 0 });
    await connect(one, other, channel);
    return { fault: null, ...await load(one, other, channel) };
  } catch (error) {
    return { fault: faultOf(errors, error, isLent), rttMs: null, kbps: null, loss: null };
  } finally {
    for (const one of both) one.close();
  }
}

/**
 * @param {RTCPeerConnection} one
 * @param {RTCPeerConnection} other
 * @param {RTCDataChannel} channel
 */
async function connect(one, other, channel) {
  /** @type {Promise<void>} */
  const opened = new Promise((resolve, reject) => {
    channel.onopen = () => resolve();
    setTimeout(() => reject(new Error(`no path within ${CONNECT_MS / 1000} s`)), CONNECT_MS);
    one.onicegatheringstatechange = () => {
      const isInVain = one.iceGatheringState === "complete" && !one.localDescription?.sdp.includes("a=candidate:");
      if (isInVain) reject(new Error("no relay was given"));
    };
  });
  await one.setLocalDescription();
  await other.setRemoteDescription(/** @type {RTCSessionDescription} */ (one.localDescription));
  await other.setLocalDescription();
  await one.setRemoteDescription(/** @type {RTCSessionDescription} */ (other.localDescription));
  await opened;
}

/**
 * @param {RTCPeerConnection} one
 * @param {RTCPeerConnection} other
 * @param {RTCDataChannel} channel
 */
async function load(one, other, channel) {
  let received = 0;
  let sent = 0;
  other.ondatachannel = ({ channel: far }) => { far.onmessage = () => { received += 1; }; };
  const packet = new Uint8Array(PACKET);
  const perTick = (MOST_KBPS * 1000 * TICK_MS) / 1000 / 8 / PACKET;
  const began = performance.now();
  while (performance.now() - began < LOAD_MS) {
    const due = ((performance.now() - began) / TICK_MS) * perTick;
    while (sent < due && channel.bufferedAmount < 64_000) {
      channel.send(packet);
      sent += 1;
    }
    await sleep(TICK_MS);
  }
  await sleep(SETTLE_MS);
  const pair = [...(await one.getStats()).values()].find(({ type, nominated }) => type === "candidate-pair" && nominated);
  const rttMs = pair?.currentRoundTripTime === undefined ? null : Math.round(pair.currentRoundTripTime * 1000);
  return { rttMs, kbps: Math.round((received * PACKET * 8) / LOAD_MS), loss: sent ? Math.max(0, 1 - received / sent) : null };
}

/**
 * The browser names what TURN said: a refusal of the credentials, or 701, that nothing came at all.
 * An address that was lent, and through which nothing came, leads nowhere.
 *
 * @param {RTCPeerConnectionIceErrorEvent[]} errors
 * @param {unknown} error
 * @param {boolean} isLent
 */
function faultOf(errors, error, isLent) {
  if (isLent) return namedFault("TURN-RELAY", error instanceof Error ? error.message : String(error));
  const said = errors.map(({ errorCode, errorText, url }) => `${url}: ${errorCode} ${errorText}`);
  const seen = said[0] ?? (error instanceof Error ? error.message : String(error));
  return namedFault(errors.some(isRefused) ? "TURN-CREDENTIALS" : "TURN-UNREACHABLE", seen);
}

/** @param {number} ms */
function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
