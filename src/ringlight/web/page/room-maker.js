// Rooms: makes one, with a link for each who comes; on the demo, a room to enter from two tabs.

import { ask, faultOf } from "./api.js";
import { el, icon, prose } from "./dom.js";
import { copy, diagnosisText, faultCard } from "./fault-card.js";
import { may } from "./may.js";

const DEMO_ROOM = "/rooms/demo";
const DEMO_BELL = "/_sim/cameras/1001/bell";   // of the camera that is in it
const GUESTS = /** @type {const} */ ([["clinician", "For the clinician"], ["patient", "For the patient"]]);

/** @typedef {{ id: string }} Room */
/** @typedef {{ url: string, expires: number }} Link */

/** The part of the page about rooms. */
export class RoomMaker {
  #bell = el("button", { id: "press-bell", class: "button", type: "button", onclick: () => void this.#ring() }, "Press the bell");
  #said = el("p", { class: "quiet-text", role: "status" });
  #demo = el("div", { class: "room-demo", hidden: true },
    el("a", { class: "button", href: DEMO_ROOM, target: "_blank", rel: "noopener" }, "Enter the demo room"), this.#bell,
    el("p", { class: "quiet-text" }, "Open the room in two tabs to call yourself. The bell of the front door rings there."),
    this.#said);
  #host = el("input", { id: "room-host", maxlength: 80, autocomplete: "name" });
  #guest = el("input", { id: "room-guest", maxlength: 80, autocomplete: "off" });
  #made = el("div", { id: "room-made", "aria-live": "polite" });
  #make = el("button", { id: "make-room", class: "button", type: "button", onclick: () => void this.#press() }, "Make a room");
  element = el("section", { class: "panel rooms", "aria-labelledby": "rooms-title" },
    el("div", { class: "panel-head" }, el("h2", { id: "rooms-title" }, "Rooms")),
    el("p", { class: "quiet-text" }, "A video visit with a waiting area. Each link lets one person in, once."),
    this.#demo,
    el("p", { class: "room-host" }, el("label", { for: "room-host" }, "Who invites, as the links say"), this.#host),
    el("p", { class: "room-host" }, el("label", { for: "room-guest" }, "The patient, as you see them in the waiting area"), this.#guest),
    this.#make, this.#made);
  #busy = false;

  /** On the demo there is a room already. */
  showDemo() {
    this.#demo.hidden = false;
  }

  /** Without the scope there is no button, and the reason in its place. */
  limit() {
    this.#make.hidden = !may("rooms");
    this.#bell.hidden = !may("admin");
    if (!may("rooms")) this.#made.replaceChildren(el("p", { class: "quiet-text" }, prose("To make a room, log in with what allows `rooms`.")));
  }

  async #ring() {
    try {
      await ask(DEMO_BELL, { method: "POST" });
      this.#said.textContent = "It rings.";
    } catch (error) {
      this.#said.textContent = `${faultOf(error).title}.`;
    }
  }

  async #press() {
    if (this.#busy) return;
    this.#busy = true;
    try {
      /** @type {Room} */
      const room = await post("/api/rooms", {});
      const links = await Promise.all(GUESTS.map(([role]) => this.#link(room, role)));
      this.#show(room, links);
    } catch (error) {
      const fault = faultOf(error);
      this.#made.replaceChildren(faultCard(fault, { retry: () => void this.#press(), diagnosis: () => diagnosisText(fault) }));
    }
    this.#busy = false;
  }

  /**
   * @param {Room} room
   * @param {string} role
   * @returns {Promise<Link>}
   */
  #link(room, role) {
    const host = this.#host.value.trim();
    const name = role === "patient" ? this.#guest.value.trim() : host;
    return post(`/api/rooms/${encodeURIComponent(room.id)}/links`, { role, name, invited_by: host });
  }

  /**
   * @param {Room} room
   * @param {Link[]} links
   */
  #show({ id }, links) {
    const until = new Date((links[0]?.expires ?? 0) * 1000);
    this.#made.replaceChildren(
      el("p", { class: "room-name" }, "Room ", el("code", {}, id)),
      ...links.map(({ url }, index) => linkRow(GUESTS[index]?.[1] ?? "", new URL(url, location.href).href)),
      el("p", { class: "quiet-text" }, `Send each to one person. They can be used until ${until.toLocaleString()}.`));
    this.#make.textContent = "Make another room";
  }
}

/**
 * @param {string} whose
 * @param {string} address
 */
function linkRow(whose, address) {
  const input = el("input", { class: "room-link", readonly: true, value: address, "aria-label": `Link ${whose.toLowerCase()}` });
  const label = el("span", {}, "Copy");
  const button = el("button", { class: "button", type: "button", "data-copy": address }, icon("copy"), label,
    el("span", { class: "visually-hidden" }, ` the link ${whose.toLowerCase()}`));
  button.addEventListener("click", async () => {
    label.textContent = (await copy(address, button)) ? "Copied" : "Could not copy";
    setTimeout(() => (label.textContent = "Copy"), 2_500);
  });
  return el("div", { class: "room-row" }, el("h3", {}, whose), input, button);
}

/**
 * @param {string} path
 * @param {object} body
 */
function post(path, body) {
  return ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
}
