import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf, FirstPicture, whoseFault } from "../../src/ringlight/web/page/audience.js";

const CAMERA = { code: "MEDIA-NO-KEY-FRAME", title: "t", cause: "c", fix: "f", retry: "backoff" };
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A wait for a picture, with what the server says meanwhile and a clock of our own. */
function waiting(t, said) {
  const told = [], asked = [];
  t.mock.timers.enable({ apis: ["setTimeout"] });
  globalThis.self = globalThis;
  globalThis.fetch = async (url, { headers }) => {
    asked.push([url, headers.authorization]);
    if (said.now === null) throw new TypeError("Failed to fetch");
    return new Response(JSON.stringify(said.now));
  };
  const first = new FirstPicture((fault) => told.push(fault?.code ?? "browser"));
  t.after(() => first.stop());
  const pass = async (seconds) => {
    t.mock.timers.tick(seconds * 1000);
    for (let i = 0; i < 10; i += 1) await turn();
  };
  return { first, told, asked, pass };
}

test("the server that shows the camera is asked, of several at its own address", () => {
  assert.equal(addressOf("https://h/whep/front-door/v1"), "https://h/api/cameras/front-door/audience/v1");
  assert.equal(addressOf("https://h/node-b/whep/caf%C3%A9/v1"), "https://h/node-b/api/cameras/caf%C3%A9/audience/v1");
  assert.equal(addressOf("https://h/whep/whep/whep"), "https://h/api/cameras/whep/audience/whep");
});

test("a missing picture is the camera's fault where the server names one, and else the browser's", () => {
  assert.equal(whoseFault({ view: "live", fault: CAMERA, line: null }).code, "MEDIA-NO-KEY-FRAME");
  assert.equal(whoseFault({ view: "live", fault: null, line: null }), "browser");
  assert.equal(whoseFault(null), "browser", "nobody answers, and there is a path all the same");
});

test("while the view of the camera opens, perhaps once more, nobody is to blame", () => {
  assert.equal(whoseFault({ view: "opening", fault: null, line: null }), "nobody");
});

test("after ten seconds it says why there is no picture, and from then on what has become of it", async (t) => {
  const said = { now: { view: "opening", fault: null } };
  const { first, told, asked, pass } = waiting(t, said);
  first.expect("https://h/whep/front-door/v1", { authorization: "Bearer t" });
  await pass(9.9);
  assert.deepEqual(asked, []);
  await pass(0.2);
  assert.deepEqual(asked, [["https://h/api/cameras/front-door/audience/v1", "Bearer t"]]);
  assert.deepEqual(told, []);
  said.now = { view: "live", fault: CAMERA };
  await pass(10);
  said.now = null;
  await pass(10);
  assert.deepEqual(told, ["MEDIA-NO-KEY-FRAME", "browser"]);
});

test("a picture that comes while the server is asked is no missing one", async (t) => {
  const { first, told, asked, pass } = waiting(t, { now: { view: "live", fault: CAMERA } });
  first.expect("https://h/whep/front-door/v1");
  t.mock.timers.tick(10_000);
  first.stop();
  await pass(30);
  assert.deepEqual([told, asked.length], [[], 1]);
});
