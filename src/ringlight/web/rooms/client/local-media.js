// This device's camera, microphone and screen: opened, switched on and off, changed for others.

import { namedFault } from "./fault.js";

/** @typedef {import("./fault.js").Fault} Fault */
/** @typedef {import("./slots.js").Slot} Slot */
/** @typedef {{ cameras: MediaDeviceInfo[], microphones: MediaDeviceInfo[], speakers: MediaDeviceInfo[] }} Devices */

// Enough for a face; the browser lowers it by itself when the line or the machine asks for it.
const PICTURE = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/**
 * Why the browser gave nothing.
 *
 * @param {unknown} error
 * @returns {Fault}
 */
export function mediaFault(error) {
  if (!navigator.mediaDevices) return namedFault("WEB-INSECURE", `the page is of ${location.origin}`);
  const { name, message } = error instanceof Error ? error : { name: "Error", message: String(error) };
  /** @type {Record<string, string>} */
  const codes = {
    NotAllowedError: "WEB-DENIED", SecurityError: "WEB-DENIED", NotFoundError: "WEB-NO-DEVICE",
    OverconstrainedError: "WEB-NO-DEVICE", NotReadableError: "WEB-DEVICE-BUSY", AbortError: "WEB-DEVICE-BUSY",
  };
  return namedFault(codes[name] ?? "WEB-DEVICE-BUSY", `${name}: ${message}`);
}

/**
 * @param {{ audio?: string | boolean, video?: string | boolean }} wanted  A device id, or any, or none.
 * @returns {Promise<MediaStream>}
 */
export async function openDevices({ audio = false, video = false }) {
  // Browsers hide the devices from pages that came over plain http from another machine.
  if (!navigator.mediaDevices) throw new DOMException("no devices for this page", "SecurityError");
  return navigator.mediaDevices.getUserMedia({
    audio: audio ? { ...SOUND, ...device(audio) } : false,
    video: video ? { ...PICTURE, ...device(video) } : false,
  });
}

/** @param {string | true} wanted @returns {MediaTrackConstraints} */
function device(wanted) {
  return typeof wanted === "string" ? { deviceId: { exact: wanted } } : {};
}

/** @returns {Promise<Devices>} */
export async function listDevices() {
  const all = await navigator.mediaDevices?.enumerateDevices().catch(() => []) ?? [];
  const of = (/** @type {MediaDeviceKind} */ kind) => all.filter((one) => one.kind === kind && one.deviceId !== "");
  return { cameras: of("videoinput"), microphones: of("audioinput"), speakers: of("audiooutput") };
}

/**
 * Fires `change`, and `track` (with `.slot`) when another track, or none, is in a place.
 *
 * The microphone stays open while it is off, so that the first word after switching it on is heard. A camera that is off
 * is closed: its light says the truth.
 */
export class LocalMedia extends EventTarget {
  /** @type {Record<Slot, MediaStreamTrack | null>} */
  tracks = { audio: null, video: null, screen: null };
  /** Own camera, for the small picture. */
  preview = new MediaStream();
  /** Why the last thing that was asked for came to nothing. @type {Fault | null} */
  fault = null;

  #wanted = { audio: true, video: true };
  /** @type {{ audio: string | true, video: string | true }} */
  #devices = { audio: true, video: true };
  #isClosed = false;

  /** What is on. */
  get on() {
    const { audio, video, screen } = this.tracks;
    return { audio: audio !== null && audio.enabled, video: video !== null, screen: screen !== null };
  }

  /**
   * Open what is wanted; what cannot be opened is left out, with the reason in `fault`. Never throws.
   *
   * @param {{ audio?: boolean, video?: boolean, camera?: string, microphone?: string, stream?: MediaStream | null }} [options]
   */
  async open({ audio = true, video = true, camera, microphone, stream } = {}) {
    this.#wanted = { audio, video };
    this.#devices = { audio: microphone ?? true, video: camera ?? true };
    for (const track of stream?.getTracks() ?? []) this.#take(track);
    const missing = { audio: audio && !this.tracks.audio, video: video && !this.tracks.video };
    if (!audio && this.tracks.audio) this.tracks.audio.enabled = false;
    if (!video && this.tracks.video) this.#put("video", null);
    if (missing.audio || missing.video) await this.#openBoth(missing);
  }

  /** @param {{ audio: boolean, video: boolean }} missing */
  async #openBoth(missing) {
    const both = { audio: missing.audio && this.#devices.audio, video: missing.video && this.#devices.video };
    if (await this.#openOnly(both) || !(missing.audio && missing.video)) return;
    const why = this.fault;   // one of the two is missing: a call works with the other
    if (why?.code === "WEB-DENIED" || why?.code === "WEB-INSECURE") return;
    await this.#openOnly({ audio: this.#devices.audio });
    await this.#openOnly({ video: this.#devices.video });
    this.fault ??= why;
    this.dispatchEvent(new Event("change"));
  }

  /** @param {{ audio?: string | boolean, video?: string | boolean }} wanted */
  async #openOnly(wanted) {
    try {
      const stream = await openDevices(wanted);
      for (const track of stream.getTracks()) {
        if (this.#isClosed) track.stop();
        else this.#take(track);
      }
      this.fault = null;
      return true;
    } catch (error) {
      this.fault = mediaFault(error);
      this.dispatchEvent(new Event("change"));
      return false;
    }
  }

  /** @param {boolean} on */
  async setAudio(on) {
    this.#wanted.audio = on;
    const { audio } = this.tracks;
    if (on && !audio) return void await this.#openOnly({ audio: this.#devices.audio });
    if (audio) audio.enabled = on;
    this.dispatchEvent(new Event("change"));
  }

  /** @param {boolean} on */
  async setVideo(on) {
    this.#wanted.video = on;
    if (on && !this.tracks.video) await this.#openOnly({ video: this.#devices.video });
    else if (!on) this.#put("video", null);
    if (!this.#wanted.video) this.#put("video", null);   // switched off again while it was opened
  }

  /**
   * Another device, while the call goes on. What is off stays off, and will be opened from it later.
   *
   * @param {"camera" | "microphone"} kind
   * @param {string} deviceId
   */
  async chooseDevice(kind, deviceId) {
    const slot = kind === "camera" ? "video" : "audio";
    this.#devices[slot] = deviceId;
    const before = this.tracks[slot];
    if (!before) return;
    const { enabled } = before;
    // Some cameras cannot be open twice, and phones have one at a time.
    if (slot === "video") before.stop();
    const isOpen = await this.#openOnly({ [slot]: deviceId });
    if (!isOpen && slot === "video") this.#put("video", null);
    const now = this.tracks[slot];
    if (now && slot === "audio") now.enabled = enabled;
  }

  /** Ask the person for a screen or a window. @returns {Promise<boolean>} False when they decline. */
  async shareScreen() {
    try {
      const stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { max: 15 } }, audio: false });
      const [track] = stream.getVideoTracks();
      track.contentHint = "detail";   // letters shall be sharp
      this.#put("screen", track);
      return true;
    } catch (error) {
      const fault = mediaFault(error);
      this.fault = fault.code === "WEB-DENIED" ? null : fault;   // declined: that is no fault
      this.dispatchEvent(new Event("change"));
      return false;
    }
  }

  stopScreen() {
    this.#put("screen", null);
  }

  close() {
    this.#isClosed = true;
    for (const slot of /** @type {Slot[]} */ (["audio", "video", "screen"])) this.#put(slot, null);
  }

  /** @param {MediaStreamTrack} track */
  #take(track) {
    const slot = track.kind === "audio" ? "audio" : "video";
    if (slot === "audio") track.enabled = this.#wanted.audio;
    this.#put(slot, track);
  }

  /**
   * @param {Slot} slot
   * @param {MediaStreamTrack | null} track
   */
  #put(slot, track) {
    const before = this.tracks[slot];
    if (before === track) return;
    before?.stop();
    this.tracks[slot] = track;
    if (slot === "video") {
      for (const old of this.preview.getTracks()) this.preview.removeTrack(old);
      if (track) this.preview.addTrack(track);
    }
    // Unplugged, taken back in the browser's bar, or the shared window was closed.
    track?.addEventListener("ended", () => { if (this.tracks[slot] === track) this.#ended(slot); });
    this.dispatchEvent(new TrackEvent(slot));
    this.dispatchEvent(new Event("change"));
  }

  /** @param {Slot} slot */
  #ended(slot) {
    this.#put(slot, null);
    if (slot === "screen") return;
    this.fault = namedFault("WEB-NO-DEVICE", `the ${slot === "audio" ? "microphone" : "camera"} went away`);
    this.dispatchEvent(new Event("change"));
  }
}

/** Another track, or none, is in a place. */
export class TrackEvent extends Event {
  /** @param {Slot} slot */
  constructor(slot) {
    super("track");
    this.slot = slot;
  }
}
