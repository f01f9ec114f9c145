// Wires the page of the rooms: what the address names, who this tab is, and which screen the call is at.

import { el } from "../page/dom.js";
import { connectionBanner } from "./banner.js";
import { callScreen } from "./call-screen.js";
import { Call, judgeUrl, namedFault } from "./client/index.js";
import { consentScreen, mustAsk } from "./consent-screen.js";
import { doorScreen } from "./door-screen.js";
import { endOf, endScreen, faultOfLink, waitsFor } from "./end-screen.js";
import { faultOf } from "./fault-of.js";
import { languagePicker, resay, say, startLanguage } from "./i18n.js";
import { listening } from "./listening.js";
import { lobbyScreen } from "./lobby-screen.js";
import { announce, show, shownScreen } from "./screens.js";
import { sound } from "./tones.js";
import { addressed, forget, lookAtLink, remember, remembered, useLink } from "./visit.js";

/** @typedef {import("./visit.js").Visit} Visit */
/** @typedef {import("./door-screen.js").Hands} Hands */

/** @type {Call | null} The call of this tab; only for tests and for people who diagnose. */
let call = null;
Object.defineProperty(globalThis, "ringlightCall", { get: () => call });

/** Begin with what the address names. @returns {Promise<void>} */
async function start() {
  const where = addressed(location.pathname);
  if (where === null) return show(endScreen({ kind: "unknown" }));
  if ("link" in where) return startLink(where.link);
  const { room } = where;
  const wrong = judgeUrl(`/ws/signaling/${encodeURIComponent(room)}/patient`, location.href);
  if (wrong) return show(endScreen({ kind: "failed", fault: namedFault(wrong, `it is '${room}'`) }));
  const known = remembered(room);
  if (known && (known.token || Call.wasInside(room))) return enter(known, {});
  show(doorScreen({ room, link: null, enter: async (visit, hands) => {
    if (visit) enter(visit, hands);
  } }));
}

/**
 * @param {string} link
 * @returns {Promise<void>}
 */
async function startLink(link) {
  let looked;
  try {
    looked = await lookAtLink(link);
  } catch (error) {
    return show(endScreen({ kind: "failed", fault: faultOf(error), again: () => void startLink(link) }));
  }
  const { state, room = "", opens } = looked;
  if (state === "early" && opens) {
    return show(endScreen({ kind: "early", fault: faultOfLink("early"), opens: opens * 1000, again: () => void startLink(link) }));
  }
  if (state === "used" && remembered(room)?.token) {   // by this very tab, which then was closed and opened again
    history.replaceState(null, "", `/rooms/${encodeURIComponent(room)}`);
    return start();
  }
  if (state !== "good") return show(endScreen({ kind: state, fault: faultOfLink(state), again: null }));
  show(doorScreen({ room, link: looked, enter: async (_, hands) => enter(await useLink(link), hands) }));
}

/**
 * Enter a room, and follow what becomes of it.
 *
 * @param {Visit} visit
 * @param {Partial<Hands>} hands
 */
function enter(visit, hands) {
  remember(visit);
  const mine = (call = new Call({ ...visit, ...hands }));
  mine.addEventListener("phase", () => mine === call && follow(mine, visit));
  mine.addEventListener("consent", () => mine === call && follow(mine, visit));
  void mine.join();
  follow(mine, visit);
}

/**
 * Show the screen that belongs to the phase of a call.
 *
 * @param {Call} call
 * @param {Visit} visit
 */
function follow(call, visit) {
  const shown = shownScreen();
  switch (call.phase) {
    case "new":
    case "connecting":
      if (shown !== "connecting") show(connectingScreen(call));
      return;
    case "away":
      if (shown !== "call" && shown !== "lobby" && shown !== "consent" && shown !== "connecting") show(connectingScreen(call));
      return;
    case "over":
      return over(call, visit);
  }
  if (mustAsk(call)) {
    if (shown !== "consent") show(consentScreen(call, () => follow(call, visit)));
  } else if (call.phase === "waiting") {
    if (shown !== "lobby") show(lobbyScreen(call));
  } else if (shown !== "call") {
    if (shown === "lobby") {
      sound("let-in", { always: true });
      announce("lobby.let-in", {}, { now: true });
    }
    show(callScreen(call));
  }
}

/**
 * The first connection is being made, or cannot be: then it says why, and when it is tried again.
 *
 * @param {Call} call
 * @returns {import("./screens.js").Screen}
 */
function connectingScreen(call) {
  const banner = connectionBanner(call, { first: true });
  const heading = el("h1", {});
  const lead = el("p", { class: "lead" });
  const stop = listening(call, ["phase"], () => {
    const kind = call.phase === "away" ? waitsFor(call.fault) : null;
    resay(heading, kind ? `end.${kind}` : "connecting.title");
    resay(lead, kind ? `end.${kind}.text` : "connecting.text");
  });
  const element = el("div", { class: "end connecting" }, heading, lead,
    banner.element,
    el("div", { class: "end-actions" },
      el("button", { id: "leave", class: "button", type: "button", onclick: () => call.leave() }, say("cancel"))));
  return { name: "connecting", element, title: "connecting.title", close: () => {
    stop();
    banner.close();
  } };
}

/**
 * @param {Call} call
 * @param {Visit} visit
 */
function over({ fault }, visit) {
  const kind = endOf(fault);
  const final = kind === "ended" || kind === "denied" || kind === "expired" || kind === "unknown";
  // What let us in is of no use any more; after leaving it is, for as long as the tab is open.
  if (final || kind === "failed") forget(visit.room);
  const wait = /(\d+)\s*s\b/.exec(fault?.detail ?? "")?.[1];
  const opens = kind === "early" && wait ? Date.now() + Number(wait) * 1000 : null;
  const again = final ? null : () => (kind === "failed" && !visit.token ? void start() : enter(visit, {}));
  show(endScreen({ kind, fault, again, opens, reason: kind === "denied" ? saidWith(fault) : "", notes: () => fault?.tried ?? [] }));
}

/**
 * What the server said with a refusal, without what this page adds to it.
 *
 * @param {Call["fault"]} fault
 */
function saidWith(fault) {
  const added = fault?.tried.at(-1) ?? "";
  return fault?.detail.slice(0, fault.detail.endsWith(added) ? -added.length : undefined).replace(/; $/, "") ?? "";
}

await startLanguage();
document.getElementById("top")?.append(languagePicker());
await start();
