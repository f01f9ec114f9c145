import assert from "node:assert/strict";
import { test } from "node:test";

import { Session } from "../../src/ringlight/web/rooms/client/session.js";

const welcome = (more = {}) => ({
  t: "welcome", v: 2, session: "p_1", resume: "secret", resumed: false, room: "visit-7", state: "active", rid: 0,
  you: { id: "p_1", role: "patient", may: [] }, ping_s: 15, limits: { bytes: 65536, per_s: 40, burst: 120 }, ice: [],
  ice_ttl_s: null, ...more,
});

/** A session with its own clock; `wrote` are the messages that left, `done` all actions by name. */
class Play {
  now = 0;
  wrote = [];
  settled = new Map();
  told = [];
  done = [];

  constructor(options = {}) {
    this.session = new Session({ room: "visit-7", role: "patient", name: "B", random: () => 0.5, ...options });
  }

  feed(event) {
    const actions = this.session.receive(event, this.now);
    for (const action of actions) {
      this.done.push(action.do);
      if (action.do === "write") this.wrote.push(action.message);
      if (action.do === "settle") this.settled.set(action.ticket, action.refusal);
      if (action.do === "told") this.told.push(action.message);
    }
    return this;
  }

  hear(message) { return this.feed({ is: "heard", message }); }

  live(more) { return this.feed({ is: "start" }).feed({ is: "opened" }).hear(welcome(more)); }

  send(ticket, message = { t: "chat", text: `${ticket}` }) { return this.feed({ is: "send", ticket, message }); }

  /** Let time pass, with every tick that falls due. */
  pass(ms) {
    const end = this.now + ms;
    for (let round = 0; round < 10_000; round += 1) {
      const due = this.session.deadline;
      if (due === null || due > end) break;
      this.now = Math.max(this.now, due);
      this.feed({ is: "tick" });
    }
    this.now = end;
    return this;
  }

  take(name) { return this.wrote.splice(0).filter((message) => !name || message.t === name); }
}

test("the first message is hello, and what was sent before waits for the welcome", () => {
  const play = new Play().feed({ is: "start" }).send(1);
  assert.deepEqual(play.done, ["open", "changed"]);
  play.feed({ is: "opened" });
  assert.deepEqual(play.take(), [{ t: "hello", v: 2, client: "ringlight-rooms", role: "patient", name: "B", room: "visit-7" }]);
  play.hear(welcome());
  assert.deepEqual(play.take().map(({ t, rid }) => [t, rid]), [["ping", undefined], ["chat", 1]]);
  assert.equal(play.session.phase, "live");
});

test("with a token nothing else is said about who it is", () => {
  const play = new Play({ token: "jwt", room: undefined }).feed({ is: "start" }).feed({ is: "opened" });
  assert.deepEqual(play.take(), [{ t: "hello", v: 2, client: "ringlight-rooms", token: "jwt" }]);
});

test("each message is settled by its number, with what the server says", () => {
  const play = new Play().live().send(1).send(2);
  play.hear({ t: "ok", rid: 1 }).hear({ t: "error", rid: 2, code: "ROOM-FORBIDDEN" });
  assert.equal(play.settled.get(1), null);
  assert.equal(play.settled.get(2).code, "ROOM-FORBIDDEN");
});

test("after a break it goes on after the last event, and sends again what was not taken, under the old numbers", () => {
  const play = new Play().live().send(1).send(2).send(3).hear({ t: "joined", seq: 4 });
  play.take();
  play.feed({ is: "closed", code: 1006 }).pass(600).feed({ is: "opened" });
  const [hello] = play.take();
  assert.deepEqual([hello.session, hello.resume, hello.seq], ["p_1", "secret", 4]);
  play.hear(welcome({ resumed: true, rid: 1, resume: "next" }));
  assert.equal(play.settled.get(1), null, "it was taken: only the answer was lost");
  assert.deepEqual(play.take("chat").map(({ rid, text }) => [rid, text]), [[2, "2"], [3, "3"]]);
  play.hear({ t: "joined", seq: 4 }).hear({ t: "left", seq: 5 });
  assert.deepEqual(play.told.filter(({ seq }) => seq).map(({ seq }) => seq), [4, 5], "none is told twice");
});

test("what has arrived is told with what is sent next, once, and in the numbers of this connection", () => {
  const play = new Play().live().hear({ t: "joined", seq: 1 }).hear({ t: "joined", seq: 2 }).send(1).send(2);
  play.hear({ t: "left", seq: 3 }).hear({ t: "pong", at: 1 }).pass(15_000);
  assert.deepEqual(play.take().map(({ t, seen }) => [t, seen]), [
    ["hello", undefined], ["ping", undefined], ["chat", 2], ["chat", undefined], ["ping", 3],
  ]);
  play.hear({ t: "ok", rid: 1 }).hear({ t: "joined", seq: 4 }).feed({ is: "closed", code: 1006 }).pass(600);
  play.feed({ is: "opened" }).hear(welcome({ resumed: true, rid: 1 }));
  assert.deepEqual(play.take().map(({ t, seq, seen }) => [t, seq, seen]), [
    ["hello", 4, undefined], ["ping", undefined, undefined], ["chat", undefined, undefined],
  ], "hello has told it already");
  play.feed({ is: "closed", code: 1006 }).pass(600).feed({ is: "opened" }).hear(welcome()).send(3);
  play.hear({ t: "roster", seq: 1, people: [] }).send(4);
  assert.deepEqual(play.take("chat").map(({ seen }) => seen), [undefined, undefined, 1], "numbers begin anew");
});

test("after a fresh start signals for people of before go nowhere, and words are sent again", () => {
  const play = new Play().live().send(1, { t: "signal", to: "p_9", candidate: null }).send(2).hear({ t: "joined", seq: 9 });
  play.feed({ is: "closed", code: 1006 }).pass(600).feed({ is: "opened" }).hear(welcome({ session: "p_5" }));
  assert.equal(play.settled.get(1).code, "ROOM-PERSON");
  assert.deepEqual(play.take("chat").map(({ rid }) => rid).at(-1), 2);
  play.hear({ t: "roster", seq: 1, people: [] });
  assert.equal(play.told.at(-1).t, "roster", "the numbers of events begin anew");
});

test("a reloaded page takes its own place and asks to be told everything", () => {
  const memento = { session: "p_1", resume: "secret", token: null, room: "visit-7" };
  const play = new Play({ memento }).feed({ is: "start" }).send(1).feed({ is: "opened" });
  const [hello] = play.take();
  assert.equal(hello.session, "p_1");
  assert.ok(hello.seq > 1e9);
  play.hear(welcome({ rid: 17 }));
  assert.deepEqual(play.take("chat").map(({ rid }) => rid), [18], "numbers go on after those of the page before");
});

test("waits grow with each failure, are drawn at random, and stay within the grace of the server", () => {
  const play = new Play({ random: () => 1 }).feed({ is: "start" });
  const waits = [];
  for (let round = 0; round < 7; round += 1) {
    play.feed({ is: "closed", code: 1006 });
    waits.push(play.session.retryAt - play.now);
    play.pass(waits.at(-1));
  }
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 8000, 8000]);
  assert.equal(play.session.phase, "connecting");
});

test("as soon as the browser is online again it is tried", () => {
  const play = new Play({ random: () => 1 }).live().feed({ is: "closed", code: 1006 });
  assert.equal(play.session.phase, "pausing");
  play.feed({ is: "wake" });
  assert.equal(play.session.phase, "connecting");
});

test("a socket that only seems to live is left: soon after the network changed, else after a ping", () => {
  const woken = new Play().live().hear({ t: "pong", at: 1 }).feed({ is: "wake" }).pass(2_999);
  assert.equal(woken.session.phase, "live");
  woken.pass(2);
  assert.equal(woken.session.phase, "pausing");
  const silent = new Play().live().hear({ t: "pong", at: 1 }).pass(24_999);
  assert.equal(silent.session.phase, "live");
  assert.equal(silent.take("ping").length, 2);
  silent.pass(1);
  assert.equal(silent.session.phase, "pausing");
  assert.ok(silent.done.includes("drop"));
});

test("the round trip is measured", () => {
  const play = new Play().live();
  play.now = 42;
  play.hear({ t: "pong", at: 1 });
  assert.equal(play.session.rttMs, 42);
});

test("a server that does not welcome within ten seconds is tried again", () => {
  const play = new Play().feed({ is: "start" }).feed({ is: "opened" }).pass(10_000);
  assert.equal(play.session.phase, "pausing");
  assert.deepEqual(play.session.ending, { opened: true, readyState: 1, closeCode: null, closeReason: "", refusal: null, thrown: undefined });
});

const ENDS = [
  ["somebody ended the visit", { t: "bye", reason: "ended", action: "leave" }, 4410, "over"],
  ["the server restarts", { t: "bye", reason: "restart", action: "rejoin", delay_s: 3 }, 1001, 3_000],
  ["another node takes over", { t: "bye", reason: "moved", action: "resume", delay_s: 0 }, 1001, 0],
  ["a token is wrong", { t: "error", code: "ROOM-TOKEN", retry: "after-fix" }, 4401, "over"],
  ["the room opens in a minute", { t: "error", code: "ROOM-EARLY", retry: "backoff", retry_after_s: 60 }, 4403, 60_000],
  ["the server is busy", { t: "error", code: "ROOM-BUSY", retry: "backoff" }, 4503, 250],
  ["hello came too late", { t: "error", code: "ROOM-HELLO", retry: "after-fix" }, 4408, 250],
];
for (const [situation, message, code, expected] of ENDS) {
  test(`${situation}: ${expected === "over" ? "that is the end" : `again in ${expected} ms`}`, () => {
    const play = new Play().live().hear(message).feed({ is: "closed", code, reason: "" });
    if (expected === "over") assert.equal(play.session.phase, "over");
    else assert.equal(play.session.retryAt - play.now, expected);
  });
}

test("an expired token is fetched anew, once", () => {
  const play = new Play({ token: "old", renews: true }).live();
  play.hear({ t: "error", code: "ROOM-TOKEN-EXPIRED", retry: "now" }).feed({ is: "closed", code: 4401 });
  assert.ok(play.done.includes("fetch-token"));
  play.feed({ is: "token", token: "new" }).feed({ is: "opened" });
  assert.equal(play.take("hello").at(-1).token, "new");
  play.hear({ t: "error", code: "ROOM-TOKEN-EXPIRED", retry: "now" }).feed({ is: "closed", code: 4401 });
  assert.equal(play.session.phase, "over");
});

test("a token that the server renewed is the one of the next hello", () => {
  const play = new Play({ token: "old" }).live().hear({ t: "token", token: "new", expires_s: 600 });
  play.feed({ is: "closed", code: 1006 }).pass(600).feed({ is: "opened" });
  assert.equal(play.take("hello").at(-1).token, "new");
});

test("no more is sent than the server takes, and in the order of asking", () => {
  const play = new Play().live();
  for (let ticket = 1; ticket <= 300; ticket += 1) play.send(ticket);
  assert.ok(play.take("chat").length <= 96);
  let sent = 96;
  for (let second = 0; second < 20; second += 1) {
    play.hear({ t: "pong", at: 1 });
    const batch = play.pass(1_000).take("chat");
    assert.ok(batch.length <= 33, `${batch.length} in a second`);
    sent += batch.length;
  }
  assert.ok(sent >= 299);
});

test("a message that the server would not take is refused here", () => {
  const play = new Play().live().send(1, { t: "chat", text: "x".repeat(70_000) });
  assert.equal(play.settled.get(1).code, "ROOM-SIZE");
  assert.equal(play.take("chat").length, 0);
});

test("leaving says bye, settles what is open, and ends it for good", () => {
  const play = new Play().live().send(1).feed({ is: "stop" });
  assert.equal(play.take().at(-1).t, "bye");
  assert.equal(play.settled.get(1).code, "REACH-CLOSED");
  play.feed({ is: "wake" }).feed({ is: "closed", code: 1006 }).send(2);
  assert.equal(play.session.phase, "over");
  assert.equal(play.session.memento, null);
  assert.equal(play.settled.get(2).code, "REACH-CLOSED");
  assert.equal(play.session.deadline, null);
});

test("with sockets that break at any moment each message counts once, and in order", () => {
  let seed = 11;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  for (let round = 0; round < 200; round += 1) {
    const play = new Play({ random });
    const server = { taken: 0, counted: [], sequence: 0, seqOf: [] };
    play.feed({ is: "start" });
    let ticket = 0;
    let isOpen = false;
    const settledTickets = () => play.settled.size;
    for (let step = 0; step < 120 || settledTickets() < ticket; step += 1) {
      assert.ok(step < 5_000, "it comes to an end");
      const dice = random();
      const isCalm = step >= 120;
      if (play.session.phase === "pausing") play.pass(8_000);
      if (play.session.phase === "connecting") {
        play.feed({ is: "opened" });
        isOpen = true;
        play.wrote.length = 0;
        play.hear(welcome({ resumed: server.taken > 0 || server.greeted, rid: server.taken }));
        server.greeted = true;
      }
      if (dice < 0.4 && !isCalm) play.send((ticket += 1));
      // The server takes what has arrived, in order, and its answers may be lost.
      const arrived = play.wrote.splice(0);
      const cut = !isCalm && random() < 0.2 ? Math.floor(random() * (arrived.length + 1)) : arrived.length;
      for (const message of arrived.slice(0, cut)) {
        if (message.t === "ping") play.hear({ t: "pong", at: 1 });
        if (!message.rid) continue;
        if (message.rid > server.taken) {
          server.taken = message.rid;
          server.counted.push(message.text);
        }
        if (isCalm || random() < 0.7) play.hear({ t: "ok", rid: message.rid });
        else { play.feed({ is: "closed", code: 1006 }); isOpen = false; break; }
      }
      if (isOpen && cut < arrived.length) play.feed({ is: "closed", code: 1006 });
      if (isOpen && isCalm && settledTickets() < ticket) play.feed({ is: "closed", code: 1006 });
    }
    assert.deepEqual(server.counted, Array.from({ length: ticket }, (_, index) => `${index + 1}`));
    assert.ok([...play.settled.values()].every((refusal) => refusal === null));
  }
});
