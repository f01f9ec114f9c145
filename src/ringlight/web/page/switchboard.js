// The switchboard of the simulator: break one thing on purpose, then see what Ringlight says about it.

import { faultOf, getSimFaults, putSimFaults } from "./api.js";
import { el, prose } from "./dom.js";

/** @typedef {import("./api.js").SimFault} SimFault */

/** Only in the demo. A change is sent at once; of several quick ones only the last counts. */
export class Switchboard {
  #options = el("div", { class: "switches" });
  #said = el("p", { class: "switch-said", role: "status" });
  #advice;
  /** @type {string | null} Chosen, but not yet sent. */
  #wanted = null;
  #sending = false;

  /** @param {() => string} advice  What to do next, given what is on the screen. */
  constructor(advice) {
    this.#advice = advice;
    this.element = el("details", { class: "switchboard panel" },
      el("summary", {}, el("h2", {}, "Switchboard"), el("span", { class: "switch-now" })),
      el("fieldset", {},
        el("legend", {}, "This is a demo: the cameras are simulated. Choose what shall go wrong."),
        this.#options),
      this.#said);
    this.#options.addEventListener("change", (event) => {
      this.#wanted = /** @type {HTMLInputElement} */ (event.target).value;
      this.#send();
    });
  }

  async load() {
    try {
      this.#fill(await getSimFaults());
    } catch (error) {
      this.#said.textContent = faultOf(error).title;
    }
  }

  /** Open it and move the focus to the present choice. */
  reveal() {
    this.element.open = true;
    this.#radios().find((radio) => radio.checked)?.focus({ preventScroll: true });
    this.element.scrollIntoView({ block: "nearest" });
  }

  /** Take back the last advice: it has been followed, or is no longer true. */
  hush() {
    this.#said.textContent = "";
  }

  #radios() {
    return [...this.#options.querySelectorAll("input")];
  }

  /** @param {SimFault[]} faults */
  #fill(faults) {
    const none = { name: "", title: "None", about: "Everything works.", code: "" };
    this.#options.replaceChildren(...[none, ...faults].map((fault) => this.#option(fault)));
    this.#check(faults);
  }

  /** @param {Pick<SimFault, "name" | "title" | "about" | "code">} fault */
  #option({ name, title, about, code }) {
    const id = `sim-about-${name || "none"}`;
    return el("label", { class: "switch" },
      el("input", { type: "radio", name: "sim-fault", value: name, "aria-describedby": id }),
      el("span", { class: "switch-title" }, title),
      el("span", { class: "switch-about", id }, prose(about), code ? " Leads to " : null, code ? el("code", {}, code) : null));
  }

  /** @param {SimFault[]} faults */
  #check(faults) {
    const on = faults.find((fault) => fault.on);
    for (const radio of this.#radios()) radio.checked = radio.value === (on?.name ?? "");
    const now = this.element.querySelector(".switch-now");
    if (now) now.textContent = on ? on.title : "All well";
    this.element.toggleAttribute("data-on", on !== undefined);
    return on;
  }

  async #send() {
    if (this.#sending) return;
    this.#sending = true;
    try {
      while (this.#wanted !== null) {
        const wanted = this.#wanted;
        this.#wanted = null;
        const faults = await putSimFaults(wanted ? [wanted] : []);
        if (this.#wanted !== null) continue;
        const on = this.#check(faults);
        this.#said.textContent = `${on ? `“${on.title}” is on.` : "Everything works again."} ${this.#advice()}`;
      }
    } catch (error) {
      this.#said.textContent = faultOf(error).title;
    } finally {
      this.#sending = false;
    }
  }
}
