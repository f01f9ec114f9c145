// Who is in the room, by what the server tells. Pure: events in, changes out.

/** @typedef {import("./session.js").Message} Message */
/** @typedef {{ audio: boolean, video: boolean, screen: boolean }} MediaOn */

/**
 * Somebody else, as far as the server knows them. The same object for as long as they are there.
 *
 * @typedef {object} Present
 * @property {string} key  Stays when `id` changes: after a restart of the server everybody has another.
 * @property {string} id
 * @property {string} role
 * @property {string} name
 * @property {boolean} polite  Whether *we* yield to them.
 * @property {boolean} away
 * @property {string} awayCode  The fault by which they are; empty where there is none.
 * @property {MediaOn} media
 * @property {string[]} consents
 * @property {string | null} camera
 * @property {number | null} formerUntil  Until when they may come back under another id, in seconds; null: they are here.
 */

/**
 * `met`: somebody new. `renewed`: known, but whatever was negotiated is void. `gone`. `changed`: look again.
 *
 * @typedef {{ what: "met" | "renewed" | "gone" | "back" | "away" | "changed", one: Present, reason: string }} Change
 */

// After a restart pages come back over five seconds, after a node's death within their longest wait; and somebody may
// have to let us in again.
const FORMER_S = 20;
// Until somebody says what they have on; pages of the old kind never do.
const USUAL = { audio: true, video: true, screen: false };

/** See the top of this module. Times are in seconds. */
export class People {
  /** @type {Present[]} */
  list = [];

  #keys = 0;

  /**
   * Take an event of the server. What it is not concerned with changes nothing.
   *
   * @param {Message} message
   * @param {number} now
   * @returns {Change[]}
   */
  hear(message, now) {
    switch (message.t) {
      case "roster": return this.#roster(message.people ?? [], now);
      case "waiting": return this.#roster([], now);   // we are outside, perhaps for a moment
      case "joined": return [this.#arrive(message.person, message.again === true)];
      case "left": return this.#left(message);
      case "back": return this.#change(message.id, "back", (one) => { one.away = false; });
      case "state": return this.#change(message.id, "changed", (one) => { one.media = { ...USUAL, ...message.media }; });
      case "consent": return this.#change(message.id, "changed", (one) => {
        const others = one.consents.filter((what) => !message.what.includes(what));
        one.consents = message.given ? [...others, ...message.what] : others;
      });
      default: return [];
    }
  }

  /**
   * Let those go who did not come back under another id.
   *
   * @param {number} now
   * @returns {Change[]}
   */
  tick(now) {
    return this.list.filter((one) => one.formerUntil !== null && now >= one.formerUntil).map((one) => this.#remove(one, "gone"));
  }

  /** We are outside, or it is over. @returns {Change[]} */
  clear() {
    return [...this.list].map((one) => this.#remove(one, "left"));
  }

  /** @param {string} id @returns {Present | null} */
  get(id) {
    return this.list.find((one) => one.id === id && one.formerUntil === null) ?? null;
  }

  /**
   * We begin anew: everybody has to be negotiated with again.
   *
   * @param {any[]} people
   * @param {number} now
   */
  #roster(people, now) {
    const ids = new Set(people.map(({ id }) => id));
    /** @type {Change[]} */
    const changes = [];
    for (const one of this.list) {
      if (ids.has(one.id) || one.formerUntil !== null) continue;
      one.formerUntil = now + FORMER_S;
      one.away = true;
      changes.push({ what: "away", one, reason: "" });
    }
    return [...changes, ...people.map((seen) => this.#arrive(seen, true))];
  }

  /**
   * @param {any} seen
   * @param {boolean} again
   * @returns {Change}
   */
  #arrive(seen, again) {
    const known = this.list.find(({ id, formerUntil }) => id === seen.id && formerUntil === null) ?? this.#former(seen);
    const one = known ?? this.#newcomer();
    const isNewId = one.id !== seen.id;
    Object.assign(one, {
      id: seen.id, role: seen.role, name: seen.name ?? "", polite: seen.polite === true, away: seen.away === true, awayCode: "",
      media: { ...USUAL, ...seen.media }, consents: seen.consents ?? [], camera: seen.camera || null, formerUntil: null,
    });
    if (!known) this.list.push(one);
    return { what: !known ? "met" : again || isNewId ? "renewed" : "changed", one, reason: "" };
  }

  /**
   * Somebody of before who may well be this one: nobody else of before has this name and role.
   *
   * @param {any} seen
   */
  #former(seen) {
    const alike = this.list.filter((one) => one.formerUntil !== null && one.role === seen.role && one.name === (seen.name ?? ""));
    return alike.length === 1 ? alike[0] : undefined;
  }

  /** @returns {Present} */
  #newcomer() {
    this.#keys += 1;
    return {
      key: `person-${this.#keys}`, id: "", role: "", name: "", polite: false, away: false, awayCode: "", media: USUAL, consents: [],
      camera: null, formerUntil: null,
    };
  }

  /** @param {Message} message */
  #left(message) {
    if (message.grace_s > 0) {
      return this.#change(message.id, "away", (one) => { Object.assign(one, { away: true, awayCode: message.code ?? "" }); }, message.reason);
    }
    const one = this.get(message.id);
    return one ? [this.#remove(one, message.reason)] : [];
  }

  /**
   * @param {string} id
   * @param {Change["what"]} what
   * @param {(one: Present) => void} change
   * @returns {Change[]}
   */
  #change(id, what, change, reason = "") {
    const one = this.get(id);
    if (!one) return [];
    change(one);
    return [{ what, one, reason }];
  }

  /**
   * @param {Present} one
   * @param {string} reason
   * @returns {Change}
   */
  #remove(one, reason) {
    this.list = this.list.filter((other) => other !== one);
    return { what: "gone", one, reason };
  }
}
