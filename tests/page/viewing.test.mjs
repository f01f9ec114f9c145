import assert from "node:assert/strict";
import { test } from "node:test";

// A browser of which only that is there what a viewing asks for. Time is real: what is waited for takes a second.
const HERE = "http://h";
const RESOURCE = "/whep/front-door/v1";
const FAULT = { code: "VIEWER-LOST", title: "t", cause: "c", fix: "f", retry: "now" };
const turn = (ms = 0) => new Promise((resolve) => setTimeout(resolve, ms));

class FakeStream {
  #tracks = new Set();
  addTrack(track) { this.#tracks.add(track); }
  removeTrack(track) { this.#tracks.delete(track); }
  getTracks() { return [...this.#tracks]; }
  getAudioTracks() { return []; }
}

class FakePeer extends EventTarget {
  connectionState = "new";
  iceConnectionState = "new";
  iceGatheringState = "complete";
  signalingState = "stable";
  localDescription = { sdp: "v=0\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\n" };
  currentRemoteDescription = null;
  frames = 0;
  constructor() { super(); browser.peer = this; }
  addTransceiver() { return { currentDirection: "recvonly", sender: { replaceTrack: async () => {} } }; }
  createOffer() { return {}; }
  async setLocalDescription() {}
  async setRemoteDescription(said) { this.currentRemoteDescription = said; }
  async getStats() { return new Map([["v", { type: "inbound-rtp", kind: "video", framesDecoded: this.frames }]]); }
  close() { this.connectionState = this.iceConnectionState = "closed"; }
  become(ice, connection = ice) {
    [this.iceConnectionState, this.connectionState] = [ice, connection];
    this.dispatchEvent(new Event("iceconnectionstatechange"));
  }
}

class FakeEvents extends EventTarget {
  static CLOSED = 2;
  readyState = 1;
  constructor(url) { super(); this.url = url; browser.events = this; }
  close() { this.readyState = FakeEvents.CLOSED; }
  say(state, more = {}) {
    if (this.readyState === FakeEvents.CLOSED) return;
    const data = JSON.stringify({ state, viewers: 1, attempt: 1, steps: [], fault: null, notes: [], ...more });
    this.dispatchEvent(Object.assign(new Event("message"), { data }));
  }
}

const browser = { peer: null, events: null, answers: {} };
const made = (status, body = "", headers = {}) => new Response(body || null, { status, headers });

/** What is not listed in `answers` waits until it is aborted. */
function fakeFetch(url, { method = "GET", signal } = {}) {
  const { pathname } = new URL(url, HERE);
  const answer = browser.answers[`${method} ${pathname}`];
  if (answer) return Promise.resolve(answer()).then((found) => Object.defineProperty(found, "url", { value: new URL(url, HERE).href }));
  return new Promise((_, fail) => signal?.addEventListener("abort", () => fail(signal.reason)));
}

const known = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
known("window", globalThis);
known("self", globalThis);
known("location", { origin: HERE, href: `${HERE}/` });
known("document", { baseURI: `${HERE}/`, hidden: false });
known("navigator", { onLine: true });
known("MediaStream", FakeStream);
known("RTCPeerConnection", FakePeer);
known("EventSource", FakeEvents);
known("fetch", fakeFetch);
known("addEventListener", () => {});
known("removeEventListener", () => {});
const { Viewing } = await import("../../src/ringlight/web/page/viewing.js");

/** A view that plays, over a link that then is dead: the path is lost, and a PATCH waits for its answer. */
async function lost(t, { node = "" } = {}) {
  let refuse = () => {};
  const patched = new Promise((resolve) => { refuse = () => resolve(made(404, "{}")); });
  browser.answers = {
    "POST /whep/front-door": () => made(201, "v=0\r\n", { location: node + RESOURCE }),
    [`PATCH ${node}${RESOURCE}`]: () => patched,
    [`DELETE ${node}${RESOURCE}`]: () => made(200),
    "GET /api/faults/VIEWER-LOST": () => made(200, JSON.stringify(FAULT)),
  };
  const told = [];
  const say = (word) => () => told.push(word);
  const viewing = new Viewing("front-door", { srcObject: null }, {
    progress: () => {}, playing: say("playing"), fault: (fault) => told.push(fault.code), closed: say("closed"),
    broken: say("broken"),
  });
  t.after(() => viewing.stop());
  const started = viewing.start();
  browser.events.say("closed", { viewers: 0 });
  await started;
  browser.events.say("live");
  browser.peer.become("connected");
  browser.peer.frames = 1;
  while (!told.length) await turn(20);
  await turn(20);   // for the words to be there
  browser.answers["GET /health"] = () => made(200, "{}");
  browser.peer.become("disconnected");
  await turn(20);
  assert.deepEqual(told.splice(0), ["playing"]);
  assert.equal(viewing.trouble?.code, "VIEWER-LOST", "it says why meanwhile");
  return { viewing, told, refuse };
}

test("a view whose end is told before the server's 404 comes back by itself", async (t) => {
  const { told, refuse } = await lost(t);
  browser.events.say("closed", { viewers: 0 });
  await turn(20);
  assert.deepEqual(told, ["broken"]);
  refuse();
  await turn(50);
  assert.deepEqual(told, ["broken"], "once");
});

test("so does one whose end is told after it", async (t) => {
  const { told, refuse } = await lost(t);
  refuse();
  await turn(50);
  browser.events.say("closed", { viewers: 0 });
  await turn(20);
  assert.deepEqual(told, ["broken"]);
});

test("so does one whose end is told between the 404 and what the page then asks its server", async (t) => {
  const { viewing, told, refuse } = await lost(t, { node: "/n/2" });
  let here = () => {};
  browser.answers["GET /n/2/health"] = () => new Promise((resolve) => { here = () => resolve(made(200, "{}")); });
  refuse();
  await turn(50);
  assert.equal(viewing.trouble?.code, "VIEWER-LOST", "it still says why");
  browser.events.say("closed", { viewers: 0 });
  await turn(20);
  assert.deepEqual(told, ["broken"]);
  here();
  await turn(50);
  assert.deepEqual(told, ["broken"], "once");
});

test("a view that ended for want of viewers comes back, also where the path still seems whole", async (t) => {
  // The machine slept: the server saw nobody watch. On waking the events tell it before the path is found broken.
  const { told } = await lost(t);
  browser.peer.become("connected");
  browser.events.say("closed", { viewers: 0, unwatched: true });
  await turn(20);
  assert.deepEqual(told, ["broken"]);
});

test("a view that ends while the path is whole has been closed by the server", async (t) => {
  const { told } = await lost(t);
  browser.peer.become("connected");
  browser.events.say("closed", { viewers: 0 });
  await turn(20);
  assert.deepEqual(told, ["closed"]);
});
