// How much may be sent: a bucket that fills with time. Pure.

// Of what the server allows: its clock and ours need not agree to the last message.
const SHARE = 0.8;

/** What the server takes in a second and at once; a message beyond it would be lost. */
export class Allowance {
  #rate;
  #burst;
  #left;
  #at;

  /**
   * @param {number} perSecond
   * @param {number} burst
   * @param {number} now  Milliseconds.
   */
  constructor(perSecond, burst, now) {
    this.#rate = (perSecond * SHARE) / 1000;
    this.#burst = this.#left = Math.max(1, burst * SHARE);
    this.#at = now;
  }

  /**
   * Take one; returns whether there was one.
   *
   * @param {number} now
   */
  take(now) {
    this.#left = Math.min(this.#burst, this.#left + (now - this.#at) * this.#rate);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  /** When there will be one again, in milliseconds. */
  get next() {
    return this.#at + Math.max(0, 1 - this.#left) / this.#rate;
  }
}
