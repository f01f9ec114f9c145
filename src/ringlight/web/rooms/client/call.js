// One visit of one person: joins the connection, the other people, and this device's camera and microphone.

import { Chat } from "./chat.js";
import { Company, PersonEvent } from "./company.js";
import { Connection } from "./connection.js";
import { Consent } from "./consent.js";
import { namedFault } from "./fault.js";
import { knocksAfter } from "./knocks.js";
import { listDevices, LocalMedia } from "./local-media.js";
import { Reports } from "./reports.js";
import { recall, rememberOnLeave, remembers } from "./tab-memory.js";

/** @typedef {import("./session.js").Message} Message */
/** @typedef {import("./signaling-error.js").SignalingFault} SignalingFault */
/** @typedef {import("./fault.js").Fault} Fault */
/** @typedef {import("./people.js").MediaOn} MediaOn */
/** @typedef {import("./knocks.js").Knock} Knock */
/** @typedef {import("./chat.js").ChatLine} ChatLine */
/** @typedef {import("./person.js").Person} Person */

/**
 * - `new`: `join` was not called. `connecting`: for the first time. `waiting`: before the door. `inside`.
 * - `away`: there is no connection, and it is tried again; sound and picture may well go on.
 * - `over`: for good; `fault` says why, null after `leave`.
 *
 * @typedef {"new" | "connecting" | "waiting" | "inside" | "away" | "over"} Phase
 */

/**
 * @typedef {object} CallOptions
 * @property {string} [url]  Of the socket; without it, `/ws/v2` of the page's own server.
 * @property {string} [token]
 * @property {string} [room]  In open mode, with `role` and `name`. With a token it names what is remembered.
 * @property {string} [role]
 * @property {string} [name]
 * @property {boolean} [audio]  Whether to begin with the microphone on; true by default.
 * @property {boolean} [video]
 * @property {string} [camera]  Device id.
 * @property {string} [microphone]
 * @property {MediaStream | null} [stream]  Opened already, by `Precall`.
 * @property {boolean} [remember]  Whether to come back as the same person after a reload of this tab; true by default.
 * @property {() => Promise<string | null>} [freshToken]  Asked once when the token has expired.
 */

const LOOK_MS = 2_000;
const DEVICES_MS = 1_500;   // most open within that; who is asked by the browser first may take a minute

/**
 * Fires, each without details (look at the properties): `phase` (also when `fault`, `position` or `retryAt` changed),
 * `people`, `knocks`, `chat`, `media` (own), `consent`, `locked`, `notices`. With `.person`: `person` (they changed), `ring` (their
 * bell), and for those who are told of it in words `met`, `gone`, `went-away`, `came-back` (with `.reason`).
 */
export class Call extends EventTarget {
  /** @type {Phase} */
  phase = "new";
  /** Place in the line while waiting, from 1. */
  position = 0;
  /** @type {{ id: string, role: string, may: string[], name: string } | null} */
  me = null;
  room = "";
  /** Who waits, for those who may admit. @type {Knock[]} */
  knocks = [];
  locked = false;
  /** What everybody should know of the server just now, such as that it has lost its others. @type {Fault[]} */
  notices = [];
  /** What is asked of us, and what we gave. */
  consent = new Consent();

  #options;
  #connection;
  #local = new LocalMedia();
  #chat = new Chat();
  #reports = new Reports((message) => this.#connection.send(message));
  /** @type {RTCIceServer[]} */
  #iceServers = [];
  #isInside = false;
  /** @type {Promise<unknown>} */
  #ready = Promise.resolve();
  #stops = /** @type {(() => void)[]} */ ([]);
  #company = new Company({
    consent: this.consent, send: (message) => this.#connection.send(message), tracks: () => this.#local.tracks,
    iceServers: () => this.#iceServers, ready: () => this.#ready, tell: (event) => this.#tell(event),
    said: (person, id, text) => this.#chat.heard(person, id, text, "direct"),
  });

  /** @param {CallOptions} options */
  constructor(options) {
    super();
    this.#options = options;
    this.room = options.room ?? "";
    this.#connection = new Connection({ ...options, memento: this.#recall() });
    this.#connection.addEventListener("change", () => this.#follow());
    this.#connection.addEventListener("message", (event) => this.#hear(/** @type {import("./connection.js").RoomEvent} */ (event).message));
    this.#local.addEventListener("track", (event) => this.#setTrack(/** @type {import("./local-media.js").TrackEvent} */ (event).slot));
    this.#local.addEventListener("change", () => this.#mediaChanged());
    this.#chat.addEventListener("change", () => this.#fire("chat"));
  }

  /**
   * Whether this tab was in this room just before a reload, so that `join` will go on as the same person.
   *
   * @param {string} room
   */
  static wasInside(room) {
    return remembers(room);
  }

  /** @returns {Person[]} */
  get people() { return this.#company.people; }
  /** Why the phase is `away` or `over`; null after `leave`. @returns {SignalingFault | null} */
  get fault() { return this.#connection.fault; }
  /** When it is tried again, in ms since 1970; null while it is being tried. */
  get retryAt() { return this.#connection.retryAt; }
  /** Round trip to the server, in ms; null before the first. */
  get rttMs() { return this.#connection.rttMs; }
  /** The newest token, for a `CameraView`; the server renews it. Null in open mode. */
  get token() { return this.#connection.token; }
  /** The TURN and STUN servers of this visit, for `Precall`; empty before the first welcome. */
  get iceServers() { return this.#iceServers; }
  /** @returns {ChatLine[]} */
  get chat() { return this.#chat.lines; }
  /** Own camera, for the small picture; empty while it is off. */
  get preview() { return this.#local.preview; }
  /** What the others see and hear of us. @returns {MediaOn} */
  get media() { return this.#local.on; }
  /** Whether our picture is left out for somebody because the line is thin. */
  get thin() { return this.people.some(({ isThin }) => isThin); }
  /** Why camera or microphone could not be opened. @returns {Fault | null} */
  get mediaFault() { return this.#local.fault; }

  /** Enter; opens camera and microphone at the same time. Never throws: watch `phase`. */
  async join() {
    if (this.phase !== "new") return;
    this.#setPhase("connecting");
    const looking = setInterval(() => void this.#look(), LOOK_MS);
    this.#stops.push(() => clearInterval(looking));
    if (this.#options.remember !== false) {
      this.#stops.push(rememberOnLeave(this.#where, () => this.#connection.memento));
    }
    addEventListener("online", this.#onNetwork);
    this.#stops.push(() => removeEventListener("online", this.#onNetwork));
    const opened = this.#local.open(this.#options);
    let isLate = false;
    this.#ready = Promise.race([opened, new Promise((resolve) => setTimeout(resolve, DEVICES_MS)).then(() => { isLate = true; })]);
    this.#connection.open();
    await opened;
    // Without a camera browsers hide their own addresses from the others; now there may be a shorter way.
    if (isLate) this.#onNetwork();
  }

  /** Leave for good. */
  leave() {
    this.#connection.close();
  }

  /** Try at once instead of at `retryAt`. */
  retryNow() {
    this.#connection.retryNow();
  }

  // Each of these rejects with a FaultError when the server says no.

  /** @param {string} [id]  Without it, everybody who waits. */
  admit(id) { return this.#connection.send({ t: "admit", id }); }
  /**
   * @param {string} id
   * @param {string} [reason]  In words, for them.
   */
  deny(id, reason) { return this.#connection.send({ t: "deny", id, reason }); }
  /** @param {string} id */
  sendBack(id) { return this.#connection.send({ t: "send_back", id }); }
  /** @param {boolean} on */
  lock(on) { return this.#connection.send({ t: "lock", on }); }
  /** End the visit for all. */
  end() { return this.#connection.send({ t: "end" }); }

  /**
   * @param {string} text
   * @param {string} [to]  Id of a person; without it, everybody.
   */
  async say(text, to) {
    const people = this.people.filter((person) => person.camera === null && (to === undefined || person.id === to)
      && this.consent.allowsWords(person));
    await this.#chat.say(text, this.me ?? { id: "", name: "" }, people, (message) => this.#connection.send(message));
  }

  /**
   * Give or withdraw consent; sound and picture begin when what is needed was given, and end when it is withdrawn.
   *
   * @param {string[]} what
   * @param {boolean} given
   */
  async giveConsent(what, given) {
    if (!given) this.#noteConsent(what, false);   // what was withdrawn ends at once, whether the server hears of it or not
    await this.#connection.send({ t: "consent", what, given });
    if (given) this.#noteConsent(what, true);
  }

  /** @param {boolean} on */
  setAudio(on) { return this.#local.setAudio(on); }
  /** @param {boolean} on */
  setVideo(on) { return this.#local.setVideo(on); }
  /**
   * Take another device while the call goes on.
   *
   * @param {"camera" | "microphone"} kind
   * @param {string} deviceId
   */
  chooseDevice(kind, deviceId) { return this.#local.chooseDevice(kind, deviceId); }
  /** Ask the person which screen or window, and show it. @returns {Promise<boolean>} False when they decline. */
  shareScreen() { return this.#local.shareScreen(); }
  stopScreen() { this.#local.stopScreen(); }
  devices() { return listDevices(); }

  // The connection

  get #where() {
    return this.#options.room ?? location.pathname;
  }

  #recall() {
    const { remember, token } = this.#options;
    const memento = remember === false ? null : recall(this.#where);
    return memento && token !== undefined && memento.began !== token ? null : memento;
  }

  #follow() {
    switch (this.#connection.phase) {
      case "over": return this.#over();
      case "pausing": return this.#setPhase("away");
      default: return this.#fire("phase");   // the server says whether we wait or are inside
    }
  }

  /** @param {Message} message */
  #hear(message) {
    if (message.t === "welcome") this.#welcomed(message);
    else if (message.t === "ice") this.#setIceServers(message.ice);
    else if (message.t === "signal") this.#company.person(message.from)?.receive(/** @type {any} */ (message));
    else if (message.t === "chat") this.#heardOverServer(message);
    else if (message.t === "locked") this.#setLocked(message.on);
    else if (message.t === "waiting") this.#wait(message);
    else if (message.t === "ring") this.#ring(message.id);
    else if (message.t === "notice") this.#noticed(message);
    else this.#heardOfPeople(message);
  }

  /** @param {Message} welcome */
  #welcomed(welcome) {
    this.room = welcome.room;
    this.me = { ...welcome.you, name: this.#options.name ?? "" };
    this.consent.welcomed(welcome.consent);
    this.#setIceServers(welcome.ice);
    if (!welcome.resumed && this.notices.length > 0) {   // those that hold are told again
      this.notices = [];
      this.#fire("notices");
    }
    if (welcome.resumed) {
      this.#setPhase(this.#isInside ? "inside" : "waiting");
      for (const person of this.people) person.check();
    }
    this.#fire("consent");
  }

  /** @param {Message} message */
  #wait(message) {
    this.#isInside = false;
    this.position = message.position;
    this.knocks = [];
    this.#heardOfPeople(message);
    for (const person of this.people) person.disconnect();
    this.#setPhase("waiting");
  }

  #enter() {
    this.#isInside = true;
    this.#setPhase("inside");
    this.#announce();
  }

  #over() {
    for (const stop of this.#stops.splice(0)) stop();
    this.#company.clear();
    this.#local.close();
    this.#isInside = false;
    this.#setPhase("over");
  }

  // People

  /** @param {Message} message */
  #heardOfPeople(message) {
    const knocks = knocksAfter(this.knocks, message, Date.now());
    if (knocks !== this.knocks) {
      this.knocks = knocks;
      this.#fire("knocks");
    }
    if (message.t === "roster") this.#enter();
    this.#company.hear(message, this.me?.role ?? "");
  }

  /**
   * @param {string[]} what
   * @param {boolean} given
   */
  #noteConsent(what, given) {
    this.#company.consented(this.consent.note(what, given));
    this.#fire("consent");
  }

  /** @param {Event} event */
  #tell(event) {
    if (event instanceof PersonEvent && event.person.connectedMs !== null) this.#reports.connected(event.person);
    this.dispatchEvent(event);
  }

  /** @param {string} id */
  #ring(id) {
    const person = this.#company.person(id);
    if (person) this.dispatchEvent(new PersonEvent("ring", person));
  }

  /** @param {Message} message */
  #heardOverServer({ from, id, text, seq }) {
    const person = this.#company.person(from);
    const key = id ?? `${from}-${seq}`;
    if (person?.isNews(key)) this.#chat.heard(person, key, text, "server");
  }

  // Own media

  /** @param {import("./slots.js").Slot} slot */
  #setTrack(slot) {
    for (const person of this.people) person.setTrack(slot, this.#local.tracks[slot]);
  }

  #mediaChanged() {
    this.#fire("media");
    if (this.#isInside) this.#announce();
  }

  /** Say what is on. While there is no connection it waits for the next. */
  #announce() {
    void this.#connection.send({ t: "state", ...this.media }).catch(() => {});   // it is over, and nobody asks
  }

  // The network

  #onNetwork = () => {
    for (const person of this.people) person.restart();
  };

  /** @param {RTCIceServer[]} iceServers */
  #setIceServers(iceServers) {
    this.#iceServers = iceServers;
    for (const person of this.people) person.setIceServers(iceServers);
  }

  async #look() {
    const now = performance.now() / 1000;
    const wasThin = this.thin;
    await this.#company.look(now);
    if (this.thin !== wasThin) this.#fire("media");
    if (this.phase === "inside") this.#reports.look(this.people, now);
  }

  /** @param {Message} notice */
  #noticed({ code, on }) {
    this.notices = this.notices.filter((one) => one.code !== code);
    if (on) this.notices.push(namedFault(code));
    this.#fire("notices");
  }

  /** @param {boolean} locked */
  #setLocked(locked) {
    this.locked = locked;
    this.#fire("locked");
  }

  /** @param {Phase} phase */
  #setPhase(phase) {
    this.phase = phase;
    this.#fire("phase");
  }

  /** @param {string} name */
  #fire(name) {
    this.dispatchEvent(new Event(name));
  }
}
