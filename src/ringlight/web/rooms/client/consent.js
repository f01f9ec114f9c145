// Consent in a call: what is asked of us, what we gave, and to whom nothing may pass for the want of it. Pure.

/** @typedef {{ key: string, role: string }} Other */

/** The rules themselves are the server's (docs/reference/rooms-protocol.md, "Consent"); this keeps to them beforehand. */
export class Consent {
  /** What is asked of us here. @type {string[]} */
  needed = [];
  /** @type {string[]} */
  given = [];

  /** Others who have to consent before anything passes, by key: the server refused what was meant for them. */
  #minding = new Set();

  /** @param {{ needed: string[], given: string[] } | undefined} told  What a welcome says. */
  welcomed(told) {
    this.needed = told?.needed ?? [];
    this.given = told?.given ?? [];
  }

  /**
   * We gave something, or withdrew it. Returns whether the path to somebody may be another matter now.
   *
   * @param {string[]} what
   * @param {boolean} given
   * @returns {(other: Other) => boolean}
   */
  note(what, given) {
    const others = this.given.filter((one) => !what.includes(one));
    this.given = given ? [...others, ...what] : others;
    return ({ role }) => concerns(what, role);
  }

  /**
   * Somebody else did. Returns whether the path to them may be another matter now.
   *
   * @param {Other} other
   * @param {string[]} what
   * @param {boolean} given
   * @param {string} ownRole
   */
  heardOf(other, what, given, ownRole) {
    const isOurs = concerns(what, ownRole);
    if (isOurs && given) this.#minding.delete(other.key);
    else if (isOurs) this.#minding.add(other.key);
    return isOurs;
  }

  /** The server says that somebody has to consent first. @param {Other} other */
  refused(other) {
    this.#minding.add(other.key);
  }

  /** They are gone. @param {Other} other */
  forget(other) {
    this.#minding.delete(other.key);
  }

  /** Whether sound and pictures may go between us and somebody. @param {Other} other */
  allows(other) {
    return this.#has("video") && this.allowsWords(other) && !this.#minding.has(other.key);
  }

  /** Whether our words may go to somebody. @param {Other} other */
  allowsWords({ role }) {
    return role !== "observer" || this.#has("observer");
  }

  /** @param {string} what */
  #has(what) {
    return !this.needed.includes(what) || this.given.includes(what);
  }
}

/**
 * Whether it matters to somebody of a role what another has consented to.
 *
 * @param {string[]} what
 * @param {string} role
 */
function concerns(what, role) {
  return what.includes("video") || (role === "observer" && what.includes("observer"));
}
