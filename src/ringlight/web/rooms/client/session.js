// One person's connection to a room over any number of sockets, as a pure machine: events and the time in, actions out.
// It knows the protocol (docs/reference/rooms-protocol.md) and no socket, timer or dice.

import { BY_CLOSE_CODE, FAULTS } from "./faults.js";
import { Outgoing } from "./outgoing.js";

/**
 * A message as it goes over the wire; `t` says which.
 *
 * @typedef {{ t: string, [field: string]: any }} Message
 */

/**
 * What happens to it. `closed` is also said of a socket that could not be made (`thrown`).
 *
 * @typedef {{ is: "start" } | { is: "opened" } | { is: "heard", message: Message }
 *   | { is: "closed", code: number | null, reason?: string, thrown?: string }
 *   | { is: "send", message: Message, ticket: number } | { is: "tick" } | { is: "wake" }
 *   | { is: "token", token: string | null } | { is: "stop" }} Happening
 */

/**
 * What is to be done. `open` and `drop` leave the socket before; nothing more is heard of it. `settle` tells what became
 * of a message: `refusal` is null when it was taken. `told` is for the page. `changed`: look at the session.
 *
 * @typedef {{ do: "open" } | { do: "write", message: Message } | { do: "drop", code: number }
 *   | { do: "settle", ticket: number, refusal: Message | null } | { do: "told", message: Message }
 *   | { do: "fetch-token" } | { do: "changed" }} Action
 */

/** How the last socket ended. @typedef {{ opened: boolean, readyState: number | null, closeCode: number | null,
 *   closeReason: string, refusal: Message | null, thrown?: string }} Ending */

/**
 * What a tab keeps over a reload. `began` is the token that the page gave: with another one it means somebody else.
 *
 * @typedef {{ session: string, resume: string, token: string | null, began: string | null, room: string }} Memento
 */

/**
 * @typedef {object} SessionOptions
 * @property {string} [token]
 * @property {string} [room]  In open mode, with `role` and `name`.
 * @property {string} [role]
 * @property {string} [name]
 * @property {Memento | null} [memento]
 * @property {boolean} [renews]  Whether `fetch-token` can be answered.
 * @property {() => number} random  From 0 to 1.
 */

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;    // well within `rooms.grace`, so that who comes back is still known
const CONNECT_MS = 10_000;        // until `welcome`
const PONG_MS = 10_000;
const PONG_AFTER_WAKE_MS = 3_000;  // the network has just changed: what is dead shall be known soon
const OF_A_FRESH_PAGE = Number.MAX_SAFE_INTEGER;   // a `seq` that nobody has sent: everything is to be told anew
// Refusals that a person cannot mend and time can, although their row says that something has to be changed.
const PASSING = new Set(["ROOM-HELLO"]);

/** See the top of this module. `now` is in milliseconds and never goes back. */
export class Session {
  /** @type {"new" | "connecting" | "live" | "pausing" | "over"} */
  phase = "new";
  /** When the next `tick` is due; null: nothing is waited for. @type {number | null} */
  deadline = null;
  /** When it is tried again. @type {number | null} */
  retryAt = null;
  /** Connections that failed since the last that was welcomed. */
  attempts = 0;
  /** How the last socket ended; null before the first has. @type {Ending | null} */
  ending = null;
  /** The last `welcome`. @type {Message | null} */
  welcome = null;
  /** Round trip to the server, in milliseconds. @type {number | null} */
  rttMs = null;

  /** @type {string | null} */
  #token;
  #options;
  #session = "";
  #resume = "";
  #seq = 0;
  #seen = 0;   // the `seq` that the server knows of
  #isOpen = false;
  /** @type {Message | null} The last `error` without a number: if the socket ends now, that is why. */
  #refusal = null;
  /** @type {Message | null} */
  #bye = null;
  #isRenewed = false;
  #connectBy = Infinity;
  #pingAt = Infinity;
  #pingedAt = 0;
  #pongBy = Infinity;
  /** @type {Action[]} */
  #out = [];
  #outgoing = new Outgoing((action) => this.#out.push(this.#tellingSeen(action)));

  /** @param {SessionOptions} options */
  constructor(options) {
    this.#options = options;
    const { memento = null, token = null } = options;
    this.#token = memento?.token ?? token;   // the server has renewed it
    if (memento) {
      this.#session = memento.session;
      this.#resume = memento.resume;
      this.#seq = OF_A_FRESH_PAGE;
    }
  }

  /** The newest token; null in open mode. */
  get token() {
    return this.#token;
  }

  /** What lets this tab come back as the same person after a reload; null before the first welcome and after the end. */
  get memento() {
    if (this.phase === "over" || !this.welcome) return null;
    const { token, memento } = this.#options;
    const began = token ?? memento?.began ?? null;
    return { session: this.#session, resume: this.#resume, token: this.#token, began, room: String(this.welcome.room) };
  }

  /**
   * Feed one event; returns what to do, in order. Never throws.
   *
   * @param {Happening} event
   * @param {number} now
   * @returns {Action[]}
   */
  receive(event, now) {
    this.#out = [];
    if (this.phase !== "over") this.#receive(event, now);
    else if (event.is === "send") this.#outgoing.settle(event.ticket, this.#lastWord());
    this.deadline = this.#nextDeadline();
    return this.#out;
  }

  /**
   * @param {Happening} event
   * @param {number} now
   */
  #receive(event, now) {
    switch (event.is) {
      case "start": return this.phase === "new" ? this.#open(now) : undefined;
      case "opened": return this.#opened(now);
      case "heard": return this.#heard(event.message, now);
      case "closed": return this.#lost(event.code, event.reason ?? "", now, event.thrown);
      case "send": return this.#queue(event, now);
      case "tick": return this.#tick(now);
      case "wake": return this.#wake(now);
      case "token": return this.#renewed(event.token, now);
      case "stop": return this.#stop();
    }
  }

  // Opening

  /** @param {number} now */
  #open(now) {
    this.phase = "connecting";
    this.retryAt = null;
    this.#isOpen = false;
    this.#refusal = this.#bye = null;
    this.#connectBy = now + CONNECT_MS;
    this.#out.push({ do: "open" }, { do: "changed" });
  }

  /** @param {number} now */
  #opened(now) {
    if (this.phase !== "connecting") return;
    this.#isOpen = true;
    const { room, role, name } = this.#options;
    /** @type {Message} */
    const hello = { t: "hello", v: 2, client: "ringlight-rooms" };
    if (this.#token) hello.token = this.#token;
    else Object.assign(hello, { role: role ?? "patient", name: name ?? "" });
    const where = this.welcome?.room ?? room ?? this.#options.memento?.room;
    if (where !== undefined) hello.room = where;
    if (this.#session) Object.assign(hello, { session: this.#session, resume: this.#resume, seq: this.#seq });
    this.#outgoing.write(hello, now);
  }

  /**
   * @param {Message} welcome
   * @param {number} now
   */
  #welcomed(welcome, now) {
    this.phase = "live";
    this.welcome = welcome;
    this.attempts = 0;
    this.#isRenewed = false;
    this.#session = welcome.session;
    this.#resume = welcome.resume;
    if (!welcome.resumed) this.#seq = 0;
    this.#seen = this.#seq;
    this.#outgoing.allow(welcome.limits, now);
    this.#connectBy = this.#pongBy = Infinity;
    this.#ping(now, PONG_MS);   // the first round trip is known at once
    this.#out.push({ do: "told", message: welcome }, { do: "changed" });
    this.#outgoing.welcomed(welcome);
    this.#outgoing.flush(now);
  }

  // Hearing

  /**
   * @param {Message} message
   * @param {number} now
   */
  #heard(message, now) {
    if (this.phase === "connecting" && message.t === "welcome") return this.#welcomed(message, now);
    if (typeof message.seq === "number") {
      if (message.seq <= this.#seq) return;   // heard already
      this.#seq = message.seq;
    }
    switch (message.t) {
      case "ok": return this.#outgoing.answered(message.rid, null);
      case "error": return this.#refused(message);
      case "pong": return this.#ponged(now);
      case "bye": this.#bye = message; return;
      case "token": this.#token = message.token; return;
      default: this.#out.push({ do: "told", message });
    }
  }

  /** @param {Message} refusal */
  #refused(refusal) {
    if (typeof refusal.rid === "number") return this.#outgoing.answered(refusal.rid, refusal);
    this.#refusal = refusal;
    if (this.phase === "live") this.#out.push({ do: "told", message: refusal });
  }

  /** @param {number} now */
  #ponged(now) {
    if (this.#pongBy === Infinity) return;
    this.#pongBy = Infinity;
    this.rttMs = now - this.#pingedAt;
    this.#out.push({ do: "changed" });
  }

  /**
   * @param {number} now
   * @param {number} patience
   */
  #ping(now, patience) {
    this.#pingAt = now + this.welcome?.ping_s * 1000;
    if (this.#pongBy !== Infinity) return void (this.#pongBy = Math.min(this.#pongBy, now + patience));
    this.#pingedAt = now;
    this.#pongBy = now + patience;
    this.#outgoing.write({ t: "ping" }, now);
  }

  /**
   * @param {{ message: Message, ticket: number }} event
   * @param {number} now
   */
  #queue({ message, ticket }, now) {
    this.#outgoing.add(message, ticket, this.welcome?.limits.bytes ?? Infinity);
    if (this.phase === "live") this.#outgoing.flush(now);
  }

  /** What has arrived goes with what is sent anyway, so that the server need not keep it. @param {Action} action */
  #tellingSeen(action) {
    if (action.do !== "write" || this.phase !== "live" || this.#seen === this.#seq) return action;
    this.#seen = this.#seq;
    return { ...action, message: { ...action.message, seen: this.#seq } };
  }

  // Time, and what tells that the network may be another

  /** @param {number} now */
  #tick(now) {
    if (this.phase === "connecting" && now >= this.#connectBy) this.#giveUp(now);
    else if (this.phase === "live" && now >= this.#pongBy) this.#giveUp(now);
    else if (this.phase === "pausing" && this.retryAt !== null && now >= this.retryAt) this.#open(now);
    else if (this.phase === "live") {
      if (now >= this.#pingAt) this.#ping(now, PONG_MS);
      this.#outgoing.flush(now);
    }
  }

  /** @param {number} now */
  #wake(now) {
    if (this.phase === "live") this.#ping(now, PONG_AFTER_WAKE_MS);
    else if (this.phase === "pausing" && this.retryAt !== null) this.#open(now);
  }

  #nextDeadline() {
    /** @type {number} */
    let next = Infinity;
    if (this.phase === "connecting") next = this.#connectBy;
    if (this.phase === "pausing") next = this.retryAt ?? Infinity;
    if (this.phase === "live") {
      next = Math.min(this.#pingAt, this.#pongBy);
      next = Math.min(next, this.#outgoing.next);
    }
    return next === Infinity ? null : next;
  }

  // Ending

  /** The socket is silent: leave it. @param {number} now */
  #giveUp(now) {
    this.#out.push({ do: "drop", code: 1000 });
    this.#lost(null, "", now);
  }

  /**
   * @param {number | null} code
   * @param {string} reason
   * @param {number} now
   * @param {string} [thrown]
   */
  #lost(code, reason, now, thrown) {
    if (this.phase !== "connecting" && this.phase !== "live") return;
    const readyState = thrown ? null : code !== null ? 3 : this.#isOpen ? 1 : 0;
    this.ending = {
      opened: this.#isOpen, readyState, closeCode: code, closeReason: reason, refusal: this.#refusal, thrown,
    };
    this.#isOpen = false;
    const why = this.#refusal?.code ?? (FAULTS[reason] ? reason : BY_CLOSE_CODE[code ?? 0]?.[0]) ?? null;
    if (why === "ROOM-TOKEN-EXPIRED" && this.#options.renews && !this.#isRenewed) return this.#fetchToken();
    if (this.#isFinal(why) || thrown) return this.#end();
    this.phase = "pausing";
    this.retryAt = now + this.#wait();
    this.attempts += 1;
    this.#out.push({ do: "changed" });
  }

  /** @param {string | null} why */
  #isFinal(why) {
    if (this.#bye) return this.#bye.action === "leave";
    if (why === null || PASSING.has(why)) return false;
    const retry = this.#refusal?.retry ?? FAULTS[why]?.retry;
    return retry === "never" || retry === "after-fix" || why === "ROOM-TOKEN-EXPIRED";
  }

  /** Full jitter, so that a thousand pages which lost the same server do not come back together. */
  #wait() {
    if (typeof this.#bye?.delay_s === "number") return this.#bye.delay_s * 1000;
    if (typeof this.#refusal?.retry_after_s === "number") return this.#refusal.retry_after_s * 1000;
    return this.#options.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.attempts);
  }

  #fetchToken() {
    this.phase = "pausing";
    this.retryAt = null;
    this.#isRenewed = true;
    this.#out.push({ do: "fetch-token" }, { do: "changed" });
  }

  /**
   * @param {string | null} token
   * @param {number} now
   */
  #renewed(token, now) {
    if (this.phase !== "pausing" || this.retryAt !== null) return;
    if (token === null) return this.#end();
    this.#token = token;
    this.#open(now);
  }

  #stop() {
    if (this.phase === "live") this.#out.push({ do: "write", message: { t: "bye" } });
    this.ending = null;
    this.#out.push({ do: "drop", code: 1000 });
    this.#end();
  }

  #end() {
    this.phase = "over";
    this.retryAt = null;
    this.#outgoing.end(this.#lastWord());
    this.#out.push({ do: "changed" });
  }

  /** @returns {Message} */
  #lastWord() {
    return this.ending?.refusal ?? { t: "error", code: "REACH-CLOSED" };
  }
}
