import assert from "node:assert/strict";
import { test } from "node:test";

import { FAULTS } from "../../src/ringlight/web/rooms/client/faults.js";
import { judgeUrl, signalingFault } from "../../src/ringlight/web/rooms/client/signaling-error.js";

const PAGE = "https://clinic.example/rooms/7";
const HERE = { url: "wss://clinic.example/ws/v2", page: PAGE, online: true, at: 1, readyState: 3, closeCode: 1006 };
const THERE = { ...HERE, url: "wss://backend.example:8443/ws/v2" };
const at = (outcome, more = {}) => ({ ...HERE, probe: { outcome }, ...more });

// Each situation of the old guide, and those that it did not know, is told apart from the others.
const SITUATIONS = [
  ["the server is not running", "SERVER-GONE", at("refused")],
  ["it stopped while we were connected", "SERVER-GONE", at("refused", { opened: true })],
  ["the address is undefined", "REACH-URL", { ...HERE, url: "ws://undefined/ws/signaling/7/doctor" }],
  ["a variable without value was put first", "REACH-URL", { ...HERE, url: "undefined/ws/signaling/7/doctor" }],
  ["the address is empty", "REACH-URL", { ...HERE, url: "" }],
  ["the address has no scheme", "REACH-URL", { ...HERE, url: "localhost:8000/ws/v2" }],
  ["the address cannot be read", "REACH-URL", { ...HERE, url: "ws://[not a host/ws/v2" }],
  ["the browser would not take it", "REACH-URL", { ...HERE, readyState: null, closeCode: null, thrown: "SyntaxError" }],
  ["the path is wrong", "ROOM-PATH", at("ok", { url: "wss://clinic.example/socket" })],
  ["the id is empty", "ROOM-ID", { ...HERE, url: "wss://clinic.example/ws/signaling//doctor" }],
  ["the id is undefined", "ROOM-ID", { ...HERE, url: "wss://clinic.example/ws/signaling/undefined/doctor" }],
  ["the id is a template", "ROOM-ID", { ...HERE, url: "wss://clinic.example/ws/signaling/{consultationId}/doctor" }],
  ["there is no id", "ROOM-ID", { ...HERE, url: "wss://clinic.example/ws/signaling/" }],
  ["pages of this origin may not enter, as the server says", "ROOM-ORIGIN",
    { ...THERE, opened: true, closeCode: 4403, closeReason: "ROOM-ORIGIN" }],
  ["pages of this origin may not even read", "REACH-CORS", { ...THERE, probe: { outcome: "opaque" } }],
  ["a secure page, an open socket", "REACH-MIXED", { ...THERE, url: "ws://backend.example:8000/ws/v2" }],
  ["nothing listens on another port", "REACH-PORT", { ...THERE, probe: { outcome: "refused" } }],
  ["another program has the port", "REACH-OTHER", at("other")],
  ["a proxy drops the upgrade", "REACH-PROXY", at("ok")],
  ["a firewall swallows everything", "REACH-FIREWALL", { ...THERE, probe: { outcome: "silent" } }],
  ["localhost, from another machine", "REACH-SELF",
    { ...HERE, url: "wss://localhost:8000/ws/v2", probe: { outcome: "refused" } }],
  ["the page's own policy", "REACH-POLICY", { ...THERE, probe: { outcome: "blocked" } }],
  ["the browser is offline", "REACH-OFFLINE", { ...HERE, online: false }],
  ["the connection broke", "REACH-DROPPED", { ...HERE, opened: true }],
  ["the socket is open, and nothing comes through it", "ROOM-SILENT",
    { ...HERE, opened: true, readyState: 1, closeCode: null, probe: { outcome: "silent" } }],
  ["the server says that it heard nothing", "ROOM-SILENT",
    { ...HERE, opened: true, closeCode: 4408, closeReason: "ROOM-SILENT" }],
  ["it was closed as agreed", "REACH-CLOSED", { ...HERE, opened: true, closeCode: 1000 }],
  ["the server restarts", "ROOM-BUSY", { ...HERE, opened: true, closeCode: 1001 }],
  ["a message was too large", "ROOM-SIZE", { ...HERE, opened: true, closeCode: 1009 }],
  ["a token is missing, and the frame that said so was lost", "ROOM-TOKEN-NEEDED", { ...HERE, opened: true, closeCode: 4401 }],
  ["the visit has ended", "ROOM-ENDED", { ...HERE, opened: true, closeCode: 4410 }],
  ["too much at once", "ROOM-RATE", { ...HERE, opened: true, closeCode: 4429 }],
  ["the server drains", "ROOM-BUSY", { ...HERE, opened: true, closeCode: 4503, closeReason: "ROOM-BUSY" }],
  ["the line is slow", "ROOM-SLOW", { ...HERE, opened: true, closeCode: 4503, closeReason: "ROOM-SLOW" }],
];

for (const [situation, code, seen] of SITUATIONS) {
  test(`${situation}: ${code}`, () => {
    const fault = signalingFault(seen);
    assert.equal(fault.code, code);
    assert.equal(fault.title, FAULTS[code].title);
    for (const name of ["cause", "fix", "detail", "closeMeaning", "retry", "help"]) assert.ok(fault[name], name);
    assert.ok(fault.tried.length > 0 && fault.tried.every(Boolean));
  });
}

test("what the server said in words counts more than what can be guessed", () => {
  const refusal = { t: "error", code: "ROOM-EARLY", retry: "backoff", message: "Not yet.", fix: "Wait.", detail: "60 s" };
  const fault = signalingFault({ ...HERE, opened: true, closeCode: 4403, closeReason: "ROOM-EARLY", refusal });
  assert.equal(fault.code, "ROOM-EARLY");
  assert.equal(fault.cause, "Not yet.");
  assert.match(fault.detail, /^60 s; a WebSocket was opened: it was open, then closed with 4403 \(ROOM-EARLY\)$/);
});

test("a code that is newer than this page still says something", () => {
  const fault = signalingFault({ ...HERE, refusal: { code: "ROOM-NEWER" } });
  assert.equal(fault.code, "ROOM-NEWER");
  assert.ok(fault.cause && fault.fix && fault.title);
});

test("a token never stays in the address", () => {
  const fault = signalingFault({ ...HERE, url: "wss://me:s3cret@clinic.example/ws/signaling/7/doctor?token=s3cret#s3cret" });
  assert.equal(fault.url, "wss://clinic.example/ws/signaling/7/doctor");
  assert.doesNotMatch(JSON.stringify(fault), /s3cret/);
});

test("a page on localhost may use an open socket to its own machine, even by https", () => {
  assert.equal(judgeUrl("ws://localhost:8000/ws/v2", "https://localhost:3000/"), null);
  assert.equal(judgeUrl("http://localhost:8000/ws/v2", "http://localhost:3000/"), null);
  assert.equal(judgeUrl("/ws/v2", "https://clinic.example/rooms/7"), null);
});

test("whatever is seen, the fault is whole", () => {
  const pick = (...all) => all[Math.floor(random() * all.length)];
  let seed = 7;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  const urls = [HERE.url, THERE.url, "", "x", "ws://undefined", "wss://h/ws/signaling//", "ws://%", "//@?", "wss://h/%zz"];
  for (let round = 0; round < 2_000; round += 1) {
    const seen = {
      url: pick(...urls), page: pick(PAGE, "http://localhost/", "about:blank", ""), online: pick(true, false), at: round,
      readyState: pick(undefined, null, 0, 1, 2, 3), opened: pick(undefined, true, false),
      closeCode: pick(undefined, null, 1000, 1005, 1006, 1015, 2999, 3000, 4401, 4999), closeReason: pick(undefined, "", "bye"),
      refusal: pick(undefined, null, 7, {}, { code: "ROOM-FULL" }), attempts: pick(undefined, 0, 1, 2, 3, 11),
      probe: pick(undefined, ...["ok", "other", "opaque", "refused", "silent", "blocked", "not-run"].map((outcome) => ({ outcome }))),
    };
    const fault = signalingFault(seen);
    const complete = fault.code && fault.title && fault.cause && fault.fix && fault.detail && fault.closeMeaning && fault.tried.length;
    assert.ok(complete && fault.at === round && fault.readyState !== undefined, JSON.stringify([seen, fault]));
  }
});
