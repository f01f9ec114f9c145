// One person on the stage: their picture or initials, their name, what they have muted, and how the line to them is.

import { el } from "../page/dom.js";
import { toChosenSpeaker } from "./device-picker.js";
import { faultView, headline } from "./fault-view.js";
import { icon } from "./icons.js";
import { named, resay, say, t } from "./i18n.js";

/** @typedef {import("./client/person.js").Person} Person */
/** @typedef {import("./client/call.js").Call} Call */

/** What somebody is called: their name, else their role. @param {{ name: string, role: string }} person */
export function nameOf({ name, role }) {
  return name || t(`role.${role}`);
}

/** @param {string} name */
function initials(name) {
  const words = name.trim().split(/\s+/);
  return [words[0], words.length > 1 ? words[words.length - 1] : ""].map((word) => [...(word ?? "")][0] ?? "").join("").toLocaleUpperCase();
}

/** A tile of somebody else. */
export class Tile {
  #person;
  #video = el("video", { playsinline: true, autoplay: true, class: "tile-picture" });
  #initials = el("span", { class: "tile-initials", "aria-hidden": "true" });
  #name = el("span", { class: "tile-name", dir: "auto" });
  #muted = el("span", { class: "tile-muted", hidden: true }, icon("mic-off"), el("span", { class: "visually-hidden" }, say("muted")));
  #quality = el("span", { class: "tile-quality" });
  #veil = el("div", { class: "tile-veil", hidden: true });
  #veilWords = el("p", {});
  #details = el("button", { class: "button small-button", type: "button", hidden: true }, say("details"));
  #blocked;

  /**
   * @param {Person} person
   * @param {(video: HTMLVideoElement) => void} blocked  The browser wants a press before it plays sound.
   */
  constructor(person, blocked) {
    this.#person = person;
    this.#blocked = blocked;
    this.#veil.append(this.#veilWords, this.#details);
    this.#details.addEventListener("click", () => this.#explain());
    toChosenSpeaker(this.#video);
    this.element = el("article", { class: "tile", "data-person": person.id, "data-key": person.key },
      this.#video, this.#initials, this.#veil,
      el("div", { class: "tile-plate" }, this.#muted, this.#name, this.#quality));
    this.draw();
  }

  get video() {
    return this.#video;
  }

  draw() {
    const person = this.#person;
    const { media, path, away, awayCode, stream, quality } = person;
    const name = nameOf(person);
    this.element.setAttribute("aria-label", name);
    this.element.dataset.person = person.id;
    this.#name.textContent = name;
    this.#initials.textContent = initials(name);
    this.#muted.hidden = media.audio || path !== "connected";
    const seen = media.video && stream.getVideoTracks().length > 0 && path !== "failed";
    this.element.toggleAttribute("data-dark", !seen);
    if (this.#video.srcObject !== stream) this.#video.srcObject = stream;
    if (stream.getTracks().length && this.#video.paused) this.#video.play().catch((error) => error.name === "NotAllowedError" && this.#blocked(this.#video));
    this.element.dataset.quality = quality?.words ?? "";
    this.#quality.hidden = !quality;
    if (quality) resay(this.#quality, `quality.${quality.words}`);
    this.#drawVeil(awayCode === "ROOM-SILENT" ? "tile.silent" : away ? "tile.away" : path === "connecting" ? "tile.connecting"
      : path === "none" ? "tile.no-consent" : "");
  }

  /** @param {string} key */
  #drawVeil(key) {
    const { fault, path, away } = this.#person;
    const isTold = fault !== null && (path === "failed" || !away);
    this.#veil.hidden = !key && !isTold;
    this.#initials.hidden = !this.#veil.hidden;
    this.#details.hidden = !isTold;
    if (isTold) {
      delete this.#veilWords.dataset.say;
      this.#veilWords.textContent = headline(fault);
    } else if (key) resay(this.#veilWords, key, { name: nameOf(this.#person) });
  }

  #explain() {
    const { fault } = this.#person;
    if (fault) showFault(fault);
  }
}

/**
 * Show a fault in full, in a dialog.
 *
 * @param {import("../page/api.js").Fault & { tried?: string[] }} fault
 */
export function showFault(fault) {
  const dialog = el("dialog", { class: "confirm wide" }, faultView(fault, { notes: () => fault.tried ?? [] }),
    el("form", { method: "dialog", class: "confirm-actions" }, el("button", { class: "button" }, icon("cross"), say("close"))));
  named(dialog, "details");
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** Somebody's screen. */
export class ScreenTile {
  #video = el("video", { playsinline: true, autoplay: true, class: "tile-picture" });
  #name = el("span", { class: "tile-name", dir: "auto" });

  /** @param {Person} person */
  constructor(person) {
    this.#video.muted = true;
    this.#video.srcObject = person.display;
    this.element = el("article", { class: "tile screen-tile", "data-screen-of": person.id }, this.#video,
      el("div", { class: "tile-plate" }, icon("screen"), this.#name));
    named(this.element, "tile.screen", { name: nameOf(person) });
    resay(this.#name, "tile.screen", { name: nameOf(person) });
  }

  get video() {
    return this.#video;
  }
}

/** Oneself, small in the corner, or large while nobody else is there. */
export class SelfTile {
  #video = named(el("video", { playsinline: true, autoplay: true, class: "tile-picture mirrored" }), "self");
  #initials = el("span", { class: "tile-initials", "aria-hidden": "true" });
  #muted = el("span", { class: "tile-muted" }, icon("mic-off"), el("span", { class: "visually-hidden" }, say("muted")));
  #call;

  /** @param {Call} call */
  constructor(call) {
    this.#call = call;
    this.#video.muted = true;
    this.element = named(el("article", { id: "self", class: "tile self-tile" }, this.#video, this.#initials,
      el("div", { class: "tile-plate" }, this.#muted, say("you"))), "you");
    this.draw();
  }

  draw() {
    const { preview, media, me } = this.#call;
    const seen = preview.getVideoTracks().length > 0 && media.video;
    this.element.toggleAttribute("data-dark", !seen);
    if (this.#video.srcObject !== preview) this.#video.srcObject = preview;
    this.#initials.textContent = me ? initials(nameOf(me)) : "";
    this.#muted.hidden = media.audio;
  }
}
