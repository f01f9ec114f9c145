import assert from "node:assert/strict";
import { test } from "node:test";

import { safetyNumber } from "../../src/ringlight/web/rooms/client/safety-number.js";

const sdp = (fingerprint, rest = "") => `v=0\r\na=ice-ufrag:x\r\na=fingerprint:sha-256 ${fingerprint}\r\n${rest}`;

test("both sides see the same number, in groups of four digits", async () => {
  const one = await safetyNumber(sdp("AB:CD"), sdp("12:34"));
  assert.equal(one, await safetyNumber(sdp("12:34"), sdp("AB:CD")));
  assert.match(one, /^\d{4}( \d{4}){4}$/);
});

test("it is the same whatever else the descriptions say, and in whatever case", async () => {
  const one = await safetyNumber(sdp("AB:CD"), sdp("12:34"));
  const again = await safetyNumber(sdp("ab:cd", "a=fingerprint:SHA-256 AB:CD\r\na=candidate:1"), sdp("12:34"));
  assert.equal(one, again);
});

test("whoever sits in between has another fingerprint, and each side sees another number", async () => {
  const seen = new Set();
  for (const [mine, theirs] of [["AB:CD", "12:34"], ["AB:CD", "99:99"], ["99:99", "12:34"]]) seen.add(await safetyNumber(sdp(mine), sdp(theirs)));
  assert.equal(seen.size, 3);
});

test("without fingerprints there is no number", async () => {
  assert.equal(await safetyNumber("v=0\r\n", sdp("12:34")), null);
});

test("a line that only looks like one does not count", async () => {
  assert.equal(await safetyNumber("v=0\r\ns=a=fingerprint:sha-256 AB:CD\r\n", sdp("12:34")), null);
});
