// A WHEP player for any server: one offer, one answer, live media in a MediaStream. It knows nothing of this page.

import { fragmentOf, iceServersOf, withIce } from "./ice.js";
import { traceparent } from "./trace.js";

/** @typedef {"new" | "connecting" | "connected" | "disconnected" | "failed" | "closed"} WhepState */

/**
 * @typedef {object} WhepOptions
 * @property {RTCIceServer[]} [iceServers]  None by default: the server is near or has a public address.
 * @property {number} [gatherMs]  Longest wait for local candidates before the offer leaves. The offer is sent once and
 *   never patched. 250 ms is ample for host candidates, which take about 20; raise it when using STUN or TURN.
 * @property {number} [answerMs]  Longest wait for the answer. A sleeping camera takes up to 20 s to wake.
 * @property {Record<string, string>} [headers]  Sent with every request, for instance an Authorization.
 * @property {boolean} [talk]  Offer to send sound as well; `send` does, once the server has agreed.
 */

/** The server refused, or could not be reached (then `status` is 0). */
export class WhepError extends Error {
  /**
   * @param {string} message
   * @param {number} status  HTTP status of the answer.
   * @param {unknown} problem  The parsed problem body (RFC 9457), or null.
   */
  constructor(message, status = 0, problem = null) {
    super(message);
    this.name = "WhepError";
    this.status = status;
    this.problem = problem;
  }
}

const TRICKLE = "application/trickle-ice-sdpfrag";
// For the answer to a restart: it wakes no camera, and may be asked for again. A request that began while the network was
// down is repeated by the system more and more slowly, and would come through long after the network is back.
const RESTART_MS = 3_000;
const RESTART_AGAIN_MS = 1_000;   // between two attempts to find a new path
const RELAYS_AFTER_MS = 2_000;    // that a path without the answer's TURN servers has to be found

/**
 * One viewing of one WHEP endpoint. Not reusable: to play again, make another.
 *
 * Fires `statechange`; read `state`. Media tracks appear in `stream`, each with a `track` event. When the network
 * changes or the path is lost it looks for another by itself (an ICE restart), as long as the server knows it.
 *
 *     const client = new WhepClient("/whep/front-door");
 *     video.srcObject = client.stream;
 *     await client.start();
 */
export class WhepClient extends EventTarget {
  /** Live tracks, from the moment the answer is in. */
  stream = new MediaStream();

  /** @type {WhepState} */
  state = "new";

  /** Under which the server's traces and log have this viewing. */
  traceparent = traceparent();

  #url;
  #options;
  #pc;
  /** @type {string | null} Where to send DELETE; known once the server has answered. */
  #resource = null;
  /** @type {RTCRtpTransceiver | null} */
  #audio = null;
  /** @type {Promise<void> | null} */
  #prepared = null;
  /** @type {Promise<void> | null} The restart that runs. */
  #restarting = null;
  #recovering = false;
  /** Whether the network has changed since the last attempt to find a path began. */
  #changed = false;
  #attempt = new AbortController();
  #wasConnected = false;
  #onNetwork = () => {
    this.#changed = true;
    this.#attempt.abort();   // the request may wait on a network that is gone
    this.#recover();
  };

  /**
   * @param {string | URL} url  The endpoint, absolute or relative to the page.
   * @param {WhepOptions} [options]
   */
  constructor(url, options = {}) {
    super();
    this.#url = new URL(url, document.baseURI).href;
    this.#options = options;
    this.#pc = new RTCPeerConnection({ iceServers: options.iceServers ?? [], bundlePolicy: "max-bundle" });
    this.#pc.addEventListener("track", (event) => {
      this.stream.addTrack(event.track);
      this.dispatchEvent(new Event("track"));
    });
    // Both are watched: connectionState also covers DTLS, but some browsers report a dead path on ICE alone.
    for (const name of ["connectionstatechange", "iceconnectionstatechange"]) {
      this.#pc.addEventListener(name, () => this.#follow());
    }
    addEventListener("online", this.#onNetwork);
    networkInformation()?.addEventListener("change", this.#onNetwork);
  }

  /** Make the offer and gather candidates ahead of time. `start` calls it when you did not. */
  prepare() {
    this.#prepared ??= this.#offer();
    return this.#prepared;
  }

  /**
   * Send the offer and apply the answer. Media follows; watch `state` for the connection itself.
   *
   * @returns {Promise<void>}
   * @throws {WhepError} When the server refuses, is silent, or answers without an SDP answer.
   */
  async start() {
    try {
      await this.#negotiate();
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  async #negotiate() {
    await this.prepare();
    if (this.state === "closed") return;
    this.#set("connecting");
    const response = await this.#post();
    const location = response.headers.get("location");
    // A redirect (307) to another node moves the base too.
    this.#resource = location && new URL(location, response.url).href;
    const sdp = await response.text();
    const hasRelays = this.#useRelays(response.headers.get("link"));
    if (/** @type {WhepState} */ (this.state) === "closed") return this.#delete();   // stopped while we waited
    try {
      await this.#pc.setRemoteDescription({ type: "answer", sdp });
    } catch (error) {
      throw new WhepError(`The answer cannot be used: ${error instanceof Error ? error.message : error}`, response.status);
    }
    // Servers named in the answer come too late for this offer: a browser that finds no way without them restarts.
    if (hasRelays) setTimeout(() => this.#tryRelays(), RELAYS_AFTER_MS);
  }

  /**
   * End the viewing and tell the server, even while the page is being left. May be called at any time, and twice.
   *
   * The request for an answer is not aborted: a session that arrives late is deleted then, not forgotten.
   */
  stop() {
    if (this.state === "closed") return;
    this.#set("closed");
    removeEventListener("online", this.#onNetwork);
    networkInformation()?.removeEventListener("change", this.#onNetwork);
    this.#attempt.abort();
    this.#pc.close();
    for (const track of this.stream.getTracks()) this.stream.removeTrack(track);
    this.#delete();
  }

  /**
   * Look for another path (an ICE restart); what plays goes on over the old one until there is one. Two calls at
   * once are one.
   *
   * @returns {Promise<void>}  When the server has agreed; the path itself follows.
   * @throws {WhepError} When the server refuses, or cannot be reached. What plays is not touched by it.
   */
  restart() {
    this.#restarting ??= this.#restart().finally(() => { this.#restarting = null; });
    return this.#restarting;
  }

  async #restart() {
    const before = this.#pc.currentRemoteDescription;
    if (!this.#resource || !before || this.#pc.signalingState !== "stable") return;
    await this.#pc.setLocalDescription(await this.#pc.createOffer({ iceRestart: true }));
    await this.#gathered();
    const attempt = this.#attempt = new AbortController();
    const timer = setTimeout(() => attempt.abort(), RESTART_MS);
    try {
      const response = await this.#send(this.#resource, "PATCH", fragmentOf(this.#pc.localDescription?.sdp ?? ""),
        { "content-type": TRICKLE, "if-match": "*" }, attempt.signal);
      if (response.status !== 200) throw new WhepError(`PATCH: HTTP ${response.status}`, response.status);
      const sdp = withIce(before.sdp, await response.text());
      if (!sdp) throw new WhepError("PATCH: the answer names no ICE credentials", response.status);
      await this.#pc.setRemoteDescription({ type: "answer", sdp });
    } catch (error) {
      if (/** @type {WhepState} */ (this.state) !== "closed") {
        await this.#pc.setLocalDescription({ type: "rollback" }).catch(() => {});
      }
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Restart, and again until there is a path again, or the server has forgotten us. */
  async #recover() {
    if (!this.#wasConnected || this.#recovering) return;
    this.#recovering = true;
    await this.#recoverOnce();
    this.#recovering = false;
  }

  async #recoverOnce() {
    do {
      this.#changed = false;
      try {
        await this.restart();
      } catch (error) {
        if (error instanceof WhepError && error.status) {   // a server that cannot be reached yet is asked again
          if (this.state === "disconnected") this.#set("failed");
          return;
        }
      }
      if (!this.#changed) await new Promise((resolve) => setTimeout(resolve, RESTART_AGAIN_MS));
    } while (this.state === "disconnected" || this.#changed);
  }

  /** The address of this viewing on the server; null before the answer and after the end. */
  get resource() {
    return this.#resource;
  }

  /** Whether the server takes sound from us. */
  get canSend() {
    return this.state !== "closed" && this.#audio?.currentDirection === "sendrecv";
  }

  /**
   * Send this track's sound, or none with null. Needs no negotiation: the answer has agreed to it.
   *
   * @param {MediaStreamTrack | null} track
   */
  async send(track) {
    await this.#audio?.sender.replaceTrack(track);
  }

  /** @returns {Promise<RTCStatsReport>} */
  getStats() {
    return this.#pc.getStats();
  }

  async #offer() {
    this.#pc.addTransceiver("video", { direction: "recvonly" });
    this.#audio = this.#pc.addTransceiver("audio", { direction: this.#options.talk ? "sendrecv" : "recvonly" });
    await this.#pc.setLocalDescription();
    await this.#gathered();
  }

  async #gathered() {
    if (this.#pc.iceGatheringState === "complete") return;
    await /** @type {Promise<void>} */ (new Promise((resolve) => {
      setTimeout(resolve, this.#options.gatherMs ?? 250);
      this.#pc.addEventListener("icegatheringstatechange", () => {
        if (this.#pc.iceGatheringState === "complete") resolve();
      });
    }));
  }

  async #post() {
    const sdp = this.#pc.localDescription?.sdp ?? "";
    /** @type {Record<string, string>} */
    const headers = { "content-type": "application/sdp" };
    // Other servers' CORS may not know the header, and would let a browser send nothing then.
    if (new URL(this.#url, location.href).origin === location.origin) headers.traceparent = this.traceparent;
    const response = await this.#send(this.#url, "POST", sdp, headers);
    if (response.status === 201) return response;
    throw new WhepError(`POST ${this.#url}: HTTP ${response.status}`, response.status);
  }

  /**
   * @param {string} url
   * @param {string} method
   * @param {string} body
   * @param {Record<string, string>} headers
   * @param {AbortSignal} [signal]
   */
  async #send(url, method, body, headers, signal = AbortSignal.timeout(this.#options.answerMs ?? 40_000)) {
    let response;
    try {
      response = await fetch(url, { method, headers: { ...this.#options.headers, ...headers }, body, signal });
    } catch (error) {
      throw new WhepError(`${method} ${url}: ${error instanceof Error ? error.message : error}`);
    }
    if (response.ok) return response;
    const problem = await response.json().catch(() => null);
    throw new WhepError(`${method} ${url}: HTTP ${response.status}`, response.status, problem);
  }

  /**
   * Take the STUN and TURN servers of the answer for the next restart. Those of `iceServers` count more.
   * Returns whether there are any.
   *
   * @param {string | null} link
   */
  #useRelays(link) {
    const iceServers = iceServersOf(link ?? "");
    if (!iceServers.length || this.#options.iceServers?.length) return false;
    this.#pc.setConfiguration({ ...this.#pc.getConfiguration(), iceServers });
    return true;
  }

  #tryRelays() {
    if (this.state === "connecting") this.restart().catch(() => {});   // refused: the first attempt goes on alone
  }

  #delete() {
    if (!this.#resource) return;
    const init = { method: "DELETE", headers: this.#options.headers, keepalive: true };
    fetch(this.#resource, init).catch(() => {});   // lost? the server also notices by itself
    this.#resource = null;
  }

  #follow() {
    const { connectionState, iceConnectionState } = this.#pc;
    const lost = iceConnectionState === "disconnected" || iceConnectionState === "failed";
    if (lost && this.#wasConnected && connectionState !== "closed") {
      this.#set("disconnected");
      this.#recover();
    } else if (iceConnectionState === "failed") this.#set("failed");
    else if (lost) this.#set("disconnected");
    else if (connectionState !== "new") this.#set(connectionState);
    this.#wasConnected ||= connectionState === "connected";
  }

  /** @param {WhepState} state */
  #set(state) {
    if (this.state === state || this.state === "closed") return;
    this.state = state;
    this.dispatchEvent(new Event("statechange"));
  }
}

/** @returns {EventTarget | undefined} Tells of a change of network, where the browser has it. */
function networkInformation() {
  return /** @type {Navigator & { connection?: EventTarget }} */ (navigator).connection;
}
