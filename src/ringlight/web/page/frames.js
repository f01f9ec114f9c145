// Watches whether pictures really arrive: the first one, and silence after it.

// A security picture that stands still and looks alive is worse than none, so silence is told early.
// Ring cameras send 15 to 30 pictures a second; 4 s is far past any key frame interval we know.
const STALL_MS = 4_000;
const QUIET_MS = 1_000;   // after which it is worth a look whether the server is there at all

/**
 * @typedef {object} FrameListener
 * @property {() => void} first  The first picture was decoded.
 * @property {() => void} [quiet]  No picture came for a second; told each second for as long as none comes.
 * @property {(since: Date | null) => void} [still]  The picture stands still since then; null when it moves again.
 */

/** Follows one viewing from start to `stop`. */
export class FrameWatch {
  #listener;
  #getStats;
  #seen = false;
  #decoded = 0;
  #changedAt = performance.now();
  #saidQuiet = 0;
  #stalled = false;
  #stopped = false;
  #timer = 0;

  /**
   * @param {HTMLVideoElement | null} video  Tells of the first picture more exactly than the counts do.
   * @param {() => Promise<RTCStatsReport>} getStats
   * @param {FrameListener} listener
   */
  constructor(video, getStats, listener) {
    this.#listener = listener;
    this.#getStats = getStats;
    // The callback is exact but sleeps in a hidden tab and is missing in old browsers; the poll is neither.
    if (video && "requestVideoFrameCallback" in video) video.requestVideoFrameCallback(() => this.#first());
    this.#poll();
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #poll() {
    const decoded = framesDecoded(await this.#getStats());
    if (this.#stopped) return;
    const now = performance.now();
    if (decoded !== this.#decoded) {
      this.#decoded = decoded;
      this.#changedAt = now;
      this.#first();
    }
    if (now - Math.max(this.#changedAt, this.#saidQuiet) >= QUIET_MS) {
      this.#saidQuiet = now;
      this.#listener.quiet?.();
    }
    if (this.#seen) this.#judge(now - this.#changedAt);
    this.#timer = window.setTimeout(() => this.#poll(), this.#seen ? 500 : 250);
  }

  #first() {
    if (this.#seen || this.#stopped) return;
    this.#seen = true;
    this.#changedAt = performance.now();
    this.#listener.first();
  }

  /** @param {number} quiet  Milliseconds since the last new picture. */
  #judge(quiet) {
    const stalled = quiet >= STALL_MS;
    if (stalled === this.#stalled) return;
    this.#stalled = stalled;
    this.#listener.still?.(stalled ? new Date(Date.now() - quiet) : null);
  }
}

/**
 * @param {RTCStatsReport} report
 * @returns {number}
 */
function framesDecoded(report) {
  let total = 0;
  report.forEach((entry) => {
    if (entry.type === "inbound-rtp" && entry.kind === "video") total += entry.framesDecoded ?? 0;
  });
  return total;
}
