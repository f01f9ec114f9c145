// One visit of one person: joins the connection, the other people, and this device's camera and microphone.

/** @typedef {import("./signaling-error.js").SignalingFault} SignalingFault */
/** @typedef {import("./quality.js").Quality} Quality */

/**
 * - `new`: `join` was not called. `connecting`: for the first time. `waiting`: before the door. `inside`.
 * - `away`: the connection is lost and will be tried again; sound and picture may well go on.
 * - `over`: for good; `fault` says why, null after `leave`.
 *
 * @typedef {"new" | "connecting" | "waiting" | "inside" | "away" | "over"} Phase
 */

/** @typedef {{ audio: boolean, video: boolean, screen: boolean }} MediaOn */

/**
 * Somebody else in the room. The same object for as long as they are there, also over reconnections.
 *
 * @typedef {object} Person
 * @property {string} key  For the page's own lists: stays when `id` changes (after a restart of the server).
 * @property {string} id
 * @property {string} role
 * @property {string} name
 * @property {boolean} away  Their connection to the server is lost; their place is kept.
 * @property {MediaOn} media  What they say is on.
 * @property {MediaStream} stream  Their camera and microphone.
 * @property {MediaStream} display  Their screen; worth showing while `media.screen`.
 * @property {"connecting" | "connected" | "lost" | "failed" | "none"} path  `lost`: another way is looked for. `none`:
 *   there is nothing to connect, as with cameras.
 * @property {SignalingFault | null} fault  Why `path` is `failed`.
 * @property {Quality | null} quality
 * @property {string | null} safetyNumber
 * @property {string | null} camera  Id of the camera, for people of role `camera`: show a `CameraView`.
 */

/** @typedef {{ id: string, role: string, name: string, waitedS: number, since: number }} Knock  `since`: ms since 1970 */

/**
 * @typedef {object} ChatLine
 * @property {string} key
 * @property {string} from  Id of a person; our own for ours.
 * @property {string} name
 * @property {boolean} mine
 * @property {string} text
 * @property {number} at  Milliseconds since 1970.
 * @property {"sending" | "sent" | "failed"} state
 * @property {"direct" | "server"} way  Whether the words went between the browsers, or over the server.
 */

/**
 * Fires, each without details (look at the properties):
 * `phase` (also when `fault`, `position` or `retryAt` changed), `people`, `person` (an `Event` with `.person`), `knocks`,
 * `chat`, `media` (own), `consent`, `locked`, `ring` (an event with `.person`), `notice` (an event with `.code`).
 */
export class Call extends EventTarget {
  /** @type {Phase} */
  phase = "new";
  /** @type {SignalingFault | null} Why the phase is `away` or `over`. */
  fault = null;
  /** When it is tried again, in ms since 1970; null while it is being tried. @type {number | null} */
  retryAt = null;
  /** Place in the line while waiting, from 1. */
  position = 0;
  /** Round trip to the server. @type {number | null} */
  rttMs = null;
  /** @type {{ id: string, role: string, may: string[], name: string } | null} */
  me = null;
  room = "";
  /** @type {Person[]} */
  people = [];
  /** Who waits, for those who may admit. @type {Knock[]} */
  knocks = [];
  /** @type {ChatLine[]} */
  chat = [];
  locked = false;
  /** @type {{ needed: string[], given: string[] }} */
  consent = { needed: [], given: [] };

  // Own camera and microphone

  /** Own camera, for the small picture; empty while it is off. */
  preview = new MediaStream();
  /** @type {MediaOn} What the others see and hear of us. */
  media = { audio: false, video: false, screen: false };
  /** Whether the picture was left out by itself because the line is thin. */
  thin = false;
  /** @type {SignalingFault | null} Why camera or microphone could not be opened. */
  mediaFault = null;

  /**
   * @param {CallOptions} options
   *
   * @typedef {object} CallOptions
   * @property {string} [url]  Of the socket; null takes `/ws/v2` of the page's own server.
   * @property {string} [token]
   * @property {string} [room]  In open mode, with `role` and `name`.
   * @property {string} [role]
   * @property {string} [name]
   * @property {boolean} [audio]  Whether to begin with the microphone on; true by default.
   * @property {boolean} [video]
   * @property {string} [camera]  Device id.
   * @property {string} [microphone]
   * @property {MediaStream | null} [stream]  Opened already, by `Precall`.
   * @property {boolean} [remember]  Whether to come back as the same person after a reload of this tab; true by default.
   */
  constructor(options) {
    super();
    void options;
  }

  /** Whether this tab was in this room just before a reload, so that `join` will go on as the same person.
   * @param {string} room */
  static wasInside(room) {
    void room;
    return false;
  }

  /** Enter; opens camera and microphone at the same time. Never throws: watch `phase`. */
  async join() {}

  /** Leave for good. */
  leave() {}

  /** Try at once instead of at `retryAt`. */
  retryNow() {}

  // Each of these rejects with a SignalingError when the server says no.

  /** @param {string} [id]  Without it, everybody who waits. */
  async admit(id) { void id; }
  /** @param {string} id @param {string} [reason] */
  async deny(id, reason) { void [id, reason]; }
  /** @param {string} id */
  async sendBack(id) { void id; }
  /** @param {boolean} on */
  async lock(on) { void on; }
  /** End the visit for all. */
  async end() {}
  /** @param {string} text @param {string} [to]  Id of a person; without it, everybody. */
  async say(text, to) { void [text, to]; }
  /** Give or withdraw consent; sound and picture begin when what is needed was given. @param {string[]} what @param {boolean} given */
  async giveConsent(what, given) { void [what, given]; }

  /** @param {boolean} on */
  async setAudio(on) { void on; }
  /** @param {boolean} on */
  async setVideo(on) { void on; }
  /** Take another device while the call goes on. @param {"camera" | "microphone"} kind @param {string} deviceId */
  async chooseDevice(kind, deviceId) { void [kind, deviceId]; }
  /** Ask the person which screen or window, and show it. Resolves to false when they decline. @returns {Promise<boolean>} */
  async shareScreen() { return false; }
  stopScreen() {}
  /** @returns {Promise<{ cameras: MediaDeviceInfo[], microphones: MediaDeviceInfo[], speakers: MediaDeviceInfo[] }>} */
  async devices() { return { cameras: [], microphones: [], speakers: [] }; }
}
