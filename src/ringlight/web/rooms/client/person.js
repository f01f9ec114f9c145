// Somebody else in the room, as the page shows them: what the server tells, and the path to them.

import { DirectLine, Heard } from "./direct-line.js";
import { namedFault } from "./fault.js";
import { Negotiation } from "./negotiation.js";
import { lookAt, qualityBetween } from "./quality.js";
import { safetyNumber } from "./safety-number.js";
import { ThinLine } from "./thin-line.js";

/** @typedef {import("./fault.js").Fault} Fault */
/** @typedef {import("./people.js").MediaOn} MediaOn */
/** @typedef {import("./people.js").Present} Present */
/** @typedef {import("./quality.js").Quality} Quality */
/** @typedef {import("./slots.js").Slot} Slot */

/**
 * @typedef {object} Ties
 * @property {(to: string, signal: object) => Promise<void>} send  Pass a signal on to somebody.
 * @property {() => Record<Slot, MediaStreamTrack | null>} tracks  Our own.
 * @property {() => RTCIceServer[]} iceServers
 * @property {() => Promise<unknown>} ready  When our own camera and microphone are open, or will not be.
 * @property {(person: Person) => void} changed
 * @property {(person: Person, id: string, text: string) => void} said  They wrote something.
 */

/** The same object for as long as they are there, also over reconnections and restarts of the server. */
export class Person {
  /** Their camera and microphone. */
  stream = new MediaStream();
  /** Their screen; worth showing while `media.screen`. */
  display = new MediaStream();
  /** How it goes; null before the first judgement. @type {Quality | null} */
  quality = null;
  /** Compare it aloud: both see the same, unless somebody sits in between. @type {string | null} */
  safetyNumber = null;
  /** Whether our picture is left out for them, because the line is thin. */
  isThin = false;
  /** Milliseconds that the first path took; null before. @type {number | null} */
  connectedMs = null;

  #present;
  #ties;
  /** @type {Negotiation | null} */
  #negotiation = null;
  #line;
  #heard = new Heard();
  #isTheirPictureOut = false;
  /** Whether this browser has no WebRTC. */
  #isUnable = false;
  #thinLine = new ThinLine();
  /** @type {{ look: import("./quality.js").Look, on: MediaOn } | null} */
  #before = null;

  /**
   * @param {Present} present
   * @param {Ties} ties
   */
  constructor(present, ties) {
    this.#present = present;
    this.#ties = ties;
    this.#line = new DirectLine((line) => this.#hear(line));
  }

  /** For the page's own lists: stays when `id` changes. */
  get key() { return this.#present.key; }
  get id() { return this.#present.id; }
  get role() { return this.#present.role; }
  get name() { return this.#present.name; }
  /** Whether their connection to the server is lost; their place is kept. */
  get away() { return this.#present.away; }
  /** The fault by which it was lost; empty where it just broke, or is not lost. */
  get awayCode() { return this.#present.away ? this.#present.awayCode : ""; }
  /** Id of the camera, for people of role `camera`: show a `CameraView`. */
  get camera() { return this.#present.camera; }
  /** To what they have consented. */
  get consents() { return this.#present.consents; }

  /** What they have on. @returns {MediaOn} */
  get media() {
    const { audio, video, screen } = this.#present.media;
    return { audio, video: video && !this.#isTheirPictureOut, screen };
  }

  /**
   * `lost`: another way is looked for. `failed`: it has been for long, and still is. `none`: there is nothing to
   * connect; a camera, or somebody who has not consented.
   *
   * @returns {import("./negotiation.js").Path | "none"}
   */
  get path() {
    return this.#isUnable ? "failed" : this.#negotiation?.path ?? "none";
  }

  /** Why the path was lost, or failed. @returns {Fault | null} */
  get fault() {
    if (this.#isUnable) return namedFault("VIEWER-NO-WEBRTC");
    const wasThere = this.#negotiation !== null && this.#negotiation.connectedMs !== null;
    if (wasThere && (this.path === "lost" || this.path === "failed")) return namedFault("WEB-PATH-LOST");
    return this.path === "failed" ? namedFault("WEB-NO-PATH", `with ${this.#ties.iceServers().length || "no"} TURN or STUN servers`) : null;
  }

  /** Whether words can go from browser to browser. */
  get isDirect() {
    return this.#line.isReady;
  }

  /** Begin with a path, or begin anew. */
  connect() {
    this.disconnect();
    this.#isUnable = !("RTCPeerConnection" in globalThis);
    if (this.#isUnable) return this.#ties.changed(this);
    const negotiation = this.#negotiation = new Negotiation({
      polite: this.#present.polite, iceServers: this.#ties.iceServers(), tracks: this.#ties.tracks(),
      stream: this.stream, display: this.display, ready: this.#ties.ready(),
      send: (signal) => void this.#ties.send(this.id, signal),
    });
    negotiation.addEventListener("path", () => this.#pathChanged(negotiation));
    negotiation.addEventListener("description", () => void this.#described(negotiation));
    negotiation.addEventListener("channel", () => this.#line.use(negotiation.channel));
    void negotiation.start();
    this.#ties.changed(this);
  }

  /** End the path; they stay in the room. */
  disconnect() {
    this.#negotiation?.close();
    this.#negotiation = null;
    this.#line.use(null);
    this.#before = null;
    this.quality = null;
    this.safetyNumber = null;
    this.isThin = this.#isTheirPictureOut = false;
    this.#thinLine = new ThinLine();
  }

  /** @param {{ description?: RTCSessionDescriptionInit, candidate?: RTCIceCandidateInit | null }} signal */
  receive(signal) {
    void this.#negotiation?.receive(signal);
  }

  /**
   * @param {Slot} slot
   * @param {MediaStreamTrack | null} track
   */
  setTrack(slot, track) {
    void this.#negotiation?.setTrack(slot, track);
  }

  /** @param {RTCIceServer[]} iceServers */
  setIceServers(iceServers) {
    this.#negotiation?.setIceServers(iceServers);
  }

  /** Look for another path at once. */
  restart() {
    this.#negotiation?.restart();
  }

  /** Look for another path if there is none. */
  check() {
    this.#negotiation?.check();
  }

  /**
   * Send words from browser to browser; resolves to whether they arrived.
   *
   * @param {string} id
   * @param {string} text
   */
  say(id, text) {
    return this.#line.say(id, text);
  }

  /**
   * Whether words of this id are heard for the first time.
   *
   * @param {string} id
   */
  isNews(id) {
    return this.#heard.isNew(id);
  }

  /** @returns {Promise<RTCStatsReport | null>} */
  async getStats() {
    return await this.#negotiation?.getStats() ?? null;
  }

  /**
   * Look how it goes, and leave our picture out, or put it in again, as the line allows.
   *
   * @param {number} now  Seconds.
   */
  async look(now) {
    const negotiation = this.#negotiation;
    if (!negotiation || this.path !== "connected") return;
    const stats = await negotiation.getStats().catch(() => null);
    if (!stats || negotiation !== this.#negotiation) return;
    const { look, on } = { look: lookAt(stats.values(), now), on: this.media };
    const before = this.#before;
    this.#before = { look, on };
    // What was switched on in between has no history yet: its first figures would be wrong.
    const quality = before && qualityBetween(before.look, look, { audio: before.on.audio && on.audio, video: before.on.video && on.video });
    if (!quality) return;
    this.quality = quality;
    this.#mindTheLine(quality, now);
    this.#ties.changed(this);
  }

  /**
   * @param {Quality} quality
   * @param {number} now
   */
  #mindTheLine(quality, now) {
    if (!this.#ties.tracks().video && !this.isThin) return;   // there is no picture to leave out
    const isThin = this.#thinLine.judge(quality, now);
    if (isThin === this.isThin) return;
    this.isThin = isThin;
    this.#line.tellVideo(!isThin);
    void this.#negotiation?.sendPicture(!isThin);
  }

  /** @param {import("./direct-line.js").Line} line */
  #hear(line) {
    if (line.t === "video") {
      this.#isTheirPictureOut = !line.on;
      this.#ties.changed(this);
    } else if (line.t === "chat" && this.isNews(line.id)) this.#ties.said(this, line.id, line.text);
  }

  /** @param {Negotiation} negotiation */
  #pathChanged(negotiation) {
    if (negotiation !== this.#negotiation) return;
    this.connectedMs ??= negotiation.connectedMs;
    if (negotiation.path !== "connected") this.#before = null;
    if (negotiation.path === "lost" && this.quality) this.quality = { ...this.quality, words: "lost" };
    this.#ties.changed(this);
  }

  /** @param {Negotiation} negotiation */
  async #described(negotiation) {
    const descriptions = negotiation.descriptions;
    const number = descriptions && await safetyNumber(descriptions.local, descriptions.remote).catch(() => null);
    if (negotiation !== this.#negotiation || number === this.safetyNumber) return;
    this.safetyNumber = number;
    this.#ties.changed(this);
  }
}
