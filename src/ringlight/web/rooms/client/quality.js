// How a call is, in a word: from two looks at getStats to loss, round trip, MOS. Pure.

/** @typedef {"good" | "fair" | "poor" | "lost"} Word */

/**
 * What happened between two looks. Null where it cannot be known: nothing came, or it was muted.
 *
 * @typedef {object} Quality
 * @property {Word} words  The worse one of sound and picture.
 * @property {number | null} mos  Of the sound, 1 to 4.5 (E-model, ITU-T G.107).
 * @property {number | null} loss  Of the sound's packets, 0 to 1.
 * @property {number | null} rttMs
 * @property {number | null} jitterMs
 * @property {{ fps: number, loss: number, frozen: number, kbps: number } | null} video  `frozen`: share of the time.
 * @property {number} inKbps
 * @property {number} outKbps
 * @property {number | null} availableOutKbps  What the browser believes it may send.
 * @property {number} seconds  Length of the interval.
 */

/** Counters of one look; `lookAt` makes them.
 * @typedef {Record<string, number | null>} Look */

/**
 * @param {Iterable<any>} stats  The values of an RTCStatsReport.
 * @param {number} at  Seconds.
 * @returns {Look}
 */
export function lookAt(stats, at) {
  throw new Error(`not built yet: ${stats} ${at}`);
}

/**
 * @param {Look} before
 * @param {Look} after
 * @param {{ audio: boolean, video: boolean }} expected  What the other side says is on: what is muted is not judged.
 * @returns {Quality}
 */
export function qualityBetween(before, after, expected) {
  throw new Error(`not built yet: ${before} ${after} ${expected}`);
}
