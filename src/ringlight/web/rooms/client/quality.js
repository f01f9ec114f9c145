// How a call is, in a word: from two looks at getStats to loss, delay, MOS. Pure.
//
// Only what happened in between counts: totals since the beginning tell of trouble that is long over. What is muted is
// not judged.

/** @typedef {"good" | "fair" | "poor" | "lost"} Word */

/**
 * What happened between two looks. Null where it cannot be known: nothing came, or it was muted.
 *
 * @typedef {object} Quality
 * @property {Word} words  The worse one of sound and picture; `lost`: what should come does not.
 * @property {number | null} mos  Of the sound, 1 to 4.5 (E-model, ITU-T G.107).
 * @property {number | null} loss  Of the sound's packets, 0 to 1.
 * @property {number | null} rttMs
 * @property {number | null} jitterMs
 * @property {{ fps: number, loss: number, frozen: number, kbps: number } | null} video  `frozen`: share of the time.
 * @property {number} inKbps
 * @property {number} outKbps
 * @property {number | null} lossOut  Of our own packets, 0 to 1, as the other side says.
 * @property {number | null} availableOutKbps  What the browser believes it may send.
 * @property {number} seconds  Length of the interval.
 */

/** Counters of one look. @typedef {ReturnType<typeof lookAt>} Look */

/**
 * @param {Iterable<any>} stats  The values of an RTCStatsReport.
 * @param {number} at  Seconds.
 */
export function lookAt(stats, at) {
  const all = [...stats];
  const inbound = all.filter(({ type }) => type === "inbound-rtp");
  const audio = inbound.find(({ kind }) => kind === "audio");
  // The camera's section comes before the screen's.
  const [video] = inbound.filter(({ kind }) => kind === "video").sort((one, other) => Number(one.mid) - Number(other.mid));
  const remote = all.filter(({ type }) => type === "remote-inbound-rtp");
  const transport = all.find(({ type }) => type === "transport");
  const pair = all.find(({ id }) => id === transport?.selectedCandidatePairId);
  return {
    at,
    audio: audio ? {
      received: number(audio.packetsReceived), lost: number(audio.packetsLost), jitter: number(audio.jitter),
      buffered: number(audio.jitterBufferDelay), emitted: number(audio.jitterBufferEmittedCount),
    } : null,
    video: video ? {
      received: number(video.packetsReceived), lost: number(video.packetsLost), frames: number(video.framesDecoded),
      frozen: number(video.totalFreezesDuration), bytes: number(video.bytesReceived),
    } : null,
    lossOut: remote.length ? Math.max(...remote.map(({ fractionLost }) => number(fractionLost))) : null,
    rtt: pair?.currentRoundTripTime ?? remote.find(({ roundTripTime }) => roundTripTime)?.roundTripTime ?? null,
    available: pair?.availableOutgoingBitrate ?? null,
    bytesIn: number(pair?.bytesReceived), bytesOut: number(pair?.bytesSent),
  };
}

/**
 * @param {Look} before
 * @param {Look} after
 * @param {{ audio: boolean, video: boolean }} expected  What the other side had on all the time.
 * @returns {Quality | null}  Null where the two looks are of different connections, or at one moment.
 */
export function qualityBetween(before, after, expected) {
  const seconds = after.at - before.at;
  if (seconds <= 0 || after.bytesIn < before.bytesIn) return null;
  const sound = expected.audio ? soundBetween(before, after) : null;
  const video = expected.video ? videoBetween(before, after, seconds) : null;
  const words = worst([sound?.words ?? "good", video?.words ?? "good"]);
  return {
    words, seconds,
    mos: sound?.mos ?? null, loss: sound?.loss ?? null, jitterMs: sound?.jitterMs ?? null,
    rttMs: after.rtt === null ? null : after.rtt * 1000,
    video: video && { fps: video.fps, loss: video.loss, frozen: video.frozen, kbps: video.kbps },
    inKbps: kbps(after.bytesIn - before.bytesIn, seconds),
    outKbps: kbps(Math.max(0, after.bytesOut - before.bytesOut), seconds),
    lossOut: after.lossOut,
    availableOutKbps: after.available === null ? null : after.available / 1000,
  };
}

/**
 * @param {Look} before
 * @param {Look} after
 */
function soundBetween(before, after) {
  const one = before.audio ?? { received: 0, lost: 0, buffered: 0, emitted: 0 };
  const other = after.audio;
  const share = other && lossBetween(one, other);
  if (!other || share === null) return { words: /** @type {Word} */ ("lost"), mos: 1, loss: null, jitterMs: null };
  const emitted = other.emitted - one.emitted;
  const bufferMs = emitted > 0 ? ((other.buffered - one.buffered) / emitted) * 1000 : 0;
  const mos = mosOf(share, ((after.rtt ?? 0) * 1000) / 2 + bufferMs + PACKET_MS);
  // G.107 Annex B: from 4.03 people are satisfied, below 3.1 many are not.
  const words = /** @type {Word} */ (mos >= 4 ? "good" : mos >= 3.1 ? "fair" : "poor");
  return { words, mos, loss: share, jitterMs: other.jitter * 1000 };
}

const PACKET_MS = 20;   // of Opus, as browsers send it

/**
 * Mean opinion score by the E-model (ITU-T G.107), simplified as usual: the default R of 93.2 less the impairments by
 * delay and by loss. Opus is taken for a codec that conceals as well as G.711's appendix I (Ie 0, Bpl 25.1 in G.113): no
 * figure of its own is published there.
 *
 * @param {number} loss  0 to 1.
 * @param {number} delayMs  One way, mouth to ear.
 */
export function mosOf(loss, delayMs) {
  const byDelay = 0.024 * delayMs + 0.11 * Math.max(0, delayMs - 177.3);
  const percent = loss * 100;
  const byLoss = (95 * percent) / (percent + 25.1);
  const r = Math.min(100, Math.max(0, 93.2 - byDelay - byLoss));
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}

/**
 * @param {Look} before
 * @param {Look} after
 * @param {number} seconds
 */
function videoBetween(before, after, seconds) {
  const one = before.video ?? { received: 0, lost: 0, frames: 0, frozen: 0, bytes: 0 };
  const other = after.video ?? one;
  const share = lossBetween(one, other);
  const fps = (other.frames - one.frames) / seconds;
  const frozen = Math.min(1, Math.max(0, other.frozen - one.frozen) / seconds);
  /** @type {Word} */
  let words = "good";
  if (share === null) words = "lost";
  else if (fps < 5 || frozen > 0.3) words = "poor";
  else if (fps < 12 || frozen > 0.05 || share > 0.05) words = "fair";
  return { words, fps, loss: share ?? 0, frozen, kbps: kbps(other.bytes - one.bytes, seconds) };
}

/**
 * Null when nothing was sent. `packetsLost` goes down when a packet that was given up comes after all.
 *
 * @param {{ received: number, lost: number }} before
 * @param {{ received: number, lost: number }} after
 */
function lossBetween(before, after) {
  const received = after.received - before.received;
  const lost = Math.max(0, after.lost - before.lost);
  return received <= 0 ? null : lost / (received + lost);
}

/** @param {Word[]} words @returns {Word} */
export function worst(words) {
  const order = /** @type {Word[]} */ (["lost", "poor", "fair", "good"]);
  return order.find((word) => words.includes(word)) ?? "good";
}

/**
 * @param {number} bytes
 * @param {number} seconds
 */
function kbps(bytes, seconds) {
  return (bytes * 8) / 1000 / seconds;
}

/** @param {unknown} value */
function number(value) {
  return typeof value === "number" ? value : 0;
}
