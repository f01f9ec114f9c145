// What a camera has seen, newest first; a recording is played in its place.

import { faultOf } from "./api.js";
import { getHistory, recordingAddress } from "./control-api.js";
import { el } from "./dom.js";
import { cardOf } from "./fault-card.js";
import { filmButton } from "./film.js";

/** @typedef {import("./control-api.js").CameraEvent} CameraEvent */

const FIRST = 5;    // events shown at first
const MORE = 20;    // and with each press of "Older"
/** @type {Record<string, string>} */
const KINDS = { motion: "Motion", ding: "Bell", on_demand: "Live view" };
const WHEN = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" });

/** Asks for nothing until it is loaded. */
export class HistoryList {
  #cameraId;
  /** @type {string | null} */
  #next = null;
  #busy = false;
  #list = el("ul", { class: "events" });
  #older = el("button", { class: "button quiet small events-older", type: "button", hidden: true,
    onclick: () => void this.#load(MORE) }, "Older");
  #said = el("p", { class: "quiet-text", role: "status" });
  #faultPlace = el("div", {});
  element;

  /**
   * @param {string} cameraId
   * @param {string} headingId  Of the heading that names this list.
   */
  constructor(cameraId, headingId) {
    this.#cameraId = cameraId;
    this.#list.setAttribute("aria-labelledby", headingId);
    this.element = el("div", { class: "history" }, this.#list, this.#said, this.#faultPlace, this.#older);
  }

  /** Show the newest anew. */
  reload() {
    if (this.#busy) return;
    this.#next = null;
    void this.#load(FIRST);
  }

  /** @param {number} count */
  async #load(count) {
    if (this.#busy) return;
    this.#busy = true;
    const before = this.#next;
    this.#faultPlace.replaceChildren();
    if (before === null) this.#said.textContent = "Asking for the history";
    try {
      const { events, next } = await getHistory(this.#cameraId, count, before);
      const items = events.map((event) => this.#item(event));
      if (before === null) this.#list.replaceChildren(...items);
      else this.#list.append(...items);
      this.#next = next;
      this.#older.hidden = next === null;
      this.#said.textContent = this.#list.childElementCount ? "" : "Nothing yet, as far as Ring remembers.";
      if (before !== null && items.length) items[0].focus();   // where the new ones begin, since the button moved on
    } catch (error) {
      this.#said.textContent = "";
      this.#faultPlace.replaceChildren(cardOf(faultOf(error), () => void this.#load(count)));
    } finally {
      this.#busy = false;
    }
  }

  /** @param {CameraEvent} event */
  #item(event) {
    const when = event.at === null ? "Time unknown" : WHEN.format(new Date(event.at * 1000));
    const what = [KINDS[event.kind] ?? event.kind, event.person ? "Person" : ""].filter(Boolean).join(" · ");
    const place = el("div", { class: "event-place" });
    const time = event.at === null ? el("span", {}, when) : el("time", { datetime: new Date(event.at * 1000).toISOString() }, when);
    const words = el("span", { class: "event-words" }, el("span", { class: "event-kind" }, what), time);
    return el("li", { class: "event", tabindex: -1, "data-event": event.id },
      el("div", { class: "event-line" }, words, ...this.#actions(event, `${what}, ${when}`, place)), place);
  }

  /**
   * @param {CameraEvent} event
   * @param {string} name  What a screen reader says of it.
   * @param {HTMLElement} place  Where the recording plays.
   */
  #actions(event, name, place) {
    if (event.has_recording === false) return [el("span", { class: "event-none" }, "No recording")];
    const play = filmButton(this.#cameraId, event.id, name, place);
    const stamp = event.at === null ? event.id : new Date(event.at * 1000).toISOString().slice(0, 19).replaceAll(":", "-");
    const save = el("a", { class: "button quiet small", href: recordingAddress(this.#cameraId, event.id),
      download: `${this.#cameraId}-${stamp}.mp4`, "aria-label": `Download ${name}` }, "Download");
    return [play, save];
  }
}
