import assert from "node:assert/strict";
import { test } from "node:test";

import { Heard, lineOf } from "../../src/ringlight/web/rooms/client/direct-line.js";
import { People } from "../../src/ringlight/web/rooms/client/people.js";
import { slotOf, takeSlots } from "../../src/ringlight/web/rooms/client/slots.js";

const doctor = (id, more = {}) => ({ id, role: "clinician", name: "Dr A", polite: true, ...more });
const roster = (...people) => ({ t: "roster", seq: 1, people });
const whats = (changes) => changes.map(({ what, one }) => `${what} ${one.id}`);

test("people come, tell what is on, break off, come back, and go", () => {
  const people = new People();
  assert.deepEqual(whats(people.hear(roster(), 0)), []);
  assert.deepEqual(whats(people.hear({ t: "joined", person: doctor("p_1") }, 1)), ["met p_1"]);
  const [one] = people.list;
  assert.deepEqual(one.media, { audio: true, video: true, screen: false });
  people.hear({ t: "state", id: "p_1", media: { video: false } }, 2);
  assert.equal(one.media.video, false);
  assert.deepEqual(whats(people.hear({ t: "left", id: "p_1", reason: "network", grace_s: 30 }, 3)), ["away p_1"]);
  assert.ok(one.away);
  assert.equal(one.awayCode, "");
  assert.deepEqual(whats(people.hear({ t: "back", id: "p_1" }, 4)), ["back p_1"]);
  assert.ok(!one.away);
  people.hear({ t: "left", id: "p_1", reason: "silent", code: "ROOM-SILENT", grace_s: 30 }, 4);
  assert.equal(one.awayCode, "ROOM-SILENT");
  people.hear({ t: "joined", person: doctor("p_1"), again: true }, 4);
  assert.equal(one.awayCode, "");
  assert.deepEqual(whats(people.hear({ t: "left", id: "p_1", reason: "left" }, 5)), ["gone p_1"]);
  assert.deepEqual(people.list, []);
});

test("somebody whose page is new is the same person, to be negotiated with anew", () => {
  const people = new People();
  people.hear(roster(doctor("p_1")), 0);
  const [one] = people.list;
  assert.deepEqual(whats(people.hear({ t: "joined", person: doctor("p_1"), again: true }, 1)), ["renewed p_1"]);
  assert.equal(people.list[0], one);
});

test("after a restart of the server everybody has another id, and is known by name and role", () => {
  const people = new People();
  people.hear(roster(doctor("p_1"), { id: "p_2", role: "companion", name: "C" }), 0);
  const [one, two] = people.list;
  assert.deepEqual(whats(people.hear(roster(), 10)), ["away p_1", "away p_2"]);
  assert.deepEqual(whats(people.hear({ t: "joined", person: doctor("p_9") }, 12)), ["renewed p_9"]);
  assert.equal(people.list.find(({ id }) => id === "p_9"), one);
  assert.equal(one.key, "person-1");
  assert.deepEqual(whats(people.tick(29)), []);
  assert.deepEqual(whats(people.tick(30)), ["gone p_2"]);
  assert.ok(!people.list.includes(two));
});

test("of two people who look the same nobody is taken for the other", () => {
  const people = new People();
  people.hear(roster(doctor("p_1", { name: "" }), doctor("p_2", { name: "" })), 0);
  people.hear(roster(), 1);
  assert.deepEqual(whats(people.hear({ t: "joined", person: doctor("p_9", { name: "" }) }, 2)), ["met p_9"]);
});

test("consent is given and withdrawn by kinds", () => {
  const people = new People();
  people.hear(roster(doctor("p_1", { consents: ["video"] })), 0);
  people.hear({ t: "consent", id: "p_1", what: ["captions"], given: true }, 1);
  people.hear({ t: "consent", id: "p_1", what: ["video"], given: false }, 2);
  assert.deepEqual(people.list[0].consents, ["captions"]);
});

test("what concerns nobody here changes nothing", () => {
  const people = new People();
  for (const t of ["left", "back", "state", "ring", "other", "consent"]) assert.deepEqual(people.hear({ t, id: "p_9", what: [], media: {} }, 0), []);
});

test("sections have their places by kind and order", () => {
  const section = (kind) => ({ receiver: { track: { kind } } });
  const all = [section("video"), section("audio"), section("video"), section("audio"), section("video")];
  assert.deepEqual(all.map((one) => slotOf(all, one)), ["video", "audio", "screen", null, null]);
  assert.deepEqual(takeSlots(all.slice(0, 2)), { video: all[0], audio: all[1] });
});

test("of what comes over the direct line only what is understood is read", () => {
  assert.deepEqual(lineOf('{"t":"chat","id":"a","text":"hello","more":1}'), { t: "chat", id: "a", text: "hello" });
  for (const bad of ["", "null", "[]", "{", '{"t":"chat","id":7,"text":"x"}', '{"t":"chat","id":"a"}', '{"t":"video","on":1}', '{"t":"x","id":"a"}']) {
    assert.equal(lineOf(bad), null, bad);
  }
});

test("words that come both ways are heard once", () => {
  const heard = new Heard();
  assert.deepEqual(["a", "b", "a"].map((id) => heard.isNew(id)), [true, true, false]);
});
