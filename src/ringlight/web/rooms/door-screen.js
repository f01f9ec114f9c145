// Before the door: who is expected where and when, what will happen, the mirror, and the button that enters.

import { faultOf } from "./fault-of.js";
import { el } from "../page/dom.js";
import { faultView } from "./fault-view.js";
import { icon } from "./icons.js";
import { say, spoken } from "./i18n.js";
import { Mirror } from "./mirror.js";
import { isHost, OFFERED } from "./roles.js";

/** @typedef {import("./visit.js").Link} Link */
/** @typedef {import("./visit.js").Visit} Visit */
/** @typedef {ReturnType<Mirror["handOver"]>} Hands */

const NAME = "ringlight.name";

/**
 * @param {object} options
 * @param {string} options.room
 * @param {Link | null} options.link  What the link says; null where anybody may enter by name.
 * @param {(visit: Visit | null, hands: Hands) => Promise<void>} options.enter  `null` uses the link.
 * @returns {import("./screens.js").Screen}
 */
export function doorScreen({ room, link, enter }) {
  const mirror = new Mirror({ iceServers: link?.ice ?? [] });
  const failure = el("div", { class: "door-failure" });
  const fields = link ? null : whoFields();
  const button = el("button", { id: "enter", class: "button primary large", type: "submit" }, icon("door"), say("door.enter"));
  let entering = false;
  const form = el("form", { class: "door-form", onsubmit: (event) => {
    event.preventDefault();
    void pressed();
  } }, fields?.element ?? null, failure, button,
    el("p", { class: "small-text" }, say(link ? "door.once" : "door.open-mode")));

  async function pressed() {
    if (entering) return;
    entering = true;
    button.setAttribute("aria-disabled", "true");
    const visit = fields ? { room, ...fields.read() } : null;
    try {
      await enter(visit, mirror.handOver());
    } catch (error) {
      const fault = faultOf(error);
      failure.replaceChildren(faultView(fault, { heading: "h2" }));
      entering = false;
      button.setAttribute("aria-disabled", "false");
    }
  }

  const element = el("div", { class: "door" },
    el("div", { class: "door-words" },
      el("h1", {}, link ? say("door.invited") : say("door.room", { room })),
      el("p", { class: "lead" }, link?.name ? say("door.hello", { name: link.name }) : say("door.lead")),
      link ? facts(link) : null),
    mirror.element,
    el("section", { class: "card door-card", "aria-labelledby": "door-next" },
      el("h2", { id: "door-next" }, say("door.next")),
      steps(link?.role),
      form));
  return { name: "door", element, title: link ? "door.invited" : "door.title", close: () => mirror.close() };
}

/** @param {Link} link */
function facts(link) {
  /** @type {(key: string, icon: import("./icons.js").Icon, value: HTMLElement) => HTMLElement} */
  const fact = (key, name, value) => el("div", { class: "fact" }, icon(name), el("dt", {}, say(key)), el("dd", {}, value));
  return el("dl", { class: "facts" },
    link.invited_by ? fact("door.by", "door", el("bdi", { id: "invited-by" }, link.invited_by)) : null,
    link.role ? fact("door.as", "people", say(`role.${link.role}`)) : null,
    link.expires ? fact("door.expires", "clock", say("when", { at: { at: link.expires * 1000 } })) : null);
}

/** @param {string} [role] */
function steps(role) {
  return el("ol", { class: "next" },
    el("li", {}, say("door.step-check")),
    el("li", {}, say(isHost(role) ? "door.step-host" : "door.step-wait")),
    el("li", {}, say("door.step-private")));
}

/** Name and role, where the server asks for no token. */
function whoFields() {
  const name = el("input", { id: "name", name: "name", maxlength: 80, autocomplete: "name", required: true });
  const role = el("select", { id: "role", name: "role" }, ...OFFERED.map((one) => spoken(el("option", { value: one }), `role.${one}`)));
  try {
    name.value = sessionStorage.getItem(NAME) ?? "";
  } catch {
    // then it is typed again
  }
  const element = el("div", { class: "fields" },
    el("p", {}, el("label", { for: "name" }, say("door.name")), name),
    el("p", {}, el("label", { for: "role" }, say("door.role")), role));
  return {
    element,
    read() {
      try {
        sessionStorage.setItem(NAME, name.value.trim());
      } catch {
        // as above
      }
      return { name: name.value.trim(), role: role.value };
    },
  };
}
