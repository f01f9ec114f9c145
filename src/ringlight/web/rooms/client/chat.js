// What was written in this visit, and the way of our own words: from browser to browser where that works, else over the
// server.

import { FaultError } from "./fault.js";

/**
 * @typedef {object} ChatLine
 * @property {string} key
 * @property {string} from  Id of a person; our own for ours.
 * @property {string} name
 * @property {boolean} mine
 * @property {string} text
 * @property {number} at  Milliseconds since 1970.
 * @property {"sending" | "sent" | "failed"} state  `failed`: not everybody has it.
 * @property {import("./fault.js").Fault | null} fault  Why it failed; null where nobody was there to read it.
 * @property {"direct" | "server"} way  Whether the words went between the browsers, or over the server.
 */

/** Fires `change`. */
export class Chat extends EventTarget {
  /** @type {ChatLine[]} */
  lines = [];

  /**
   * Say something to people. Resolves when everybody has it.
   *
   * @param {string} text
   * @param {{ id: string, name: string }} me
   * @param {import("./person.js").Person[]} people
   * @param {(message: { t: "chat", to: string, id: string, text: string }) => Promise<void>} send  Over the server.
   */
  async say(text, me, people, send) {
    const id = `${Date.now()}-${crypto.getRandomValues(new Uint32Array(1))[0]}`;
    /** @type {ChatLine} */
    const line = { key: id, from: me.id, name: me.name, mine: true, text, at: Date.now(), state: "sending", fault: null, way: "direct" };
    this.#add(line);
    const sent = people.map(async (person) => {
      if (await person.say(id, text)) return;
      line.way = "server";
      await send({ t: "chat", to: person.id, id, text });
    });
    try {
      await Promise.all(sent);
      line.state = people.length ? "sent" : "failed";   // there is nobody to read it
    } catch (error) {
      line.state = "failed";
      line.fault = error instanceof FaultError ? error.fault : null;
      throw error;
    } finally {
      this.dispatchEvent(new Event("change"));
    }
  }

  /**
   * Somebody wrote something.
   *
   * @param {import("./person.js").Person} person
   * @param {string} id
   * @param {string} text
   * @param {ChatLine["way"]} way
   */
  heard(person, id, text, way) {
    this.#add({ key: id, from: person.id, name: person.name, mine: false, text, at: Date.now(), state: "sent", fault: null, way });
  }

  /** @param {ChatLine} line */
  #add(line) {
    this.lines = [...this.lines, line];
    this.dispatchEvent(new Event("change"));
  }
}
