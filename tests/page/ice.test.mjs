import assert from "node:assert/strict";
import { test } from "node:test";

import { iceServersOf } from "../../src/ringlight/web/page/ice.js";

/** What a `Link` header means, as two expressions have it; on long input they take very long. */
function asExpressionsHaveIt(link) {
  const entries = link.matchAll(/<([^>]*)>((?:\s*;\s*[\w-]+\s*=\s*(?:"[^"]*"|[^",;]*))*)/g);
  return [...entries].flatMap(([, urls = "", rest = ""]) => {
    const pairs = [...rest.matchAll(/([\w-]+)\s*=\s*(?:"([^"]*)"|([^",;]*))/g)];
    const named = Object.fromEntries(pairs.map(([, name, quoted, bare]) => [name, quoted ?? bare]));
    if (named.rel !== "ice-server") return [];
    return [named.username ? { urls, username: named.username, credential: named.credential } : { urls }];
  });
}

/** Numbers from 0 to below `below`, the same in each run. */
function dice(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 4294967296 * below);
  };
}

test("servers are those of the entries with that relation", () => {
  const link = '<stun:a:3478>; rel="ice-server", <turn:b?transport=udp>; rel=ice-server; username="u,;v"; credential="p"; '
    + 'credential-type="password", </next>; rel="next"';
  assert.deepEqual(iceServersOf(link), [
    { urls: "stun:a:3478" }, { urls: "turn:b?transport=udp", username: "u,;v", credential: "p" },
  ]);
});

test("whatever a header is made of means the same as ever", () => {
  const parts = ["<", ">", ";", "=", '"', ",", " ", "\t", "rel", "rel=ice-server", 'rel="ice-server"', ";username=u",
    "; credential = p", "<turn:a>", "<b>;rel=ice-server", "__proto__", "-", "é", "ice-server"];
  const roll = dice(7);
  let servers = 0;
  for (let count = 0; count < 50_000; count += 1) {
    const link = Array.from({ length: 1 + roll(14) }, () => parts[roll(parts.length)]).join("");
    const expected = asExpressionsHaveIt(link);
    assert.deepEqual(iceServersOf(link), expected, link);
    servers += expected.length;
  }
  assert.ok(servers > 500, `${servers} servers`);
});

test("a header that is ten times as long takes ten times as long", () => {
  for (const part of ["<", "<a>", "<a>;", "<a>;x", '<a>;x="', " ", "; ", "<a>;x= ", "a=", "<a> "]) {
    const began = performance.now();
    iceServersOf(part.repeat(300_000 / part.length));
    iceServersOf(`<a>${part.repeat(300_000 / part.length)}`);
    iceServersOf(`<a>;rel=ice-server${part.repeat(300_000 / part.length)}`);
    const took = performance.now() - began;
    assert.ok(took < 2_000, `${JSON.stringify(part)}: ${took} ms`);
  }
});
