// The siren: asks before it sounds, counts down while it does, and silences it.

import { el } from "./dom.js";

const SECONDS = 30;

export class SirenButton {
  #until = 0;
  #clock = 0;
  #switch;
  #name = "";
  #left = el("span", { class: "control-state", "aria-hidden": "true" });
  #word = el("span", {}, "Sound the siren");
  element = el("button", { class: "button control-button", type: "button", "data-control": "siren",
    onclick: () => this.#press() }, this.#word, this.#left);
  #question = el("h2", { id: "" });
  #dialog = el("dialog", { class: "confirm" }, this.#question,
    el("p", {}, `It is loud, and everybody near the camera hears it for ${SECONDS} seconds. You can silence it here.`),
    el("div", { class: "confirm-actions" },
      el("button", { class: "button", type: "button", autofocus: true, "data-confirm": "no",
        onclick: () => this.#dialog.close() }, "Cancel"),
      el("button", { class: "button primary", type: "button", "data-confirm": "yes", onclick: () => this.#sound() },
        `Sound it for ${SECONDS} s`)));

  /** @param {(on: boolean, seconds: number) => void} change */
  constructor(change) {
    this.#switch = change;
  }

  /**
   * @param {string} cameraId
   * @param {string} name  Of the camera.
   * @param {number | null} seconds  For how long it sounds yet; null where that is not known.
   */
  show(cameraId, name, seconds) {
    this.#name = name;
    this.#question.id = `siren-${cameraId}`;
    this.#dialog.setAttribute("aria-labelledby", this.#question.id);
    this.#until = performance.now() + (seconds ?? 0) * 1000;
    clearInterval(this.#clock);
    if (seconds) this.#clock = window.setInterval(() => this.#render(), 500);
    this.#render();
  }

  get #sounds() {
    return this.#until > performance.now();
  }

  #render() {
    const left = Math.ceil((this.#until - performance.now()) / 1000);
    if (!this.#sounds) clearInterval(this.#clock);
    const word = this.#sounds ? "Silence the siren" : "Sound the siren";
    if (this.#word.textContent !== word) this.#word.textContent = word;
    this.#left.textContent = this.#sounds ? `${left} s` : "";
    this.element.toggleAttribute("data-on", this.#sounds);
  }

  #press() {
    if (this.#sounds) return this.#switch(false, SECONDS);
    this.#question.textContent = `Sound the siren of ${this.#name}?`;
    if (!this.#dialog.isConnected) document.body.append(this.#dialog);
    this.#dialog.showModal();
  }

  #sound() {
    this.#dialog.close();
    this.#switch(true, SECONDS);
  }
}
