// Asks whoever watches whether the view shall go on beyond Ring's time limit. On a battery every minute costs charge.

import { grantRenewal } from "./api.js";
import { el } from "./dom.js";

export class RenewalBar {
  #cameraId = "";
  #text = el("p", {});
  #button = el("button", { id: "keep-watching", class: "button primary", type: "button", onclick: () => this.#grant() },
    "Keep watching");
  element = el("div", { class: "renewal", role: "status", hidden: true }, this.#text, this.#button);

  /**
   * @param {string} cameraId
   * @param {boolean} asked  Whether the server wants to know.
   */
  show(cameraId, asked) {
    this.#cameraId = cameraId;
    if (asked === !this.element.hidden) return;
    this.element.hidden = !asked;
    this.#button.disabled = false;
    this.#text.textContent = asked
      ? "Ring ends this view soon. Going on keeps the camera awake, and on a battery that costs charge."
      : "";
  }

  async #grant() {
    this.#button.disabled = true;
    try {
      await grantRenewal(this.#cameraId);
    } catch {
      this.#button.disabled = false;   // the view itself will tell if the server is gone
    }
  }
}
