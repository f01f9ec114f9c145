// What a camera can do without being watched: a picture of now, light, siren, history. Shown where the camera has it.

import { faultOf } from "./api.js";
import { setLight, setSiren, takePicture } from "./control-api.js";
import { el, icon } from "./dom.js";
import { cardOf } from "./fault-card.js";
import { HistoryList } from "./history-list.js";
import { may } from "./may.js";
import { SirenButton } from "./siren-button.js";

/** @typedef {import("./api.js").Camera} Camera */

const LIGHT_WORDS = { true: "on", false: "off", null: "not known" };

/** Closed, it asks for nothing. Open, it takes a picture by itself only where that costs no battery. */
export class CameraControls {
  #id;
  /** @type {Camera | null} */
  #camera = null;
  /** What is under way: one thing of each kind at a time. @type {Set<string>} */
  #busy = new Set();
  #summary = el("summary", {});
  #said = el("p", { class: "visually-hidden", role: "status" });
  #picture = el("img", { class: "still-picture", hidden: true });
  #caption = el("figcaption", {});
  /** Keeps the place of the picture that comes: nothing may move under somebody's finger. */
  #figure = el("figure", { class: "still" }, this.#picture, this.#caption);
  #lightState = el("span", { class: "control-state" });
  #light = el("button", { class: "button control-button", type: "button", "data-control": "light",
    onclick: () => void this.#switchLight() }, "Light", this.#lightState);
  #siren = new SirenButton((on, seconds) => void this.#do("siren", async () => {
    this.#took(await setSiren(this.#id, on, seconds), on ? "The siren sounds." : "The siren is silent.");
  }));
  #faultPlace = el("div", { class: "controls-fault" });
  #historyTitle = el("h3", {}, "History");
  #history;
  #historyPart;

  /** @param {string} id  Of the camera. */
  constructor(id) {
    this.#id = id;
    this.#historyTitle.id = `history-${id}`;
    this.#history = new HistoryList(id, this.#historyTitle.id);
    this.#historyPart = el("section", { class: "controls-history" }, this.#historyTitle, this.#history.element);
    const fresh = el("button", { class: "button control-button", type: "button", "data-control": "picture",
      onclick: () => void this.#take() }, icon("refresh"), "Picture of now");
    this.element = el("details", { class: "camera-more", "data-controls": id, ontoggle: () => this.#toggled() },
      this.#summary, this.#said,
      el("div", { class: "controls" }, fresh, this.#light, this.#siren.element),
      this.#faultPlace, this.#figure, this.#historyPart);
  }

  /** @param {Camera} camera */
  show(camera) {
    this.#camera = camera;
    const { name } = camera;
    const [light, siren] = [camera.has_light && may("control"), camera.has_siren && may("control")];
    const recordings = camera.has_recordings !== false;   // not known is not "none"
    const parts = ["picture", light ? "light" : "", siren ? "siren" : "", recordings ? "history" : ""].filter(Boolean);
    const words = parts.join(", ");
    if (this.#summary.dataset.words !== words + name) {
      this.#summary.dataset.words = words + name;
      this.#summary.replaceChildren(words[0].toUpperCase() + words.slice(1),
        el("span", { class: "visually-hidden" }, ` of ${name}`));
    }
    this.#light.hidden = !light;
    this.#light.setAttribute("aria-pressed", camera.light_on === null ? "mixed" : String(camera.light_on));
    this.#lightState.textContent = LIGHT_WORDS[/** @type {"true" | "false" | "null"} */ (String(camera.light_on))];
    this.#siren.element.hidden = !siren;
    this.#siren.show(this.#id, name, camera.siren_seconds);
    this.#historyPart.hidden = !recordings;
  }

  #toggled() {
    if (!this.element.open || !this.#camera) return;
    if (this.#camera.has_recordings !== false) this.#history.reload();
    if (this.#camera.power === "wired" && this.#picture.hidden && this.#camera.state !== "offline") void this.#take();
    else if (this.#picture.hidden) this.#caption.textContent = "A picture wakes the camera, so it is taken when you ask for one.";
  }

  async #take() {
    await this.#do("picture", async () => {
      this.#caption.textContent = "Asking the camera for a picture";
      this.#figure.toggleAttribute("data-waiting", this.#picture.hidden !== false);
      try {
        const { image, source } = await takePicture(this.#id);
        URL.revokeObjectURL(this.#picture.src);
        this.#picture.src = URL.createObjectURL(image);
        this.#picture.alt = `${this.#camera?.name} now`;
        this.#picture.hidden = false;
        const whose = source === "view" ? "from the live view that runs" : "taken by the camera";
        this.#caption.textContent = `${new Date().toLocaleTimeString()}, ${whose}`;
        this.#said.textContent = `There is a picture, ${whose}.`;
      } catch (error) {
        this.#caption.textContent = "";
        throw error;
      } finally {
        this.#figure.removeAttribute("data-waiting");
      }
    });
  }

  async #switchLight() {
    const on = this.#camera?.light_on !== true;
    await this.#do("light", async () =>
      this.#took(await setLight(this.#id, on), on ? "The light is on." : "The light is off."));
  }

  /**
   * @param {Camera} camera
   * @param {string} words  For who does not see the button change.
   */
  #took(camera, words) {
    this.show(camera);
    this.#said.textContent = words;
  }

  /**
   * A fault is shown in its place, with a way to try again.
   *
   * @param {string} kind
   * @param {() => Promise<void>} work
   */
  async #do(kind, work) {
    if (this.#busy.has(kind)) return;
    this.#busy.add(kind);
    this.#faultPlace.replaceChildren();
    try {
      await work();
    } catch (error) {
      this.#faultPlace.replaceChildren(cardOf(faultOf(error), () => void this.#do(kind, work)));
    } finally {
      this.#busy.delete(kind);
    }
  }
}
