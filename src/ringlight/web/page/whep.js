// A WHEP player for any server: one offer, one answer, live media in a MediaStream. It knows nothing of this page.

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

/**
 * One viewing of one WHEP endpoint. Not reusable: to play again, make another.
 *
 * Fires `statechange`; read `state`. Media tracks appear in `stream`, each with a `track` event.
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

  #url;
  #options;
  #pc;
  /** @type {string | null} Where to send DELETE; known once the server has answered. */
  #resource = null;
  /** @type {RTCRtpTransceiver | null} */
  #audio = null;
  /** @type {Promise<void> | null} */
  #prepared = null;

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
    if (/** @type {WhepState} */ (this.state) === "closed") return this.#delete();   // stopped while we waited
    try {
      await this.#pc.setRemoteDescription({ type: "answer", sdp });
    } catch (error) {
      throw new WhepError(`The answer cannot be used: ${error instanceof Error ? error.message : error}`, response.status);
    }
  }

  /**
   * End the viewing and tell the server, even while the page is being left. May be called at any time, and twice.
   *
   * The request for an answer is not aborted: a session that arrives late is deleted then, not forgotten.
   */
  stop() {
    if (this.state === "closed") return;
    this.#set("closed");
    this.#pc.close();
    for (const track of this.stream.getTracks()) this.stream.removeTrack(track);
    this.#delete();
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
    if (this.#pc.iceGatheringState === "complete") return;
    await /** @type {Promise<void>} */ (new Promise((resolve) => {
      setTimeout(resolve, this.#options.gatherMs ?? 250);
      this.#pc.addEventListener("icegatheringstatechange", () => {
        if (this.#pc.iceGatheringState === "complete") resolve();
      });
    }));
  }

  async #post() {
    let response;
    try {
      response = await fetch(this.#url, {
        method: "POST",
        headers: { ...this.#options.headers, "content-type": "application/sdp" },
        body: this.#pc.localDescription?.sdp ?? "",
        signal: AbortSignal.timeout(this.#options.answerMs ?? 40_000),
      });
    } catch (error) {
      throw new WhepError(`POST ${this.#url}: ${error instanceof Error ? error.message : error}`);
    }
    if (response.status === 201) return response;
    const problem = await response.json().catch(() => null);
    throw new WhepError(`POST ${this.#url}: HTTP ${response.status}`, response.status, problem);
  }

  #delete() {
    if (!this.#resource) return;
    const init = { method: "DELETE", headers: this.#options.headers, keepalive: true };
    fetch(this.#resource, init).catch(() => {});   // lost? the server also notices by itself
    this.#resource = null;
  }

  #follow() {
    const { connectionState, iceConnectionState } = this.#pc;
    if (iceConnectionState === "failed") this.#set("failed");
    else if (iceConnectionState === "disconnected") this.#set("disconnected");
    else if (connectionState !== "new") this.#set(connectionState);
  }

  /** @param {WhepState} state */
  #set(state) {
    if (this.state === state || this.state === "closed") return;
    this.state = state;
    this.dispatchEvent(new Event("statechange"));
  }
}
