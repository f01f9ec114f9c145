// The call: stage, bar and side panel, and what is said of who comes and goes.

import { el } from "../page/dom.js";
import { connectionBanner } from "./banner.js";
import { ChatPanel } from "./chat-panel.js";
import { Comings } from "./comings.js";
import { faultView } from "./fault-view.js";
import { faultOf } from "./fault-of.js";
import { icon } from "./icons.js";
import { named, resay, say } from "./i18n.js";
import { keyboard } from "./keys.js";
import { leaveOrEnd } from "./leaving.js";
import { listening } from "./listening.js";
import { MorePanel, smallWindow } from "./more-panel.js";
import { ownToggles } from "./own-media.js";
import { knockSaid, PeoplePanel } from "./people-panel.js";
import { announce } from "./screens.js";
import { Stage } from "./stage.js";
import { nameOf } from "./tile.js";
import { captioned, toggle } from "./toggle.js";

/** @typedef {import("./client/call.js").Call} Call */
/** @typedef {import("./client/person.js").Person} Person */
/** @typedef {"people" | "chat" | "more"} Side */

/**
 * @param {Call} call
 * @returns {import("./screens.js").Screen}
 */
export function callScreen(call) {
  const screen = new CallScreen(call);
  return { name: "call", element: screen.element, title: "call.title", close: () => screen.close() };
}

class CallScreen {
  #call;
  #stage;
  #panels;
  #keys;
  #toggles;
  #banner;
  /** @type {Side | null} */
  #open = null;
  #side = el("aside", { id: "side", class: "call-side", hidden: true });
  #sideTitle = el("h2", { id: "side-title", tabindex: -1 });
  #sideBody = el("div", { class: "side-body" });
  #sideButtons;
  #screen;
  #clock = el("span", { class: "call-clock", role: "timer" });
  #lock = el("span", { class: "call-lock", hidden: true }, icon("lock"), say("locked"));
  #quality = el("span", { id: "quality", class: "call-quality", hidden: true });
  #mediaFault = el("div", { class: "media-fault" });
  #knockWords = el("p", { class: "banner-title banner-words" });
  #admit = el("button", { id: "admit-next", class: "button primary", type: "button" }, say("knock.admit"));
  #knock = el("div", { id: "knock", class: "banner", hidden: true }, icon("door"), this.#knockWords, this.#admit,
    el("button", { class: "button", type: "button", onclick: () => this.#show("people") }, say("knock.show")));
  #stops;
  #ticking;
  #began = Date.now();
  #comings = new Comings();

  /** @param {Call} call */
  constructor(call) {
    this.#call = call;
    this.#stage = new Stage(call);
    this.#keys = keyboard(this.#shortcuts());
    this.#panels = {
      people: new PeoplePanel(call, () => this.#open === "people" || this.#show("people")),
      chat: new ChatPanel(call, () => this.#open === "chat"),
      more: new MorePanel(call, this.#stage, { showKeys: () => this.#keys.show() }),
    };
    this.#toggles = ownToggles(call, { captions: true });
    this.#banner = connectionBanner(call);
    this.#screen = toggle("screen", () => void this.#share(), { id: "screen-share", caption: "screen" });
    this.#screen.element.hidden = !("getDisplayMedia" in (navigator.mediaDevices ?? {}));   // phones cannot
    this.#sideButtons = { people: this.#sideButton("people"), chat: this.#sideButton("chat"), more: this.#sideButton("more") };
    this.#banner.element.prepend(this.#knock);
    this.#admit.addEventListener("click", () => this.#panels.people.admit(this.#call.knocks[0]));
    this.element = this.#layOut();
    this.#stops = [
      listening(call, ["people"], () => this.#people()),
      listening(call, ["person"], (event) => this.#person(event)),
      listening(call, ["knocks"], () => this.#knocks()),
      listening(call, ["chat"], () => this.#chat()),
      listening(call, ["media"], () => this.#media()),
      listening(call, ["consent"], () => this.#panels.more.drawConsent()),
      listening(call, ["locked"], () => this.#locked()),
    ];
    const ring = (/** @type {Event} */ event) => this.#stage.ring(/** @type {Event & { person: Person }} */ (event).person);
    call.addEventListener("ring", ring);
    const relabel = () => this.#people();
    document.addEventListener("languagechange", relabel);
    this.#stops.push(() => call.removeEventListener("ring", ring), () => document.removeEventListener("languagechange", relabel));
    this.#ticking = setInterval(() => this.#tick(), 1_000);
    this.#tick();
  }

  #layOut() {
    const leave = el("button", { id: "leave", class: "round leave", type: "button", onclick: () => void this.#leave() }, icon("leave"));
    captioned(leave, "leave.short")("leave");
    const close = named(el("button", { id: "close-side", class: "control", type: "button", onclick: () => this.#show(null) }, icon("cross")), "close");
    this.#side.append(el("div", { class: "side-head" }, this.#sideTitle, close), this.#sideBody);
    this.#side.setAttribute("aria-labelledby", "side-title");
    this.#side.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing) this.#show(null);
    });
    return el("div", { class: "call" },
      el("div", { class: "call-head" },
        el("h1", { class: "visually-hidden" }, say("call.title")),
        this.#quality, this.#lock, this.#clock),
      this.#banner.element, this.#mediaFault, this.#stage.element, this.#side,
      named(el("div", { class: "call-bar", role: "toolbar" }, ...this.#toggles.elements, this.#screen.element,
        ...Object.values(this.#sideButtons).map(({ button }) => button), leave), "call.bar"));
  }

  /** @param {Side} side */
  #sideButton(side) {
    const badge = el("span", { class: "badge", hidden: true, "aria-hidden": "true" });
    const button = el("button", { id: `open-${side}`, class: "round", type: "button", "aria-expanded": "false", "aria-controls": "side",
      onclick: () => this.#show(this.#open === side ? null : side) }, icon(side), badge);
    const rename = captioned(button, side);
    return {
      button,
      /** @type {(count: number, key: string, values: import("./i18n.js").Values) => void} */
      show(count, key, values) {
        badge.hidden = count === 0;
        badge.textContent = String(count);
        rename(key, values);
      },
    };
  }

  /** @returns {import("./keys.js").Shortcut[]} */
  #shortcuts() {
    const side = (/** @type {Side} */ name) => () => this.#show(this.#open === name ? null : name);
    return [
      { key: "m", words: "keys.mic", run: () => void this.#call.setAudio(!this.#call.media.audio) },
      { key: "v", words: "keys.camera", run: () => void this.#call.setVideo(!this.#call.media.video) },
      { key: "s", words: "keys.screen", run: () => void this.#share() },
      { key: "p", words: "keys.people", run: side("people") },
      { key: "c", words: "keys.chat", run: side("chat") },
      { key: "o", words: "keys.more", run: side("more") },
      { key: "w", words: "keys.pip", run: () => void smallWindow(this.#stage) },
      { key: "l", words: "keys.leave", run: () => void this.#leave() },
    ];
  }

  /** @param {Side | null} side */
  #show(side) {
    const before = this.#open;
    this.#open = side;
    this.#side.hidden = side === null;
    this.element.toggleAttribute("data-side", side !== null);
    for (const [name, { button }] of Object.entries(this.#sideButtons)) button.setAttribute("aria-expanded", String(name === side));
    if (side === null) {
      this.#knocks();
      if (before) this.#sideButtons[before].button.focus();
      return;
    }
    resay(this.#sideTitle, side);
    this.#sideBody.replaceChildren(this.#panels[side].element);
    if (side === "more") void this.#panels.more.opened();
    if (side === "chat") this.#panels.chat.focus();
    else this.#sideTitle.focus();
    this.#chat();
    this.#knocks();
  }

  #people() {
    this.#comings.tell(this.#call.people);
    this.#stage.draw();
    this.#panels.people.draw();
    this.#countPeople();
    this.#drawQuality();
  }

  /** @param {Event} [event] */
  #person(event) {
    const person = /** @type {Event & { person?: Person }} */ (event ?? new Event("")).person;
    if (!person) return;
    this.#comings.tell(this.#call.people);
    this.#stage.drawPerson(person);
    this.#panels.people.draw();
    this.#drawQuality();
  }

  #knocks() {
    this.#panels.people.drawKnocks();
    this.#countPeople();
    const [next] = this.#call.knocks;
    this.#knock.hidden = !next || this.#open === "people";
    if (next) {
      resay(this.#knockWords, ...knockSaid(next));
      named(this.#admit, "knock.admit-name", { name: nameOf(next) });
    }
  }

  #countPeople() {
    const { people: { length }, knocks } = this.#call;
    this.#sideButtons.people.show(knocks.length, knocks.length ? "people.knocks" : "people.count", { count: length + 1, knocks: knocks.length });
  }

  #chat() {
    const { chat } = this.#panels;
    chat.draw();
    if (this.#open === "chat") chat.unread = 0;
    this.#sideButtons.chat.show(chat.unread, chat.unread ? "chat.unread" : "chat.log", { unread: chat.unread });
  }

  #media() {
    const { media, mediaFault } = this.#call;
    this.#screen.show(media.screen, media.screen ? "screen.stop" : "screen.start");
    this.#screen.element.toggleAttribute("data-on", media.screen);
    this.#screen.element.removeAttribute("data-off");
    this.#stage.drawSelf();
    const code = mediaFault?.code ?? "";
    if (this.#mediaFault.dataset.code === code) return;
    this.#mediaFault.dataset.code = code;
    this.#mediaFault.replaceChildren();
    if (!mediaFault) return;
    const put = el("button", { class: "button", type: "button", onclick: () => this.#mediaFault.replaceChildren() }, icon("cross"), say("close"));
    this.#mediaFault.append(faultView(mediaFault), put);
  }

  #locked() {
    const { locked } = this.#call;
    if (this.#lock.hidden === locked) announce(locked ? "said.locked" : "said.unlocked");
    this.#lock.hidden = !locked;
    this.#panels.people.draw();
  }

  /** The line in a word: the worst of all that are judged. */
  #drawQuality() {
    const order = ["good", "fair", "poor", "lost"];
    const words = this.#call.people.flatMap(({ quality, path }) => (quality && path !== "none" ? [quality.words] : []));
    const worst = words.sort((one, other) => order.indexOf(other) - order.indexOf(one))[0];
    this.#quality.hidden = worst === undefined;
    if (!worst) return;
    if (this.#quality.dataset.words && this.#quality.dataset.words !== worst && (worst === "poor" || worst === "lost")) announce(`quality.${worst}`);
    this.#quality.dataset.words = worst;
    resay(this.#quality, `quality.${worst}`);
  }

  #tick() {
    const seconds = Math.floor((Date.now() - this.#began) / 1000);
    const two = (/** @type {number} */ number) => String(number).padStart(2, "0");
    const hours = Math.floor(seconds / 3600);
    this.#clock.textContent = `${hours ? `${hours}:` : ""}${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
    this.#panels.people.tick();
  }

  async #share() {
    const { media, me } = this.#call;
    if (media.screen) this.#call.stopScreen();
    else if (me?.may.includes("screen")) {
      try {
        if (await this.#call.shareScreen()) announce("screen.is-on");
      } catch (error) {
        this.#mediaFault.replaceChildren(faultView(faultOf(error)));
      }
    } else announce("screen.not-you", {}, { now: true });
  }

  async #leave() {
    try {
      await leaveOrEnd(this.#call);
    } catch (error) {
      this.#mediaFault.replaceChildren(faultView(faultOf(error)));
    }
  }

  close() {
    clearInterval(this.#ticking);
    for (const stop of this.#stops) stop();
    this.#toggles.close();
    this.#banner.close();
    this.#stage.close();
    this.#keys.close();
  }
}
