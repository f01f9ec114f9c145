// The Ring app: linked accounts, what they told, what was given up, and what people should know.

import { faultOf } from "./api.js";
import { el, prose } from "./dom.js";
import { cardOf } from "./fault-card.js";
import { filmButton } from "./film.js";
import { happen, installApp, listen, removeApp, settleDeadLetters } from "./ring-api.js";

/** @typedef {import("./ring-api.js").RingState} RingState */
/** @typedef {import("./ring-api.js").RingEvent} RingEvent */

const WHEN = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "numeric", minute: "2-digit", second: "2-digit" });

/** @type {Record<import("./ring-api.js").LinkState, string>} */
const STATES = {
  unclaimed: "waits for somebody to sign in",
  awaiting: "being completed",
  completed: "linked",
  lost: "lost: add the app again in Ring's app",
};

/** @type {Record<string, string>} */
const TYPES = {
  motion_detected: "Motion", button_press: "Bell", device_added: "Device added", device_removed: "Device removed",
  device_online: "Back online", device_offline: "Offline", app_integration_added: "Account linked",
  app_integration_removed: "App removed",
};

/** @type {Record<string, string>} */
const SUBTYPES = { human: "Person", vehicle: "Vehicle", animal: "Animal", package: "Package" };

/** @type {Record<RingEvent["state"], string>} */
const PROGRESS = { waiting: "waits", started: "is being handled", done: "", dead: "was given up" };

export class RingPanel {
  #watch;
  #relist;
  #known = "";
  #links = el("ul", { class: "ring-links" });
  #empty = el("p", { class: "quiet-text" });
  #demo;
  #said = el("p", { class: "quiet-text", role: "status" });
  #faultPlace = el("div", {});
  #events = el("ul", { class: "events", "aria-labelledby": "ring-events" });
  #nothing = el("p", { class: "quiet-text" }, "Nothing yet. What Ring tells of motion, bells and devices appears here at once.");
  #dead = el("ul", { class: "events", "aria-labelledby": "ring-dead" });
  #deadPart = el("section", { hidden: true },
    el("div", { class: "panel-head" }, el("h3", { id: "ring-dead" }, "Given up"),
      el("button", { class: "button quiet small", type: "button", onclick: () => void this.#settle("replay", null) }, "Handle all again")),
    this.#dead);
  #notices = el("ul", { class: "ring-notices", "aria-labelledby": "ring-notices" });
  #noticePart = el("section", { hidden: true }, el("h3", { id: "ring-notices" }, "Notices"), this.#notices);
  /** @type {Map<number, Row>} */
  #rows = new Map();
  element;

  /**
   * @param {(camera: string) => void} watch
   * @param {() => void} relist  Called when other cameras may be there.
   * @param {boolean} demo  Whether Ring is simulated, so that the page can do what a person does in Ring's app.
   */
  constructor(watch, relist, demo) {
    this.#watch = watch;
    this.#relist = relist;
    this.#demo = demo ? this.#simulated() : null;
    this.element = el("section", { id: "ring-app", class: "panel ring-app", "aria-labelledby": "ring-title" },
      el("div", { class: "panel-head" }, el("h2", { id: "ring-title" }, "Ring app")),
      this.#links, this.#empty, this.#demo, this.#said, this.#faultPlace, this.#noticePart, this.#deadPart,
      el("h3", { id: "ring-events" }, "What Ring told"), this.#nothing, this.#events);
    listen((state) => this.#show(state));
  }

  /** @param {RingState} state */
  #show(state) {
    this.#links.replaceChildren(...state.links.map(linkRow));
    this.#empty.hidden = state.links.length > 0;
    this.#empty.textContent = state.linking
      ? "No account is linked yet. Somebody who adds the app in Ring's app store is led here."
      : "Accounts are linked elsewhere. With `partner.client_id`, `client_secret` and `hmac_keys` they are linked here.".replaceAll("`", "");
    this.#demo?.toggleAttribute("data-linked", state.links.some((link) => link.state === "completed"));
    this.#nothing.hidden = state.events.length > 0;
    this.#rows = this.#placed(this.#events, state.events, this.#rows);
    this.#deadPart.hidden = state.dead.length === 0;
    this.#dead.replaceChildren(...state.dead.map((event) => this.#deadRow(event)));
    this.#noticePart.hidden = state.notices.length === 0;
    this.#notices.replaceChildren(...state.notices.map(noticeRow));
    const known = state.links.map((link) => `${link.account} ${link.state} ${link.devices}`).join();
    if (this.#known !== known) this.#relist();
    this.#known = known;
  }

  /**
   * Bring rows into the list that has some of them: one that plays a film stays as it is.
   *
   * @param {HTMLElement} list
   * @param {RingEvent[]} events  Newest first.
   * @param {Map<number, Row>} before
   */
  #placed(list, events, before) {
    const rows = new Map(events.map((event) => [event.number, before.get(event.number) ?? new Row(this.#watch)]));
    for (const event of events) rows.get(event.number)?.show(event);
    for (const [number, row] of before) if (!rows.has(number)) row.element.remove();
    [...rows.values()].reverse().forEach((row) => row.element.isConnected || list.prepend(row.element));
    return rows;
  }

  /** @param {RingEvent} event */
  #deadRow(event) {
    const name = nameOf(event);
    const again = el("button", { class: "button small", type: "button", "aria-label": `Handle ${name} again`,
      onclick: () => void this.#settle("replay", [event.number]) }, "Again");
    const drop = el("button", { class: "button quiet small", type: "button", "aria-label": `Drop ${name}`,
      onclick: () => void this.#settle("drop", [event.number]) }, "Drop");
    const { fault } = event;
    return el("li", { class: "event", "data-dead": event.number },
      el("div", { class: "event-line" }, words(event), again, drop),
      fault && el("p", { class: "camera-refusal ring-why" }, el("strong", {}, `${fault.code}: ${fault.title}`), ". ", prose(fault.fix)));
  }

  /**
   * @param {"replay" | "drop"} what
   * @param {number[] | null} numbers
   */
  #settle(what, numbers) {
    return this.#try(() => settleDeadLetters(what, numbers), what === "replay" ? "To be handled again." : "Dropped.");
  }

  /** What a person does in Ring's app, and at the door. */
  #simulated() {
    const button = (/** @type {string} */ name, /** @type {string} */ text, /** @type {() => void} */ act) =>
      el("button", { class: `button small ring-${name}`, type: "button", onclick: act }, text);
    return el("fieldset", { class: "ring-demo" },
      el("legend", {}, "This is a demo: play the person with Ring's app."),
      button("install", "Add the app in Ring's store", () => void this.#install()),
      button("motion", "Walk past the front door", () => void this.#try(() => happen("motion"), "Ring tells of it in a moment.")),
      button("bell", "Ring its bell", () => void this.#try(() => happen("bell"), "Ring tells of it in a moment.")),
      button("remove", "Remove the app", () => void this.#try(removeApp, "The app was removed.")));
  }

  async #install() {
    await this.#try(async () => {
      const address = await installApp();
      if (address !== null) location.assign(address);
      return address;
    }, "Ring leads you to the sign-in of the app.");
  }

  /**
   * @param {() => Promise<unknown>} act
   * @param {string} done  What is said when it went well.
   */
  async #try(act, done) {
    this.#faultPlace.replaceChildren();
    try {
      await act();
      this.#said.textContent = done;
    } catch (error) {
      this.#said.textContent = "";
      this.#faultPlace.replaceChildren(cardOf(faultOf(error), () => void this.#try(act, done)));
    }
  }
}

/** One event: what, where, when, and its clip or the live view. */
class Row {
  #watch;
  #words = el("span", { class: "event-words" });
  #actions = el("span", { class: "ring-actions" });
  #place = el("div", { class: "event-place" });
  #camera = "";
  element = el("li", { class: "event" }, el("div", { class: "event-line" }, this.#words, this.#actions), this.#place);

  /** @param {(camera: string) => void} watch */
  constructor(watch) {
    this.#watch = watch;
  }

  /** @param {RingEvent} event */
  show(event) {
    this.element.dataset.event = String(event.number);
    const fresh = words(event);
    if (fresh.textContent !== this.#words.textContent) this.#words.replaceChildren(...fresh.childNodes);
    const { camera } = event;
    if (camera === null || camera.id === this.#camera) return;
    this.#camera = camera.id;
    const live = el("button", { class: "button quiet small", type: "button", "aria-label": `Watch ${camera.name} now`,
      onclick: () => this.#watch(camera.id) }, "Live");
    const film = event.recording === null ? null : filmButton(camera.id, event.recording, nameOf(event), this.#place);
    this.#actions.replaceChildren(...(film ? [film, live] : [live]));
  }
}

/** @param {RingEvent} event */
function nameOf(event) {
  const what = TYPES[event.type] ?? sentence(event.type);
  const whom = event.subtype === null ? "" : SUBTYPES[event.subtype] ?? "";
  return [what, whom, event.camera?.name].filter(Boolean).join(" · ");
}

/** @param {string} type  A type that this page does not know yet. */
function sentence(type) {
  const words = type.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** @param {RingEvent} event */
function words(event) {
  const at = new Date((event.at ?? event.received) * 1000);
  const told = [WHEN.format(at), PROGRESS[event.state]].filter(Boolean).join(" · ");
  return el("span", { class: "event-words" }, el("span", { class: "event-kind" }, nameOf(event)),
    el("time", { datetime: at.toISOString() }, told));
}

/** @param {import("./ring-api.js").Link} link */
function linkRow({ account, state, identifier, devices }) {
  const whose = identifier ? ` · ${identifier}` : "";
  return el("li", { class: "ring-link", "data-state": state },
    el("span", { class: "event-kind" }, `Account …${account}${whose}`),
    el("span", { class: "ring-state" }, `${STATES[state]}${state === "lost" ? "" : `, ${devices} ${devices === 1 ? "device" : "devices"}`}`));
}

/** @param {import("./ring-api.js").Notice} notice */
function noticeRow({ code, title, fix, detail, subject, over, count, at }) {
  const times = count > 1 ? ` (${count} times)` : "";
  return el("li", { class: "ring-notice", "data-code": code, "data-over": over },
    el("p", {}, el("strong", {}, over ? "Over: " : "", `${title}${times}`), ` · ${subject} · `,
      el("time", { datetime: new Date(at * 1000).toISOString() }, WHEN.format(new Date(at * 1000)))),
    over ? null : el("p", { class: "ring-fix" }, detail ? el("samp", {}, detail) : null, detail ? ". " : null, prose(fix)));
}
