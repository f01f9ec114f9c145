// "What is wrong?": the browser's checks and the server's together, in a dialog, with one thing to fix first.

import { ask, faultOf } from "./api.js";
import { browserChecks } from "./browser-checks.js";
import { el, icon, prose } from "./dom.js";
import { diagnosisText, faultCard } from "./fault-card.js";

/** @typedef {import("./api.js").Fault} Fault */

/**
 * One line of the report.
 *
 * @typedef {object} Line
 * @property {string} check
 * @property {string} subject
 * @property {"good" | "note" | "fault" | "skipped"} mark
 * @property {string} looks_at
 * @property {string} seen
 * @property {string} expected
 * @property {Fault | null} fault
 */

/** @typedef {{ healthy: boolean, first: Line | null, rest: Line[], effects: Line[], checks: Line[] }} Report */

const WORDS = { good: "Good", note: "Worth knowing", fault: "Broken", skipped: "Not looked at" };
const WITHIN_MS = 20_000;   // for the server's own run, which takes ten at most

/** A modal dialog; Escape closes it, and the focus returns to where it was. */
export class Doctor {
  #said = el("p", { class: "doctor-said", role: "status" });
  #verdict = el("div", { class: "doctor-verdict" });
  #lines = el("div", { class: "doctor-lines" });
  #again = el("button", { id: "doctor-again", class: "button", type: "button" }, icon("refresh"), "Look again");
  #running = false;

  constructor() {
    const close = el("button", { class: "control", type: "button", "aria-label": "Close", onclick: () => this.element.close() },
      icon("close"));
    this.element = el("dialog", { class: "catalogue doctor", "aria-labelledby": "doctor-title" },
      el("header", { class: "catalogue-head" }, el("h2", { id: "doctor-title" }, "What is wrong?"), close, this.#said),
      el("div", { class: "doctor-body" }, this.#verdict, el("p", {}, this.#again), this.#lines));
    this.#again.addEventListener("click", () => void this.#look());
    // A click on the backdrop hits the dialog itself and nothing in it.
    this.element.addEventListener("click", (event) => {
      if (event.target === this.element) this.element.close();
    });
  }

  async open() {
    this.element.showModal();
    await this.#look();
  }

  async #look() {
    if (this.#running) return;
    this.#running = true;
    this.#again.disabled = true;
    this.#said.textContent = "Looking at this browser, the server and Ring. This takes some seconds.";
    this.#verdict.replaceChildren();
    this.#lines.replaceChildren();
    try {
      const browser = await browserChecks();
      const headers = { "content-type": "application/json" };
      const signal = AbortSignal.timeout(WITHIN_MS);
      this.#show(await ask("/api/doctor", { method: "POST", headers, body: JSON.stringify({ browser }), signal }));
    } catch (error) {
      this.#said.textContent = "";
      this.#verdict.replaceChildren(card(faultOf(error), []));
    } finally {
      this.#running = this.#again.disabled = false;
    }
  }

  /** @param {Report} report */
  #show({ first, rest, effects, checks }) {
    const counted = checks.filter(({ mark }) => mark !== "skipped").length;
    this.#said.textContent = first === null ? `${counted} checks, and nothing is wrong as far as this can be seen.`
      : first.mark === "fault" ? "Fix this first:" : "It works. Worth knowing:";
    const shown = first?.fault ? [card({ ...first.fault, detail: first.seen }, checks)] : [];
    this.#verdict.replaceChildren(...shown, ...listed("Then", rest), ...listed("Goes away with it", effects));
    this.#lines.replaceChildren(
      el("details", { class: "doctor-all" }, el("summary", {}, `All ${checks.length} checks`),
        el("ul", {}, ...checks.map(line))));
  }
}

/** @param {Fault} fault @param {Line[]} checks */
function card(fault, checks) {
  const notes = checks.map(({ check, subject, mark, seen }) => `${mark} ${check} ${subject}: ${seen}`);
  return faultCard(fault, { retry: null, diagnosis: () => diagnosisText(fault, { notes }) });
}

/** @param {string} title @param {Line[]} lines @returns {HTMLElement[]} */
function listed(title, lines) {
  if (!lines.length) return [];
  return [el("h3", {}, title), el("ul", { class: "doctor-rest" }, ...lines.map(({ fault, seen }) =>
    el("li", {}, el("code", { class: "fault-code" }, fault?.code ?? ""), " ", prose(fault?.title ?? ""), `: ${seen}`)))];
}

/** @param {Line} one */
function line({ check, subject, mark, looks_at, seen, expected }) {
  return el("li", { class: "doctor-line", "data-mark": mark, "data-check": check },
    el("p", { class: "doctor-asked" }, prose(looks_at), subject ? el("span", { class: "doctor-subject" }, ` ${subject}`) : null),
    el("p", { class: "doctor-seen" }, el("strong", {}, WORDS[mark]), ": ", prose(seen)),
    mark === "good" || mark === "skipped" ? null : el("p", { class: "doctor-expected" }, "Expected: ", prose(expected)));
}
