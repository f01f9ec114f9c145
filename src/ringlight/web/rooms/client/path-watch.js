// Whether there is a path to the other side, and when another one is looked for. It is told what the browser says of the
// connection; the negotiation does the looking.

/** @typedef {"connecting" | "connected" | "lost" | "failed"} Path */

/**
 * @typedef {object} PathWatchOptions
 * @property {boolean} polite  The polite side waits a little longer, so that the two do not look at the same moment.
 * @property {() => void} search  Look for another way.
 * @property {() => void} changed
 */

const RECOVER_MS = 2_000;          // many interruptions heal by themselves
const FAILED_AFTER_MS = 15_000;    // without a path
const AGAIN_MS = [2_000, 4_000, 8_000, 15_000];   // between two searches for another way

/** Begins when it is made. */
export class PathWatch {
  /** `lost`: another way is looked for. `failed`: it has been for long, and still is. @type {Path} */
  path = "connecting";
  /** Milliseconds from the beginning to the first path; null before. @type {number | null} */
  connectedMs = null;

  #options;
  #searches = 0;
  #searchTimer = 0;
  #failTimer = 0;
  #startedAt = performance.now();

  /** @param {PathWatchOptions} options */
  constructor(options) {
    this.#options = options;
    this.#expectPath();
  }

  /**
   * Both are watched: the first also covers DTLS, but some browsers report a dead path on ICE alone.
   *
   * @param {RTCPeerConnectionState} connection
   * @param {RTCIceConnectionState} ice
   */
  follow(connection, ice) {
    if (connection === "connected" && ["connected", "completed"].includes(ice)) this.#connected();
    else if (connection === "failed" || ice === "failed") this.#lost(0);
    else if (this.connectedMs !== null && ice === "disconnected") this.#lost(RECOVER_MS);
  }

  /** After our own or their connection to the server came back: is there still a path? The impolite side looks first. */
  check() {
    if (this.path !== "connected") this.#searchIn(this.#options.polite ? RECOVER_MS : 0);
  }

  stop() {
    clearTimeout(this.#searchTimer);
    clearTimeout(this.#failTimer);
  }

  #connected() {
    this.stop();
    this.#searches = 0;
    this.connectedMs ??= performance.now() - this.#startedAt;
    this.#setPath("connected");
  }

  /** @param {number} waitMs */
  #lost(waitMs) {
    if (this.path === "connected") {
      this.#expectPath();
      this.#setPath("lost");
    }
    this.#searchIn(waitMs + (this.#options.polite ? RECOVER_MS : 0));
  }

  /** Look for another way after a while, and again until there is one. @param {number} ms */
  #searchIn(ms) {
    clearTimeout(this.#searchTimer);
    this.#searchTimer = self.setTimeout(() => {
      const next = AGAIN_MS[Math.min(this.#searches, AGAIN_MS.length - 1)];
      this.#searches += 1;
      this.#options.search();
      this.#searchIn(next);
    }, ms);
  }

  #expectPath() {
    clearTimeout(this.#failTimer);
    this.#failTimer = self.setTimeout(() => {
      if (this.path !== "connected") this.#setPath("failed");   // it is still looked for
    }, FAILED_AFTER_MS);
  }

  /** @param {Path} path */
  #setPath(path) {
    if (this.path === path) return;
    this.path = path;
    this.#options.changed();
  }
}
