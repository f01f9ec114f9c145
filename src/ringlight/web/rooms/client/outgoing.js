// What a page sends over a session: numbered, at the pace that the server allows, and again after a connection broke,
// until the server has taken it. Pure: the session hands in the time, and gets actions out.

import { Allowance } from "./allowance.js";

/** @typedef {import("./session.js").Message} Message */
/** @typedef {import("./session.js").Action} Action */

const NUMBER_BYTES = 48;   // what `rid` and `seen` add to a message

/** See the top of this module. */
export class Outgoing {
  #act;
  #rid = 0;
  /** @type {{ ticket: number, message: Message, rid: number | null, isSent: boolean }[]} Not settled, in order. */
  #pending = [];
  #allowance = new Allowance(40, 120, 0);   // until the server has named its own

  /** @param {(action: Action) => void} act */
  constructor(act) {
    this.#act = act;
  }

  /** When the next message may go, in milliseconds; infinite while none waits. */
  get next() {
    return this.#pending.some((entry) => !entry.isSent) ? this.#allowance.next : Infinity;
  }

  /**
   * Take a message that is to count once.
   *
   * @param {Message} message
   * @param {number} ticket
   * @param {number} most  Bytes.
   */
  add(message, ticket, most) {
    if (new TextEncoder().encode(JSON.stringify(message)).length + NUMBER_BYTES > most) {
      return this.settle(ticket, { t: "error", code: "ROOM-SIZE", detail: `${most} bytes are allowed` });
    }
    this.#pending.push({ ticket, message, rid: null, isSent: false });
  }

  /** Send what waits, as far as the server allows now. @param {number} now */
  flush(now) {
    for (const entry of this.#pending) {
      if (entry.isSent) continue;
      if (!this.#allowance.take(now)) return;
      entry.rid ??= (this.#rid += 1);
      entry.isSent = true;
      this.#act({ do: "write", message: { ...entry.message, rid: entry.rid } });
    }
  }

  /**
   * Send at once something that nobody answers by its number.
   *
   * @param {Message} message
   * @param {number} now
   */
  write(message, now) {
    this.#allowance.take(now);
    this.#act({ do: "write", message });
  }

  /**
   * A new connection has limits of its own.
   *
   * @param {{ per_s: number, burst: number }} limits
   * @param {number} now
   */
  allow(limits, now) {
    this.#allowance = new Allowance(limits.per_s, limits.burst, now);
  }

  /**
   * There is a new connection. What was taken is settled; the rest goes again under its old numbers. Signals for people
   * who have to be met anew go nowhere.
   *
   * @param {Message} welcome
   */
  welcomed(welcome) {
    const pending = this.#pending;
    this.#pending = [];
    for (const entry of pending) {
      if (entry.rid !== null && entry.rid <= welcome.rid) this.settle(entry.ticket, null);
      else if (!welcome.resumed && entry.message.t === "signal") this.settle(entry.ticket, { t: "error", code: "ROOM-PERSON" });
      else this.#pending.push({ ...entry, isSent: false });
    }
    this.#rid = Math.max(this.#rid, welcome.rid);
  }

  /**
   * The server has taken a message, or refused it.
   *
   * @param {number} rid
   * @param {Message | null} refusal
   */
  answered(rid, refusal) {
    const index = this.#pending.findIndex((entry) => entry.rid === rid);
    if (index < 0) return;
    const [entry] = this.#pending.splice(index, 1);
    this.settle(entry.ticket, refusal);
  }

  /** Nothing more will be sent. @param {Message} refusal */
  end(refusal) {
    for (const { ticket } of this.#pending.splice(0)) this.settle(ticket, refusal);
  }

  /**
   * @param {number} ticket
   * @param {Message | null} refusal
   */
  settle(ticket, refusal) {
    this.#act({ do: "settle", ticket, refusal });
  }
}
