import assert from "node:assert/strict";
import { test } from "node:test";

import { lookAt, mosOf, qualityBetween } from "../../src/ringlight/web/rooms/client/quality.js";
import { ThinLine } from "../../src/ringlight/web/rooms/client/thin-line.js";

/** What getStats would say; only what is named differs from a call that is well. */
function look(at, { received = at * 50, lost = 0, frames = at * 25, frozen = 0, rtt = 0.04, videoReceived = at * 90, bytes = at * 125_000, ...more } = {}) {
  return lookAt([
    { type: "inbound-rtp", kind: "audio", packetsReceived: received, packetsLost: lost, jitter: 0.004,
      jitterBufferDelay: at * 48_000 * 0.05, jitterBufferEmittedCount: at * 48_000 },
    { type: "inbound-rtp", kind: "video", mid: "2", framesDecoded: 0, packetsReceived: 0, packetsLost: 0 },
    { type: "inbound-rtp", kind: "video", mid: "1", framesDecoded: frames, packetsReceived: videoReceived, packetsLost: 0,
      totalFreezesDuration: frozen, bytesReceived: bytes },
    { type: "transport", selectedCandidatePairId: "P" },
    { type: "candidate-pair", id: "P", currentRoundTripTime: rtt, availableOutgoingBitrate: 2e6, bytesReceived: bytes, bytesSent: bytes, ...more },
  ], at);
}
const BOTH = { audio: true, video: true };

test("a call that is well is good", () => {
  const quality = qualityBetween(look(10), look(12), BOTH);
  assert.equal(quality.words, "good");
  assert.ok(quality.mos > 4.3);
  assert.equal(quality.loss, 0);
  assert.equal(quality.rttMs, 40);
  assert.equal(quality.video.fps, 25);
  assert.equal(Math.round(quality.inKbps), 1000);
  assert.equal(quality.availableOutKbps, 2000);
});

test("only what was lost in between counts, as a share", () => {
  const quality = qualityBetween(look(100, { lost: 2_000 }), look(102, { received: 5_090, lost: 2_010 }), BOTH);
  assert.equal(quality.loss, 0.1);
  assert.equal(quality.words, "fair");
  assert.equal(qualityBetween(look(100, { lost: 2_000 }), look(102, { lost: 1_999 }), BOTH).loss, 0, "a late packet");
});

test("words follow the opinion score", () => {
  assert.ok(Math.abs(mosOf(0, 0) - 4.41) < 0.01, "the E-model's best");
  assert.ok(mosOf(0.01, 100) > 4);
  assert.ok(mosOf(0.05, 150) < 4 && mosOf(0.05, 150) > 3.1);
  assert.ok(mosOf(0.2, 300) < 3.1);
  assert.equal(mosOf(1, 2_000), 1);
  for (let loss = 0; loss < 1; loss += 0.05) assert.ok(mosOf(loss, 50) >= mosOf(loss + 0.05, 50), "more loss is never better");
  assert.equal(qualityBetween(look(10), look(12, { lost: 30, received: 570 }), BOTH).words, "poor");
});

test("what is muted is not judged; what should come and does not is lost", () => {
  const silent = [look(10), look(12, { received: 500, videoReceived: 900, frames: 250 })];
  assert.equal(qualityBetween(...silent, { audio: false, video: false }).words, "good");
  assert.equal(qualityBetween(...silent, { audio: false, video: false }).mos, null);
  assert.equal(qualityBetween(...silent, { audio: true, video: false }).words, "lost");
  assert.equal(qualityBetween(...silent, { audio: false, video: true }).words, "lost");
});

test("a picture that stands still, or stutters, is told apart", () => {
  assert.equal(qualityBetween(look(10), look(12, { frozen: 1 }), BOTH).words, "poor");
  assert.equal(qualityBetween(look(10), look(12, { frozen: 0.2 }), BOTH).words, "fair");
  assert.equal(qualityBetween(look(10), look(12, { frames: 250 + 16 }), BOTH).words, "fair");
  assert.equal(qualityBetween(look(10), look(12, { frames: 250 + 4 }), BOTH).words, "poor");
});

test("two connections are not compared, and before anything came nothing is invented", () => {
  assert.equal(qualityBetween(look(10), look(12, { bytes: 5 }), BOTH), null);
  assert.equal(qualityBetween(look(10), look(10), BOTH), null);
  const empty = [lookAt([], 1), lookAt([], 3)];
  assert.equal(qualityBetween(...empty, BOTH).words, "lost");
  assert.equal(qualityBetween(...empty, BOTH).rttMs, null);
});

const wide = { availableOutKbps: 800, lossOut: 0 };
const thin = { availableOutKbps: 90, lossOut: 0.02 };

/** Judge every two seconds; returns when the picture went and came. */
function turns(line, looks) {
  const found = [];
  let before = line.isThin;
  looks.forEach((look, index) => {
    if (line.judge(look, 100 + index * 2) !== before) found.push([(before = line.isThin) ? "out" : "in", index * 2]);
  });
  return found;
}

test("a hiccup leaves the picture, a thin line takes it out", () => {
  assert.deepEqual(turns(new ThinLine(), [wide, thin, thin, wide, thin, wide]), []);
  assert.deepEqual(turns(new ThinLine(), [wide, thin, thin, thin]), [["out", 6]]);
  assert.deepEqual(turns(new ThinLine(), Array(3).fill({ availableOutKbps: null, lossOut: 0.3 })), [["out", 4]]);
});

test("it is tried again, later each time that it was too early", () => {
  const found = turns(new ThinLine(), Array(60).fill(thin));
  assert.deepEqual(found.slice(0, 5), [["out", 4], ["in", 14], ["out", 24], ["in", 44], ["out", 54]]);
});

test("when the line is wide again the picture stays", () => {
  const found = turns(new ThinLine(), [...Array(3).fill(thin), ...Array(100).fill(wide)]);
  assert.deepEqual(found, [["out", 4], ["in", 14]]);
});

test("while the sound itself loses packets the picture is not tried", () => {
  const lossy = { availableOutKbps: 90, lossOut: 0.1 };
  assert.deepEqual(turns(new ThinLine(), [...Array(3).fill(thin), ...Array(50).fill(lossy)]), [["out", 4]]);
});
