// Who is here, how they fare, and who knocks: let in, decline, send back, lock.

import { el } from "../page/dom.js";
import { consentNames } from "./consent-screen.js";
import { headline } from "./fault-view.js";
import { faultOf } from "./fault-of.js";
import { icon } from "./icons.js";
import { named, resay, say, spoken, t } from "./i18n.js";
import { isHost } from "./roles.js";
import { announce } from "./screens.js";
import { nameOf } from "./tile.js";
import { sound } from "./tones.js";

/** @typedef {import("./client/call.js").Call} Call */
/** @typedef {import("./client/knocks.js").Knock} Knock */
/** @typedef {import("./client/person.js").Person} Person */

/**
 * What is said of somebody who knocks: key and values. Whose link had no name is called by their role, once.
 *
 * @param {Knock} knock
 * @returns {[string, import("./i18n.js").Values]}
 */
export function knockSaid({ name, role }) {
  const word = t(`role.${role}`);
  return name ? ["knock.said", { name, role: word }] : ["knock.nameless", { role: word }];
}

export class PeoplePanel {
  #call;
  #knocks = el("ul", { id: "knocks", class: "knocks" });
  #knockPart = el("section", { class: "knock-part", "aria-labelledby": "knocks-title" });
  #all = el("button", { id: "admit-all", class: "button", type: "button" }, say("knock.all"));
  #list = el("ul", { id: "people", class: "people" });
  #lock = el("button", { id: "lock", class: "button", type: "button" }, icon("lock"));
  #lockWords = say("lock.on");
  #safety = el("section", { class: "safety", "aria-labelledby": "safety-title" });
  #said = el("p", { class: "panel-said", role: "alert" });
  /** @type {Map<string, { element: HTMLElement, waited: HTMLElement, knock: Knock }>} */
  #rows = new Map();

  #opened;

  /**
   * @param {Call} call
   * @param {() => void} opened  Opens the panel, as a refusal is read in it that may have been met elsewhere.
   */
  constructor(call, opened) {
    this.#call = call;
    this.#opened = opened;
    this.#lock.append(this.#lockWords);
    this.#lock.addEventListener("click", () => void this.#try(call.lock(!call.locked)));
    this.#all.addEventListener("click", () => void this.#try(call.admit()));
    this.#knockPart.append(el("h3", { id: "knocks-title" }, say("knock.title")), this.#knocks, this.#all);
    this.element = el("div", { class: "panel-body" }, this.#said, this.#knockPart,
      el("h3", { id: "here-title" }, say("people.here")), this.#list, this.#lock, this.#safety);
    this.draw();
  }

  /** @param {string} what */
  #may(what) {
    return this.#call.me?.may.includes(what) ?? false;
  }

  draw() {
    const { people, me, locked } = this.#call;
    const host = this.#may("admit");
    this.#lock.hidden = !host;
    resay(this.#lockWords, locked ? "lock.off" : "lock.on");
    const self = me ? [el("li", { class: "person" }, el("span", { class: "person-name", dir: "auto" }, nameOf(me)),
      el("span", { class: "person-role" }, say("people.you", { role: t(`role.${me.role}`) })))] : [];
    this.#list.replaceChildren(...self, ...people.map((person) => this.#row(person, host)));
    this.#drawSafety(people);
    this.drawKnocks();
  }

  /**
   * @param {Person} person
   * @param {boolean} host
   */
  #row(person, host) {
    const { media, away, awayCode, quality, camera, path, fault } = person;
    const state = away ? say(awayCode === "ROOM-SILENT" ? "people.silent" : "people.away") : path === "failed" && fault ? headline(fault)
      : quality && camera === null ? say(`quality.${quality.words}`) : null;
    const back = host && camera === null && !isHost(person.role)
      ? named(el("button", { class: "control", type: "button", onclick: () => void this.#try(this.#call.sendBack(person.id)) }, icon("back")),
        "people.send-back", { name: nameOf(person) }) : null;
    const agreed = host && person.consents.length
      ? el("span", { class: "person-role person-consents" }, say("people.agreed", { what: consentNames(person.consents) })) : null;
    return el("li", { class: "person", "data-person": person.id },
      el("span", { class: "person-name", dir: "auto" }, nameOf(person)),
      el("span", { class: "person-role" }, say(`role.${person.role}`), state ? " · " : null, state), agreed,
      camera === null && !media.audio ? el("span", { class: "person-mark" }, icon("mic-off"), el("span", { class: "visually-hidden" }, say("muted"))) : null,
      camera === null && !media.video ? el("span", { class: "person-mark" }, icon("camera-off"), el("span", { class: "visually-hidden" }, say("camera.off"))) : null,
      back);
  }

  /** @param {Person[]} people */
  #drawSafety(people) {
    const numbers = people.filter((person) => person.safetyNumber);
    this.#safety.hidden = numbers.length === 0;
    this.#safety.replaceChildren(
      el("h3", { id: "safety-title" }, icon("shield"), say("safety.title")),
      el("p", { class: "small-text" }, say("safety.text")),
      ...numbers.map((person) => el("p", { class: "safety-number" }, el("span", { dir: "auto" }, nameOf(person)), " ",
        el("code", { dir: "ltr" }, person.safetyNumber ?? ""))));
  }

  /** Rows stay as they are while somebody waits, so that the focus, and a reason half written, stay too. */
  drawKnocks() {
    const knocks = this.#may("admit") ? this.#call.knocks : [];
    this.#knockPart.hidden = knocks.length === 0;
    this.#all.hidden = knocks.length < 2;
    for (const [id, row] of this.#rows) {
      if (knocks.some((knock) => knock.id === id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    for (const knock of knocks) {
      if (this.#rows.has(knock.id)) continue;
      const row = this.#knock(knock);
      this.#rows.set(knock.id, row);
      this.#knocks.append(row.element);
      announce(...knockSaid(knock), { now: true });
      sound("knock");
    }
    this.tick();
  }

  /** Let somebody in who waits. @param {Knock | undefined} knock */
  admit(knock) {
    if (knock) void this.#try(this.#call.admit(knock.id));
  }

  /** The waiting times go on. */
  tick() {
    for (const { waited, knock } of this.#rows.values()) {
      resay(waited, "knock.waited", { time: { seconds: Math.max(0, Math.floor((Date.now() - knock.since) / 1000)) } });
    }
  }

  /** @param {Knock} knock */
  #knock(knock) {
    const name = nameOf(knock);
    const waited = el("span", { class: "person-role" });
    const reason = el("input", { id: `reason-${knock.id}`, maxlength: 80, autocomplete: "off" });
    const refusing = el("form", { class: "refusing", hidden: true },
      el("label", { for: reason.id }, say("knock.reason")), reason,
      el("button", { class: "button danger", type: "submit" }, say("knock.deny-now")));
    refusing.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#try(this.#call.deny(knock.id, reason.value.trim()));
    });
    const admit = el("button", { class: "button primary admit", type: "button", onclick: () => this.admit(knock) }, say("knock.admit"));
    named(admit, "knock.admit-name", { name });
    const deny = el("button", { class: "button deny", type: "button", "aria-expanded": "false" }, say("knock.deny"));
    named(deny, "knock.deny-name", { name });
    deny.addEventListener("click", () => {
      refusing.hidden = !refusing.hidden;
      deny.setAttribute("aria-expanded", String(!refusing.hidden));
      if (!refusing.hidden) reason.focus();
    });
    const element = el("li", { class: "knock", "data-person": knock.id },
      el("span", { class: "person-name", dir: "auto" }, name),
      el("span", { class: "person-role" }, spoken(el("span"), `role.${knock.role}`), " · ", waited),
      el("span", { class: "knock-actions" }, admit, deny), refusing);
    return { element, waited, knock };
  }

  /** @param {Promise<void>} doing */
  async #try(doing) {
    try {
      await doing;
      this.#said.textContent = "";
    } catch (error) {
      const fault = faultOf(error);
      this.#opened();
      this.#said.textContent = `${headline(fault)}. ${fault.fix}`;
    }
  }
}
