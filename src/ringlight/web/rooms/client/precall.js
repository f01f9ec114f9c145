// The checks before a call, without a page: each tells when it changes, and the page shows them.

import { ownUrl } from "./connection.js";
import { namedFault } from "./fault.js";
import { listDevices, LocalMedia, mediaFault, openDevices } from "./local-media.js";
import { followLevel } from "./microphone-level.js";
import { probe } from "./probe.js";
import { hasRelay, relayLoop } from "./relay-loop.js";
import { judgeUrl, signalingFault } from "./signaling-error.js";
import { judgeLine, reportOf } from "./verdict.js";

/** @typedef {import("./verdict.js").Check} Check */
/** @typedef {import("./verdict.js").CheckName} CheckName */
/** @typedef {import("./verdict.js").Report} Report */

/**
 * @typedef {object} PrecallOptions
 * @property {RTCIceServer[]} [iceServers]  Those of the room, if they are known; without them the loop is left out.
 * @property {string} [server]  The socket's address; without it, that of the page's own server.
 * @property {string} [camera]  Device id.
 * @property {string} [microphone]
 * @property {boolean} [video]  Whether a camera is wanted; true by default.
 */

/** @type {CheckName[]} */
const NAMES = ["permission", "camera", "microphone", "server", "turn", "bandwidth"];
const LISTEN_MS = 3_000;
const QUIET = 0.05;          // of the scale: a room is never so still that an open microphone stays below
const SOCKET_MS = 5_000;

/**
 * Fires `change` (look at `checks`, `devices`, `stream`), `level` (look at `level`) and `done` (look at `report`).
 *
 *     const precall = new Precall({ iceServers });
 *     precall.addEventListener("change", draw);
 *     const report = await precall.run();
 *     const call = new Call({ token, stream: precall.keep() });
 */
export class Precall extends EventTarget {
  /** In the order of running. @type {Check[]} */
  checks = NAMES.map((name) => ({ name, state: "waiting", fault: null, seen: {} }));
  /** For the preview; the same over a change of devices. */
  stream = new MediaStream();
  /** Of the microphone, 0 to 1, some ten times a second. */
  level = 0;
  /** @type {import("./local-media.js").Devices} */
  devices = { cameras: [], microphones: [], speakers: [] };
  /** The last report; null before `run` ends. @type {Report | null} */
  report = null;

  #options;
  #local = new LocalMedia();
  #loudest = 0;
  #hears = false;
  #isKept = false;
  #stopLevel = () => {};
  #run = 0;
  #onDevices = () => void this.#listDevices();

  /** @param {PrecallOptions} [options] */
  constructor(options = {}) {
    super();
    this.#options = options;
    this.#local.addEventListener("track", () => this.#tracksChanged());
    navigator.mediaDevices?.addEventListener("devicechange", this.#onDevices);
  }

  /** Run all checks, the last ones at the same time; may be called again. Never throws. @returns {Promise<Report>} */
  async run() {
    const run = (this.#run += 1);
    for (const name of NAMES) this.#set(name, { state: "waiting", fault: null, seen: {} });
    await this.#openDevices();
    await this.#listDevices();
    await Promise.all([this.#listen(), this.#askServer(), this.#askRelay()]);
    const browser = { agent: navigator.userAgent, secure: isSecureContext, webrtc: "RTCPeerConnection" in globalThis };
    const report = reportOf(this.checks, { at: new Date().toISOString(), browser });
    if (run === this.#run) {
      this.report = report;
      this.dispatchEvent(new Event("done"));
    }
    return report;
  }

  /**
   * Take another camera or microphone; what is not named stays.
   *
   * @param {{ camera?: string, microphone?: string }} ids
   */
  async choose({ camera, microphone }) {
    if (camera !== undefined) await this.#local.chooseDevice("camera", camera);
    if (microphone !== undefined) await this.#local.chooseDevice("microphone", microphone);
    this.#judgeDevices();
    if (microphone !== undefined) await this.#listen();
  }

  /**
   * Record some seconds of the microphone and play them back, so that people hear themselves as others do. Resolves when
   * it was played; rejects when the browser can do neither.
   *
   * @param {{ seconds?: number, speaker?: string, onPhase?: (phase: "recording" | "playing" | "done") => void }} [options]
   */
  async echo({ seconds = 3, speaker = "", onPhase = () => {} } = {}) {
    const { audio } = this.#local.tracks;
    if (!audio) throw new Error("there is no microphone to listen to");
    onPhase("recording");
    const url = URL.createObjectURL(await record(audio, seconds));
    try {
      onPhase("playing");
      await play(url, speaker);
    } finally {
      URL.revokeObjectURL(url);
      onPhase("done");
    }
  }

  /** Give camera and microphone to a call: `stop` will not end them. @returns {MediaStream | null} */
  keep() {
    this.#isKept = true;
    const { audio, video } = this.#local.tracks;
    const tracks = [audio, video].filter((track) => track !== null);
    return tracks.length ? new MediaStream(tracks) : null;
  }

  /** End everything; the camera's light goes out unless the stream was kept. */
  stop() {
    this.#run += 1;
    this.#stopLevel();
    navigator.mediaDevices?.removeEventListener("devicechange", this.#onDevices);
    if (!this.#isKept) this.#local.close();
  }

  // Camera and microphone

  async #openDevices() {
    const { camera, microphone, video = true } = this.#options;
    this.#set("permission", { state: "running" });
    const open = this.#local.tracks;
    if (!open.audio || (video && !open.video)) await this.#local.open({ video, camera, microphone });
    this.#judgeDevices();
  }

  #judgeDevices() {
    const { video = true } = this.#options;
    const { tracks, fault } = this.#local;
    const isDenied = fault?.code === "WEB-DENIED" || fault?.code === "WEB-INSECURE";
    this.#set("permission", isDenied ? { state: "bad", fault } : { state: "good", fault: null });
    const missing = fault ?? namedFault("WEB-NO-DEVICE");
    if (!video) this.#set("camera", { state: "skipped", fault: null });
    else if (!tracks.video) this.#set("camera", { state: "warning", fault: missing });
    else {
      const { width = null, height = null, frameRate = null } = tracks.video.getSettings();
      this.#set("camera", { state: "good", fault: null, seen: { width, height, fps: frameRate } });
    }
    if (!tracks.audio) this.#set("microphone", { state: "bad", fault: missing });
    else if (this.#check("microphone").state === "bad") this.#set("microphone", { state: "running", fault: null });
  }

  async #listDevices() {
    this.devices = await listDevices();
    this.dispatchEvent(new Event("change"));
  }

  #tracksChanged() {
    const { audio, video } = this.#local.tracks;
    for (const track of this.stream.getTracks()) if (track !== audio && track !== video) this.stream.removeTrack(track);
    for (const track of [audio, video]) if (track) this.stream.addTrack(track);
    this.#stopLevel();
    this.#stopLevel = audio ? followLevel(audio, (level) => this.#heard(level)) : () => {};
    this.dispatchEvent(new Event("change"));
  }

  /** @param {number | null} level */
  #heard(level) {
    this.level = level ?? 0;
    this.#hears ||= level !== null;
    this.#loudest = Math.max(this.#loudest, this.level);
    this.dispatchEvent(new Event("level"));
    const isQuiet = this.#check("microphone").fault?.code === "WEB-QUIET";
    if (isQuiet && this.level > QUIET) this.#set("microphone", { state: "good", fault: null });   // a word, at last
  }

  async #listen() {
    const { audio } = this.#local.tracks;
    if (!audio) return;
    this.#set("microphone", { state: "running", fault: null });
    this.#loudest = 0;
    await sleep(LISTEN_MS);
    if (audio !== this.#local.tracks.audio) return;
    const seen = { loudest: Math.round(this.#loudest * 100) / 100, listened: this.#hears };
    const isQuiet = this.#hears && this.#loudest < QUIET;
    if (isQuiet) this.#set("microphone", { state: "warning", fault: namedFault("WEB-QUIET", `${seen.loudest} of 1`), seen });
    else this.#set("microphone", { state: "good", fault: null, seen });
  }

  // The network

  async #askServer() {
    const url = this.#options.server ?? ownUrl();
    this.#set("server", { state: "running" });
    const about = { url, page: location.href, online: navigator.onLine, at: Date.now() };
    if (judgeUrl(url, location.href)) return this.#set("server", { state: "bad", fault: signalingFault(about) });
    const began = performance.now();
    const ending = await trySocket(url).catch((error) => ({ readyState: null, thrown: String(error) }));
    if (ending === null) {
      return this.#set("server", { state: "good", fault: null, seen: { connect_ms: Math.round(performance.now() - began) } });
    }
    const fault = signalingFault({ ...about, ...ending, probe: await probe(url) });
    this.#set("server", { state: "bad", fault, seen: { close_code: fault.closeCode } });
  }

  async #askRelay() {
    const { iceServers = [] } = this.#options;
    if (!("RTCPeerConnection" in globalThis)) return this.#set("turn", { state: "bad", fault: namedFault("VIEWER-NO-WEBRTC") });
    if (!hasRelay(iceServers)) {
      this.#set("turn", { state: "skipped" });
      return this.#set("bandwidth", { state: "skipped" });
    }
    this.#set("turn", { state: "running" });
    this.#set("bandwidth", { state: "running" });
    const loop = await relayLoop(iceServers);
    // Without it calls work in many networks, and not in strict ones.
    this.#set("turn", { state: loop.fault ? "warning" : "good", fault: loop.fault, seen: { rtt_ms: loop.rttMs } });
    this.#set("bandwidth", judgeLine(loop));
  }

  /** @param {CheckName} name */
  #check(name) {
    return /** @type {Check} */ (this.checks.find((check) => check.name === name));
  }

  /**
   * @param {CheckName} name
   * @param {Partial<Check>} news
   */
  #set(name, news) {
    this.checks = this.checks.map((check) => (check.name === name ? { ...check, ...news } : check));
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * Whether a socket opens; null when it does. It is closed before anything is said: nobody is told of it.
 *
 * @param {string} url
 * @returns {Promise<{ readyState: number, closeCode: number | null, opened: boolean } | null>}
 */
function trySocket(url) {
  return new Promise((resolve) => {
    const socket = new WebSocket(url.replace(/^http/i, "ws"));
    const settle = (/** @type {Awaited<ReturnType<typeof trySocket>>} */ ending) => {
      clearTimeout(timer);
      socket.onopen = socket.onerror = null;
      socket.close();
      resolve(ending);
    };
    const timer = setTimeout(() => settle({ readyState: socket.readyState, closeCode: null, opened: false }), SOCKET_MS);
    socket.onopen = () => settle(null);
    socket.onerror = () => settle({ readyState: 3, closeCode: 1006, opened: false });
  });
}

/**
 * @param {MediaStreamTrack} track
 * @param {number} seconds
 * @returns {Promise<Blob>}
 */
async function record(track, seconds) {
  const recorder = new MediaRecorder(new MediaStream([track]));
  /** @type {Blob[]} */
  const parts = [];
  recorder.ondataavailable = ({ data }) => parts.push(data);
  const stopped = new Promise((resolve) => { recorder.onstop = resolve; });
  recorder.start();
  await sleep(seconds * 1000);
  recorder.stop();
  await stopped;
  return new Blob(parts, { type: recorder.mimeType });
}

/**
 * @param {string} url
 * @param {string} speaker
 */
async function play(url, speaker) {
  const audio = /** @type {HTMLAudioElement & { setSinkId?: (id: string) => Promise<void> }} */ (new Audio(url));
  if (speaker) await audio.setSinkId?.(speaker);
  const ended = new Promise((resolve, reject) => {
    audio.onended = resolve;
    audio.onerror = () => reject(new Error(audio.error?.message ?? "the recording could not be played"));
  });
  await audio.play();
  await ended;
}

/** @param {number} ms */
function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
