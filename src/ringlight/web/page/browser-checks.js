// What a browser can find out about itself and its way to the server; the server judges it together with its own checks.

import { iceServersOf, isRefused } from "./ice.js";

/**
 * One line of the report. The names of the checks are those of the server's list.
 *
 * @typedef {object} Seen
 * @property {string} check
 * @property {"good" | "note" | "fault" | "skipped"} mark
 * @property {string} seen
 * @property {string | null} code
 */

const OPEN_MS = 4_000;       // for a WebSocket, a path for media, or an address of a TURN server
const LISTEN_MS = 400;       // that a WebSocket has to stay open
const ENOUGH = 3;            // Mbit/s; a camera of 1.5 needs twice that where packets are lost

/** @param {string} check @param {string} seen @returns {Seen} */
const good = (check, seen) => ({ check, mark: "good", seen, code: null });

/** @param {string} check @param {string} seen @param {string} code @returns {Seen} */
const note = (check, seen, code) => ({ check, mark: "note", seen, code });

/** @param {string} check @param {string} seen @param {string} code @returns {Seen} */
const fault = (check, seen, code) => ({ check, mark: "fault", seen, code });

/** @param {string} check @param {string} seen @returns {Seen} */
const skipped = (check, seen) => ({ check, mark: "skipped", seen, code: null });

/**
 * Run all checks at once. Never rejects, and asks the user for nothing.
 *
 * @returns {Promise<Seen[]>}
 */
export async function browserChecks() {
  const checks = {
    "browser-webrtc": webrtc, "browser-secure": secure, "browser-devices": devices, "browser-permission": permission,
    "browser-socket": socket, "browser-media": media, "browser-turn": turn, "browser-bandwidth": bandwidth,
  };
  return Promise.all(Object.entries(checks).map(async ([name, check]) => {
    try {
      return await check(name);
    } catch (error) {
      return skipped(name, `could not be looked at: ${error instanceof Error ? error.message : error}`.slice(0, 300));
    }
  }));
}

/** @param {string} name */
async function webrtc(name) {
  return "RTCPeerConnection" in window ? good(name, "it can")
    : fault(name, "RTCPeerConnection is missing", "VIEWER-NO-WEBRTC");
}

/** @param {string} name */
async function secure(name) {
  return isSecureContext ? good(name, `${location.protocol}//${location.hostname}`)
    : note(name, `${location.origin} is not secure: video plays, and nobody can talk or call`, "WEB-INSECURE");
}

/** @param {string} name */
async function devices(name) {
  if (!navigator.mediaDevices) return skipped(name, "not on an address that is not secure");
  const kinds = (await navigator.mediaDevices.enumerateDevices()).map((device) => device.kind);
  const missing = [["videoinput", "camera"], ["audioinput", "microphone"]].filter(([kind]) =>
    !kinds.some((one) => one === kind)).map(([, word]) => word);
  return missing.length ? note(name, `no ${missing.join(" and no ")} here: video plays all the same`, "WEB-NO-DEVICE")
    : good(name, "a camera and a microphone");
}

/** @param {string} name */
async function permission(name) {
  if (!navigator.permissions || !isSecureContext) return skipped(name, "this browser does not tell");
  const states = await Promise.all(["camera", "microphone"].map(async (one) => {
    const asked = await navigator.permissions.query({ name: /** @type {PermissionName} */ (one) });
    return [one, asked.state];
  }));
  const denied = states.filter(([, state]) => state === "denied").map(([one]) => one);
  if (denied.length) return fault(name, `refused to this page: ${denied.join(" and ")}`, "WEB-DENIED");
  return good(name, states.map(([one, state]) => `${one}: ${state === "prompt" ? "not asked yet" : "allowed"}`).join(", "));
}

/** @param {string} name */
function socket(name) {
  const url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/v2`;
  return new Promise((resolve) => {
    const web = new WebSocket(url);
    let opened = false;
    /** @param {Seen} seen */
    const end = (seen) => {
      clearTimeout(late);
      web.onclose = web.onopen = null;
      web.close();
      resolve(seen);
    };
    const late = setTimeout(() => end(fault(name, `it did not open within ${OPEN_MS / 1000} s`, "REACH-PROXY")), OPEN_MS);
    web.onopen = () => {
      opened = true;
      setTimeout(() => end(good(name, "it opens and stays open")), LISTEN_MS);
    };
    web.onclose = ({ code, reason }) => {
      if (reason === "ROOM-ORIGIN") end(fault(name, `closed with ${code}`, reason));
      else if (opened) end(fault(name, `opened and closed with ${code}`, "REACH-CUT"));
      else end(fault(name, `closed with ${code} before it was open; plain requests work`, "REACH-PROXY"));
    };
  });
}

/** A path to the media port that shows nothing, so that no camera wakes up. @param {string} name */
async function media(name) {
  if (!("RTCPeerConnection" in window)) return skipped(name, "without WebRTC there is no path");
  const peer = new RTCPeerConnection();
  try {
    peer.addTransceiver("video", { direction: "recvonly" });
    await peer.setLocalDescription(await peer.createOffer());
    await gathered(peer, 1_000);
    const response = await fetch("/api/doctor/media", {
      method: "POST", headers: { "content-type": "application/sdp" }, body: peer.localDescription?.sdp ?? "",
    });
    if (!response.ok) return skipped(name, `the server gave no answer to the offer (HTTP ${response.status})`);
    await peer.setRemoteDescription({ type: "answer", sdp: await response.text() });
    if (!(await connected(peer))) return fault(name, `no path within ${OPEN_MS / 1000} s, by UDP or TCP`, "VIEWER-UDP");
    const protocol = await chosenProtocol(peer);
    return protocol === "tcp" ? note(name, "over TCP; UDP does not come through", "VIEWER-TCP")
      : good(name, `a path by ${protocol === "udp" ? "UDP" : protocol}`);
  } finally {
    peer.close();
  }
}

/** @param {RTCPeerConnection} peer @param {number} ms @returns {Promise<void>} */
function gathered(peer, ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
    peer.addEventListener("icegatheringstatechange", () => peer.iceGatheringState === "complete" && resolve());
    if (peer.iceGatheringState === "complete") resolve();
  });
}

/** @param {RTCPeerConnection} peer @returns {Promise<boolean>} */
function connected(peer) {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(false), OPEN_MS);
    const look = () => {
      if (peer.connectionState !== "connected" && peer.connectionState !== "failed") return;
      clearTimeout(late);
      resolve(peer.connectionState === "connected");
    };
    peer.addEventListener("connectionstatechange", look);
    look();
  });
}

/** @param {RTCPeerConnection} peer @returns {Promise<string>} */
async function chosenProtocol(peer) {
  const stats = [...(await peer.getStats()).values()];
  const chosen = stats.find(({ type }) => type === "transport")?.selectedCandidatePairId;
  const pair = stats.find(({ id }) => id === chosen)
    ?? stats.find(({ type, state }) => type === "candidate-pair" && state === "succeeded");
  return stats.find(({ id }) => id === pair?.localCandidateId)?.protocol ?? "a protocol that the browser does not tell";
}

/** @param {string} name */
async function turn(name) {
  // The answer names the servers of the settings, with a password for some hours; no camera is asked.
  const link = (await fetch("/whep/doctor", { method: "OPTIONS" })).headers.get("link");
  const iceServers = iceServersOf(link ?? "").filter(({ username }) => username);
  if (!iceServers.length) return skipped(name, "no TURN server is set (RINGLIGHT_TURN_URL)");
  const peer = new RTCPeerConnection({ iceServers, iceTransportPolicy: "relay" });
  let refused = "";
  try {
    peer.addEventListener("icecandidateerror", (event) => {
      if (isRefused(event)) refused ||= `error ${event.errorCode} ${event.errorText}`.trim();
    });
    const found = new Promise((resolve) => {
      peer.addEventListener("icecandidate", ({ candidate }) => candidate && resolve(candidate.address || "an address"));
      setTimeout(() => resolve(null), OPEN_MS);
    });
    peer.addTransceiver("video", { direction: "recvonly" });
    await peer.setLocalDescription(await peer.createOffer());
    const address = await found;
    return address ? good(name, "it lends an address") : refused ? fault(name, refused, "TURN-CREDENTIALS")
      : fault(name, `no address within ${OPEN_MS / 1000} s`, "TURN-UNREACHABLE");
  } finally {
    peer.close();
  }
}

/** @param {string} name */
async function bandwidth(name) {
  const began = performance.now();
  const response = await fetch("/api/doctor/block", { cache: "no-store" });
  const bytes = (await response.arrayBuffer()).byteLength;
  if (!response.ok) return skipped(name, `HTTP ${response.status}`);
  const rate = bytes * 8 / 1000 / Math.max(1, performance.now() - began);
  const seen = `${rate < 10 ? rate.toFixed(1) : Math.round(rate)} Mbit/s from the server`;
  return rate < ENOUGH ? fault(name, seen, "WEB-SLOW") : good(name, seen);
}
