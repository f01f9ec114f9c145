// One connection to one other person: perfect negotiation, late candidates, our tracks. Whether there is a path, and when
// another one is looked for, says path-watch.js.
//
// Perfect negotiation (webrtc-pc section 10.7): either side may offer at any time; when both do, the polite one yields.
// The layout is fixed by the first offer: microphone, camera, screen, and a data channel. Muting, another device and
// sharing the screen put another track into its place and need no negotiation at all.

import { PathWatch } from "./path-watch.js";
import { slotOf, takeSlots } from "./slots.js";

/** @typedef {import("./slots.js").Slot} Slot */
/** @typedef {import("./path-watch.js").Path} Path */

/**
 * @typedef {object} NegotiationOptions
 * @property {boolean} polite  Whether we yield when both offer at once; the server says so to exactly one of the two.
 * @property {RTCIceServer[]} iceServers
 * @property {Promise<unknown>} ready  Nothing is described before: with a camera open, browsers name their own addresses.
 * @property {(signal: { description?: RTCSessionDescriptionInit, candidate?: RTCIceCandidateInit | null }) => void} send
 * @property {Record<Slot, MediaStreamTrack | null>} tracks  Our own, for now; `setTrack` changes them.
 * @property {MediaStream} stream  Where their camera and microphone are to be put.
 * @property {MediaStream} display  The same for their screen.
 */

const THEIR_TURN_MS = 4_000;       // the impolite side offers first; pages of the old kind take up to 3 s, and some never do
const CHANNEL = "ringlight";

/**
 * Fires `path` (look at `path`), `channel` and `description`.
 */
export class Negotiation extends EventTarget {
  /** For words between the two; null until it is agreed. @type {RTCDataChannel | null} */
  channel = null;

  #options;
  #tracks;
  /** @type {RTCIceServer[]} */
  #iceServers;
  #pc;
  /** @type {Partial<Record<Slot, RTCRtpTransceiver>>} */
  #slots = {};
  #isMakingOffer = false;
  #isSettingAnswer = false;
  #isIgnoring = false;
  #mayOffer = false;
  #isClosed = false;
  #turnTimer = 0;
  #watch;
  /** Signals are worked off one after the other. @type {Promise<unknown>} */
  #line;

  /** @param {NegotiationOptions} options */
  constructor(options) {
    super();
    this.#options = options;
    this.#tracks = { ...options.tracks };
    this.#iceServers = options.iceServers;
    this.#line = options.ready;
    this.#pc = this.#connection();
    this.#watch = new PathWatch({
      polite: options.polite, changed: () => this.dispatchEvent(new Event("path")),
      // An offer that is out already asks for the same; another would only wait behind it.
      search: () => this.#pc.signalingState === "stable" && this.restart(),
    });
  }

  /** @returns {Path} */
  get path() { return this.#watch.path; }
  /** Milliseconds from the beginning to the first path; null before. */
  get connectedMs() { return this.#watch.connectedMs; }

  /** The impolite side offers at once; the other gives it its turn first. */
  async start() {
    await this.#options.ready;
    if (this.#isClosed) return;
    if (this.#options.polite) this.#turnTimer = self.setTimeout(() => this.#begin(), THEIR_TURN_MS);
    else this.#begin();
  }

  /**
   * Take what the other side has sent. Never throws: what cannot be used leaves things as they are.
   *
   * @param {{ description?: RTCSessionDescriptionInit, candidate?: RTCIceCandidateInit | null }} signal
   */
  receive(signal) {
    this.#line = this.#line.then(async () => {
      if (this.#isClosed) return;
      if (signal.description) await this.#described(signal.description);
      else if (signal.candidate !== undefined) await this.#candidate(signal.candidate);
    }).catch((error) => {
      if (!this.#isClosed) console.warn("rooms: a signal could not be used:", error instanceof Error ? error.message : error);
    });
    return this.#line;
  }

  /**
   * Put another track, or none, into a place. Needs no negotiation.
   *
   * @param {Slot} slot
   * @param {MediaStreamTrack | null} track
   */
  async setTrack(slot, track) {
    this.#tracks[slot] = track;
    await this.#slots[slot]?.sender.replaceTrack(track).catch(() => {});   // closed meanwhile
  }

  /** Whether the other side has a place for a screen of its own; pages of the old kind have none. */
  get hasScreen() {
    return this.#slots.screen !== undefined;
  }

  /**
   * Send the picture, or leave it out for a while; the place stays.
   *
   * @param {boolean} on
   */
  async sendPicture(on) {
    const sender = this.#slots.video?.sender;
    if (!sender) return;
    const parameters = sender.getParameters();
    for (const encoding of parameters.encodings) encoding.active = on;
    await sender.setParameters(parameters).catch(() => {});   // nothing is negotiated yet
  }

  /**
   * Servers for the next search; paths that live are not touched.
   *
   * @param {RTCIceServer[]} iceServers
   */
  setIceServers(iceServers) {
    this.#iceServers = iceServers;
    if (!this.#isClosed) this.#pc.setConfiguration({ ...this.#pc.getConfiguration(), iceServers });
  }

  /** Look for another path; what plays goes on over the old one until there is one. */
  restart() {
    if (this.#isClosed || !this.#mayOffer) return;
    this.#pc.restartIce();
  }

  /** After our own or their connection to the server came back: is there still a path? The impolite side looks first. */
  check() {
    this.#watch.check();
  }

  /** @returns {Promise<RTCStatsReport>} */
  getStats() {
    return this.#pc.getStats();
  }

  /** Both descriptions that hold; null before there are two. */
  get descriptions() {
    const { currentLocalDescription: local, currentRemoteDescription: remote } = this.#pc;
    return local && remote ? { local: local.sdp, remote: remote.sdp } : null;
  }

  close() {
    this.#isClosed = true;
    clearTimeout(this.#turnTimer);
    this.#watch.stop();
    this.channel = null;
    this.#pc.close();
    for (const { receiver } of this.#pc.getTransceivers()) {
      for (const stream of [this.#options.stream, this.#options.display]) stream.removeTrack(receiver.track);
    }
  }

  #connection() {
    const pc = new RTCPeerConnection({ iceServers: this.#iceServers, bundlePolicy: "max-bundle" });
    const own = (/** @type {(event: any) => void} */ hear) => (/** @type {any} */ event) => { if (this.#pc === pc && !this.#isClosed) hear(event); };
    pc.onicecandidate = own(({ candidate }) => this.#options.send({ candidate: candidate?.toJSON() ?? null }));
    pc.onnegotiationneeded = own(() => this.#offer());
    pc.ontrack = own((event) => this.#track(event));
    pc.ondatachannel = own(({ channel }) => { if (channel.label === CHANNEL) this.#setChannel(channel); });
    pc.onconnectionstatechange = pc.oniceconnectionstatechange = own(() => this.#watch.follow(pc.connectionState, pc.iceConnectionState));
    return pc;
  }

  // Describing

  /** Lay out our places; the offer follows by itself (`negotiationneeded`). */
  #begin() {
    if (this.#isClosed || this.#mayOffer) return;
    this.#mayOffer = true;
    for (const slot of /** @type {Slot[]} */ (["audio", "video", "screen"])) {
      const transceiver = this.#pc.addTransceiver(slot === "audio" ? "audio" : "video", { direction: "sendrecv" });
      this.#slots[slot] = transceiver;
      this.setTrack(slot, this.#tracks[slot]);
    }
    this.#setChannel(this.#pc.createDataChannel(CHANNEL));
  }

  async #offer() {
    if (!this.#mayOffer) return;
    try {
      this.#isMakingOffer = true;
      await this.#pc.setLocalDescription();
      this.#sendDescription();
    } catch (error) {
      if (this.#pc.signalingState !== "have-remote-offer" && !this.#isClosed) throw error;   // else theirs came first
    } finally {
      this.#isMakingOffer = false;
    }
  }

  #sendDescription() {
    const description = this.#pc.localDescription;
    if (description && !this.#isClosed) this.#options.send({ description: { type: description.type, sdp: description.sdp } });
  }

  /** @param {RTCSessionDescriptionInit} description */
  async #described(description) {
    const isOffer = description.type === "offer";
    const isReady = !this.#isMakingOffer && (this.#pc.signalingState === "stable" || this.#isSettingAnswer);
    const collides = isOffer && !isReady;
    this.#isIgnoring = !this.#options.polite && collides;
    if (this.#isIgnoring) return;
    // Two first offers have two layouts: ours is dropped whole, or its places would be offered beside theirs for ever.
    if (collides && !this.#pc.currentRemoteDescription) this.#startOver();
    if (!isOffer && this.#pc.signalingState === "stable") return;   // the answer to an offer that was taken back
    this.#isSettingAnswer = description.type === "answer";
    try {
      await this.#pc.setRemoteDescription(description);   // takes our own offer back where it has to
    } finally {
      this.#isSettingAnswer = false;
    }
    if (isOffer) await this.#answer();
    this.dispatchEvent(new Event("description"));
  }

  async #answer() {
    clearTimeout(this.#turnTimer);
    if (!this.#slots.audio && !this.#slots.video) {
      this.#slots = takeSlots(this.#pc.getTransceivers());
      for (const [slot, transceiver] of Object.entries(this.#slots)) {
        transceiver.direction = "sendrecv";
        await this.setTrack(/** @type {Slot} */ (slot), this.#tracks[/** @type {Slot} */ (slot)]);
      }
    }
    this.#mayOffer = true;
    await this.#pc.setLocalDescription();
    this.#sendDescription();
  }

  /** @param {RTCIceCandidateInit | null} candidate */
  async #candidate(candidate) {
    try {
      await this.#pc.addIceCandidate(candidate ?? undefined);
    } catch (error) {
      // One of an offer that we ignored or that is over: it came too late to matter.
      if (!this.#isIgnoring && this.#pc.remoteDescription === null) throw error;
    }
  }

  #startOver() {
    this.#pc.close();
    this.#slots = {};
    this.channel = null;
    this.#pc = this.#connection();
  }

  /** @param {RTCTrackEvent} event */
  #track({ transceiver, track }) {
    const slot = Object.entries(this.#slots).find(([, known]) => known === transceiver)?.[0]
      ?? slotOf(this.#pc.getTransceivers(), transceiver);
    const stream = slot === "screen" ? this.#options.display : this.#options.stream;
    for (const old of stream.getTracks()) if (old.kind === track.kind && old !== track) stream.removeTrack(old);
    stream.addTrack(track);
  }

  /** @param {RTCDataChannel} channel */
  #setChannel(channel) {
    this.channel = channel;
    this.dispatchEvent(new Event("channel"));
  }
}
