import assert from "node:assert/strict";
import { test } from "node:test";

import { Chat } from "../../src/ringlight/web/rooms/client/chat.js";
import { FaultError, namedFault } from "../../src/ringlight/web/rooms/client/fault.js";

const ME = { id: "p_1", name: "Ada" };
const far = { id: "p_2", say: async () => false };   // no line from browser to browser

test("words that the server does not take say why", async () => {
  const chat = new Chat();
  const refused = () => Promise.reject(new FaultError(namedFault("ROOM-SIZE")));
  await assert.rejects(chat.say("too long", ME, [far], refused), FaultError);
  assert.deepEqual(chat.lines.map(({ state, fault, way }) => [state, fault?.code, way]), [["failed", "ROOM-SIZE", "server"]]);
});

test("words that nobody is there to read failed without a fault, and those that were read have none", async () => {
  const chat = new Chat();
  await chat.say("anybody?", ME, [], async () => {});
  await chat.say("good morning", ME, [far], async () => {});
  assert.deepEqual(chat.lines.map(({ state, fault }) => [state, fault]), [["failed", null], ["sent", null]]);
});

test("what went wrong with a page itself is no fault of the catalogue", async () => {
  const chat = new Chat();
  await assert.rejects(chat.say("hello", ME, [far], () => Promise.reject(new TypeError("no such thing"))), TypeError);
  assert.deepEqual(chat.lines.map(({ state, fault }) => [state, fault]), [["failed", null]]);
});
