// A session on real sockets: does what the session says, tells it what happens, and keeps a fault that says why.

import { traceparent } from "../../page/trace.js";
import { FaultError, namedFault, refusalOf } from "./fault.js";
import { probe } from "./probe.js";
import { Session } from "./session.js";
import { judgeUrl, signalingFault } from "./signaling-error.js";

/** @typedef {import("./session.js").Message} Message */
/** @typedef {import("./session.js").Memento} Memento */
/** @typedef {import("./signaling-error.js").SignalingFault} SignalingFault */
/** @typedef {import("./signaling-error.js").Probe} Probe */

/**
 * @typedef {object} ConnectionOptions
 * @property {string} [url]  Of the socket; without it, `/ws/v2` of the page's own server.
 * @property {string} [token]
 * @property {string} [room]  In open mode, with `role` and `name`.
 * @property {string} [role]
 * @property {string} [name]
 * @property {Memento | null} [memento]  What this tab remembers of before a reload.
 * @property {() => Promise<string | null>} [freshToken]  Asked once when the token has expired.
 */

/** A message of the server. */
export class RoomEvent extends Event {
  /** @param {Message} message */
  constructor(message) {
    super("message");
    this.message = message;
  }
}

/** Where a page finds its own server. */
export function ownUrl() {
  return new URL("/ws/v2", location.href).href.replace(/^http/, "ws");
}

/**
 * Fires `change` (look at `phase`, `fault`, `retryAt`, `rttMs`) and `message` (with `.message`).
 *
 *     const connection = new Connection({ token });
 *     connection.addEventListener("message", ({ message }) => …);
 *     connection.open();
 *     await connection.send({ t: "chat", text: "Good morning" });
 */
export class Connection extends EventTarget {
  /** Why it is not there; null while it is, and after `close`. @type {SignalingFault | null} */
  fault = null;

  #url;
  #session;
  #options;
  /** @type {WebSocket | null} */
  #socket = null;
  #timer = 0;
  #tickets = 0;
  /** @type {Map<number, { resolve: () => void, reject: (error: Error) => void }>} */
  #waiting = new Map();
  /** @type {SignalingFault | null} The address itself is wrong: nothing is tried. */
  #hopeless = null;
  #stopListening = new AbortController();

  /** @param {ConnectionOptions} options */
  constructor(options) {
    super();
    this.#options = options;
    this.#url = options.url ?? ownUrl();
    this.#session = new Session({ ...options, renews: Boolean(options.freshToken), random: Math.random });
  }

  /** @returns {Session["phase"]} */
  get phase() {
    return this.#hopeless ? "over" : this.#session.phase;
  }

  /** When it is tried again, in ms since 1970; null while it is being tried. */
  get retryAt() {
    const at = this.#session.retryAt;
    return at === null ? null : Date.now() + Math.max(0, at - performance.now());
  }

  /** Round trip to the server, in milliseconds; null before the first. */
  get rttMs() {
    return this.#session.rttMs;
  }

  /** The newest token: the server renews it. */
  get token() {
    return this.#session.token;
  }

  /** What lets this tab come back as the same person after a reload; null when there is nothing to come back to. */
  get memento() {
    return this.#session.memento;
  }

  /** Begin, and keep at it until `close`, or until the server says that it is over. */
  open() {
    const judged = judgeUrl(this.#url, location.href);
    if (judged) {
      this.fault = this.#hopeless = this.#faultOf({ readyState: null });
      this.dispatchEvent(new Event("change"));
      return;
    }
    const { signal } = this.#stopListening;
    const wake = () => this.#feed({ is: "wake" });
    addEventListener("online", wake, { signal });
    addEventListener("offline", wake, { signal });   // asks whether the socket still lives: it often does
    document.addEventListener("visibilitychange", () => { if (!document.hidden) wake(); }, { signal });
    const network = /** @type {Navigator & { connection?: EventTarget }} */ (navigator).connection;
    network?.addEventListener("change", wake, { signal });
    this.#feed({ is: "start" });
  }

  /**
   * Send a message. Resolves when the server has taken it, over as many reconnections as it needs; it counts once.
   *
   * @param {Message} message
   * @returns {Promise<void>}
   * @throws {FaultError} When the server refuses it, or the connection is over.
   */
  send(message) {
    const ticket = (this.#tickets += 1);
    /** @type {Promise<void>} */
    const settled = new Promise((resolve, reject) => this.#waiting.set(ticket, { resolve, reject }));
    this.#feed({ is: "send", message, ticket });
    return settled;
  }

  /** Try at once instead of at `retryAt`; also asks whether a socket that seems open still lives. */
  retryNow() {
    this.#feed({ is: "wake" });
  }

  /** Leave for good. */
  close() {
    this.#feed({ is: "stop" });
  }

  /** @param {import("./session.js").Happening} event */
  #feed(event) {
    for (const action of this.#session.receive(event, performance.now())) this.#do(action);
    clearTimeout(this.#timer);
    const { deadline } = this.#session;
    // A millisecond more: timers may fire a little early.
    if (deadline !== null) this.#timer = self.setTimeout(() => this.#feed({ is: "tick" }), deadline - performance.now() + 1);
  }

  /** @param {import("./session.js").Action} action */
  #do(action) {
    switch (action.do) {
      case "open": return this.#connect();
      case "write": return this.#socket?.send(JSON.stringify(action.message));
      case "drop": return this.#drop(action.code);
      case "settle": return this.#settle(action.ticket, action.refusal);
      case "told": return void this.dispatchEvent(new RoomEvent(action.message));
      case "fetch-token": return void this.#fetchToken();
      case "changed": return this.#changed();
    }
  }

  #connect() {
    this.#drop(1000);
    let socket;
    try {
      const joint = this.#url.includes("?") ? "&" : "?";   // a browser's socket takes no headers
      socket = new WebSocket(`${this.#url.replace(/^http/, "ws")}${joint}traceparent=${traceparent()}`);
    } catch (error) {
      const thrown = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      return queueMicrotask(() => this.#feed({ is: "closed", code: null, thrown }));
    }
    this.#socket = socket;
    /** @param {(event: any) => void} hear */
    const own = (hear) => (/** @type {any} */ event) => { if (this.#socket === socket) hear(event); };
    socket.onopen = own(() => this.#feed({ is: "opened" }));
    socket.onmessage = own((event) => this.#hear(event.data));
    const close = own(({ code, reason }) => {
      this.#socket = null;
      this.#feed({ is: "closed", code, reason });
    });
    socket.onclose = close;
    // Of a socket that the page's own policy forbids Chromium never says that it is closed.
    socket.onerror = () => setTimeout(() => close({ code: 1006, reason: "" }));
  }

  /** @param {unknown} data */
  #hear(data) {
    let message;
    try {
      message = JSON.parse(String(data));
    } catch {
      return;   // no message of ours: another server's, perhaps; the time limit for `welcome` ends it
    }
    if (typeof message?.t === "string") this.#feed({ is: "heard", message });
  }

  /** Leave the socket; nothing is heard of it any more, however long its closing takes. @param {number} code */
  #drop(code) {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(code);
  }

  /**
   * @param {number} ticket
   * @param {Message | null} refusal
   */
  #settle(ticket, refusal) {
    const waiting = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    if (refusal === null) waiting?.resolve();
    else waiting?.reject(new FaultError(refusalOf(refusal) ?? namedFault("ROOM-MESSAGE")));
  }

  #changed() {
    const { phase, ending } = this.#session;
    if (phase === "live" || (phase === "over" && ending === null)) this.fault = null;
    else if ((phase === "pausing" || phase === "over") && ending) {
      this.fault = this.#faultOf(ending);
      if (!ending.refusal) this.#look(ending);
    }
    if (phase === "over") this.#stopListening.abort();
    this.dispatchEvent(new Event("change"));
  }

  /** A close without words: ask in another way what it may mean. @param {import("./session.js").Ending} ending */
  async #look(ending) {
    const found = await probe(this.#url);
    if (this.#session.ending !== ending || this.phase === "live" || this.fault === null) return;   // old news
    this.fault = this.#faultOf(ending, found);
    this.dispatchEvent(new Event("change"));
  }

  /**
   * @param {Partial<import("./session.js").Ending>} ending
   * @param {Probe} [found]
   */
  #faultOf(ending, found) {
    return signalingFault({
      url: this.#url, page: location.href, online: navigator.onLine, at: Date.now(), ...ending,
      attempts: this.#session.attempts, probe: found,
    });
  }

  async #fetchToken() {
    const token = await this.#options.freshToken?.().catch(() => null);
    this.#feed({ is: "token", token: token ?? null });
  }
}
