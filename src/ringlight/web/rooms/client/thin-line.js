// When to leave the picture out so that the sound stays, and when to try it again. Pure.

/** Below this a picture takes from the sound what it needs. */
export const THIN_KBPS = 150;
const LOSSY = 0.15;            // of our packets: sound repairs itself up to about here
const CALM_LOSS = 0.05;
const LOOKS_UNTIL_OUT = 3;     // one look may be a hiccup
const FIRST_HOLD_S = 10;
const LONGEST_HOLD_S = 120;
const GRACE_S = 6;             // after the picture came back, before it is judged: estimates begin low
const PROVEN_S = 30;           // so long it has to last for the next hold to be short again

/**
 * Judges one way out, look by look.
 *
 * While the picture is out nothing proves that there would be room for it: so it is tried again after a while, and after
 * a longer while each time that it was too early.
 */
export class ThinLine {
  /** Whether the picture is left out. */
  isThin = false;

  #bad = 0;
  #hold = FIRST_HOLD_S;
  #since = -Infinity;

  /**
   * @param {{ availableOutKbps: number | null, lossOut: number | null }} look
   * @param {number} now  Seconds.
   * @returns {boolean}  Whether the picture is to be left out.
   */
  judge(look, now) {
    if (this.isThin) this.#judgeThin(look, now);
    else this.#judgeWide(look, now);
    return this.isThin;
  }

  /**
   * @param {{ availableOutKbps: number | null, lossOut: number | null }} look
   * @param {number} now
   */
  #judgeWide({ availableOutKbps, lossOut }, now) {
    if (now - this.#since > PROVEN_S) this.#hold = FIRST_HOLD_S;
    if (now - this.#since < GRACE_S) return;
    const isBad = (availableOutKbps !== null && availableOutKbps < THIN_KBPS) || (lossOut ?? 0) > LOSSY;
    this.#bad = isBad ? this.#bad + 1 : 0;
    if (this.#bad >= LOOKS_UNTIL_OUT) this.#turn(true, now);
  }

  /**
   * @param {{ lossOut: number | null }} look
   * @param {number} now
   */
  #judgeThin({ lossOut }, now) {
    if ((lossOut ?? 0) > CALM_LOSS) this.#since = Math.max(this.#since, now - this.#hold / 2);   // not yet
    if (now - this.#since < this.#hold) return;
    this.#hold = Math.min(LONGEST_HOLD_S, this.#hold * 2);
    this.#turn(false, now);
  }

  /**
   * @param {boolean} isThin
   * @param {number} now
   */
  #turn(isThin, now) {
    this.isThin = isThin;
    this.#since = now;
    this.#bad = 0;
  }
}
