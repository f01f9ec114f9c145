// What the server is told of how it goes, for its metrics: a word, three figures, nothing of anybody.

import { worst } from "./quality.js";

/** @typedef {import("./person.js").Person} Person */
/** @typedef {import("./session.js").Message} Message */

const EVERY_S = 15;

/** Tells now and then, at once when the word changes, and once for each person how long the first path took. */
export class Reports {
  #send;
  #toldAt = -Infinity;
  /** @type {string | null} */
  #word = null;
  /** @type {WeakSet<Person>} */
  #connected = new WeakSet();
  #isRefused = false;

  /** @param {(message: Message) => Promise<void>} send */
  constructor(send) {
    this.#send = send;
  }

  /** @param {Person} person */
  connected(person) {
    if (this.#connected.has(person) || person.connectedMs === null) return;
    this.#connected.add(person);
    this.#tell({ words: "good", connected_ms: Math.round(person.connectedMs) });
  }

  /**
   * @param {Person[]} people
   * @param {number} now  Seconds.
   */
  look(people, now) {
    const all = people.flatMap(({ quality }) => quality ?? []);
    if (!all.length) return;
    const words = worst(all.map((quality) => quality.words));
    if (words === this.#word && now - this.#toldAt < EVERY_S) return;
    this.#word = words;
    this.#toldAt = now;
    this.#tell({ words, loss: most(all.map(({ loss }) => loss)), rtt_ms: most(all.map(({ rttMs }) => rttMs)) });
  }

  /** @param {Record<string, unknown>} report */
  #tell(report) {
    if (this.#isRefused) return;
    this.#send({ t: "quality", ...report }).catch(() => { this.#isRefused = true; });   // a server that knows no reports
  }
}

/** @param {(number | null)[]} figures */
function most(figures) {
  const known = figures.filter((figure) => figure !== null);
  return known.length ? Math.round(Math.max(...known) * 1000) / 1000 : undefined;
}
