// The checks before a call, without a page: each step tells when it changes. The page shows them.

/** @typedef {import("./signaling-error.js").SignalingFault} SignalingFault */

/**
 * @typedef {object} Check
 * @property {"permission" | "camera" | "microphone" | "server" | "turn" | "bandwidth"} name
 * @property {"waiting" | "running" | "good" | "warning" | "bad" | "skipped"} state
 * @property {{ code: string, title: string, cause: string, fix: string } | null} fault  A row of the catalogue.
 * @property {Record<string, string | number | boolean | null>} seen  Figures, for the report; no names, no addresses.
 */

/**
 * @typedef {object} Report
 * @property {string} at  ISO time.
 * @property {"good" | "warning" | "bad"} verdict
 * @property {string[]} codes  Of all faults, worst first.
 * @property {Check[]} checks
 * @property {{ agent: string, secure: boolean, webrtc: boolean }} browser
 */

/**
 * Fires `change` (look at `checks`), `level` (look at `level`) and `done`.
 *
 *     const precall = new Precall({ iceServers });
 *     precall.addEventListener("change", draw);
 *     const report = await precall.run();
 */
export class Precall extends EventTarget {
  /** @type {Check[]} In the order of running. */
  checks = [];
  /** @type {MediaStream | null} For the preview; the call may take it over: then `keep()`. */
  stream = null;
  /** Of the microphone, 0 to 1, some ten times a second. */
  level = 0;
  /** @type {{ cameras: MediaDeviceInfo[], microphones: MediaDeviceInfo[], speakers: MediaDeviceInfo[] }} */
  devices = { cameras: [], microphones: [], speakers: [] };

  /** @param {{ iceServers?: RTCIceServer[], server?: string, camera?: string, microphone?: string, video?: boolean }} [options]
   *   `server`: the socket's address, to be looked at. */
  constructor(options = {}) {
    super();
    void options;
  }

  /** Run all checks; never throws. @returns {Promise<Report>} */
  async run() {
    throw new Error("not built yet");
  }

  /** Take another camera or microphone, by device id; the other stays. @param {{ camera?: string, microphone?: string }} ids */
  async choose(ids) {
    void ids;
  }

  /** Record some seconds of the microphone and play them back, so that people hear themselves as others do.
   * Resolves when it has been played. @param {{ seconds?: number, speaker?: string, onPhase?: (phase: "recording" | "playing" | "done") => void }} [options] */
  async echo(options = {}) {
    void options;
  }

  /** The last report; null before `run` ends. @type {Report | null} */
  report = null;

  /** Give the stream to a call: `stop` will not end it. @returns {MediaStream | null} */
  keep() {
    return null;
  }

  /** End everything; the camera's light goes out unless the stream was kept. */
  stop() {}
}
