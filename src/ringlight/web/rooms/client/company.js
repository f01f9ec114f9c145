// The others in a call: a path to each of them, as the server tells who comes and goes, and as consent allows.

import { FaultError } from "./fault.js";
import { People } from "./people.js";
import { Person } from "./person.js";

/** @typedef {import("./session.js").Message} Message */
/** @typedef {import("./slots.js").Slot} Slot */

/**
 * @typedef {object} CompanyOptions
 * @property {import("./consent.js").Consent} consent
 * @property {(message: Message) => Promise<void>} send  To the server.
 * @property {() => Record<Slot, MediaStreamTrack | null>} tracks  Our own.
 * @property {() => RTCIceServer[]} iceServers
 * @property {() => Promise<unknown>} ready  When our own camera and microphone are open, or will not be.
 * @property {(person: Person, id: string, text: string) => void} said  Somebody wrote something from browser to browser.
 * @property {(event: Event) => void} tell
 */

/** Something about somebody. */
export class PersonEvent extends Event {
  /**
   * @param {string} type
   * @param {Person} person
   * @param {string} [reason]
   */
  constructor(type, person, reason = "") {
    super(type);
    this.person = person;
    this.reason = reason;
  }
}

const TOLD = { met: "met", renewed: "", gone: "gone", back: "came-back", away: "went-away", changed: "" };

/** Tells `people`, and with `.person`: `person` (they changed), `met`, `gone`, `went-away`, `came-back`. */
export class Company {
  /** @type {Person[]} */
  people = [];

  #options;
  #known = new People();

  /** @param {CompanyOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /** @param {string} id @returns {Person | null} */
  person(id) {
    return this.people.find((person) => person.id === id) ?? null;
  }

  /**
   * Take an event of the server.
   *
   * @param {Message} message
   * @param {string} ownRole
   */
  hear(message, ownRole) {
    const changes = this.#known.hear(message, performance.now() / 1000);
    const person = message.t === "consent" ? this.person(message.id) : null;
    if (person && this.#options.consent.heardOf(person, message.what, message.given, ownRole)) this.#connect(person);
    this.#apply(changes);
  }

  /** Our own consent changed. @param {(person: Person) => boolean} concerns */
  consented(concerns) {
    for (const person of this.people) if (concerns(person)) this.#connect(person);
  }

  /**
   * Look how it goes with everybody, and let those go who did not come back.
   *
   * @param {number} now  Seconds.
   */
  async look(now) {
    this.#apply(this.#known.tick(now));
    await Promise.all(this.people.map((person) => person.look(now)));
  }

  /** It is over. */
  clear() {
    this.#apply(this.#known.clear());
  }

  /** @param {import("./people.js").Change[]} changes */
  #apply(changes) {
    for (const { what, one, reason } of changes) {
      const known = this.people.find(({ key }) => key === one.key);
      const person = known ?? new Person(one, this.#ties);
      if (what === "gone") {
        person.disconnect();
        this.people = this.people.filter((other) => other !== person);
        this.#options.consent.forget(person);
      } else if (!known) this.people = [...this.people, person];
      if (what === "met" || what === "renewed") this.#connect(person);
      if (what === "back") person.check();
      this.#options.tell(what === "met" || what === "gone" ? new Event("people") : new PersonEvent("person", person));
      if (TOLD[what]) this.#options.tell(new PersonEvent(TOLD[what], person, reason));
    }
  }

  /** @param {Person} person */
  #connect(person) {
    if (person.camera !== null || !this.#options.consent.allows(person)) person.disconnect();
    else person.connect();
  }

  /** @type {import("./person.js").Ties} */
  #ties = {
    tracks: () => this.#options.tracks(),
    iceServers: () => this.#options.iceServers(),
    ready: () => this.#options.ready(),
    changed: (person) => this.#options.tell(new PersonEvent("person", person)),
    said: (person, id, text) => this.#options.said(person, id, text),
    send: (to, signal) => this.#signal(to, signal),
  };

  /**
   * @param {string} to
   * @param {object} signal
   */
  async #signal(to, signal) {
    try {
      await this.#options.send({ t: "signal", to, ...signal });
    } catch (error) {
      const person = this.person(to);
      if (!(error instanceof FaultError) || error.fault.code !== "ROOM-CONSENT" || !person) return;   // they left, or met us anew
      this.#options.consent.refused(person);
      person.disconnect();
      this.#options.tell(new PersonEvent("person", person));
    }
  }
}
