// A camera that is in the room: its live picture, its bell, and the turn to talk to whoever stands before it.

import { el } from "../page/dom.js";
import { CameraView } from "./client/index.js";
import { toChosenSpeaker } from "./device-picker.js";
import { headline } from "./fault-view.js";
import { icon } from "./icons.js";
import { resay, say } from "./i18n.js";
import { announce } from "./screens.js";
import { nameOf, showFault } from "./tile.js";
import { sound } from "./tones.js";

/** @typedef {import("./client/person.js").Person} Person */

const RING_EVERY_MS = 3_000;
// As long as a person stands at a door before they turn away.
const RINGS_FOR_MS = 30_000;

export class CameraTile {
  #person;
  #view;
  #video = el("video", { playsinline: true, autoplay: true, class: "tile-picture" });
  #name = el("span", { class: "tile-name", dir: "auto" });
  #veil = el("div", { class: "tile-veil" });
  #veilWords = el("p", { role: "status" });
  #details = el("button", { class: "button small-button", type: "button", hidden: true }, say("details"));
  #again = el("button", { class: "button small-button", type: "button", hidden: true }, say("try-again"));
  #talk = el("button", { class: "button talk", type: "button" }, icon("mic"));
  #talkWords = say("camera-talk.begin");
  /** What says that somebody rings; the stage puts it over all tiles. */
  bell = el("div", { class: "bell", role: "alertdialog", hidden: true });
  #ringing = 0;
  #rangAt = 0;

  /**
   * @param {Person} person
   * @param {() => string | null} token
   */
  constructor(person, token) {
    this.#person = person;
    this.#view = new CameraView(person.camera ?? "", { token });
    this.#talk.append(this.#talkWords);
    this.#veil.append(this.#veilWords, this.#details, this.#again);
    this.#details.addEventListener("click", () => this.#view.fault && showFault(this.#view.fault));
    this.#again.addEventListener("click", () => void this.#view.open());
    this.#talk.addEventListener("click", () => (this.#view.talk === "on" || this.#view.talk === "asking" ? this.#view.endTalk() : this.answer()));
    this.bell.append(
      icon("bell"), el("p", { id: `rings-${person.key}`, class: "bell-words" }, say("bell.rings", { name: nameOf(person) })),
      el("button", { class: "button primary answer", type: "button", onclick: () => this.answer() }, icon("mic"), say("bell.answer")),
      el("button", { class: "button", type: "button", onclick: () => this.#hush() }, say("bell.ignore")));
    this.bell.setAttribute("aria-labelledby", `rings-${person.key}`);
    toChosenSpeaker(this.#video);
    this.#video.muted = true;   // a door is heard when somebody answers it
    this.element = el("article", { class: "tile camera-tile", "data-person": person.id, "data-camera": person.camera ?? "" },
      this.#video, this.#veil, el("div", { class: "tile-plate" }, icon("camera"), this.#name), this.#talk);
    this.#view.addEventListener("change", () => this.draw());
    void this.#view.open();
    this.draw();
  }

  get video() {
    return this.#video;
  }

  draw() {
    const { state, talk, fault, stream } = this.#view;
    const name = nameOf(this.#person);
    this.#name.textContent = name;
    this.element.setAttribute("aria-label", name);
    this.element.dataset.state = state;
    this.element.dataset.talk = talk;
    if (this.#video.srcObject !== stream) this.#video.srcObject = stream;
    this.#video.muted = talk !== "on";
    this.#veil.hidden = state === "playing";
    this.#details.hidden = fault === null;
    const isWithoutPicture = fault !== null && (state === "failed" || state === "connecting");
    this.#again.hidden = !isWithoutPicture && state !== "lost";
    if (isWithoutPicture) {
      delete this.#veilWords.dataset.say;
      this.#veilWords.textContent = headline(fault);
    } else if (state === "connecting") resay(this.#veilWords, "tile.connecting", { name });
    else resay(this.#veilWords, state === "lost" ? "tile.lost" : "camera-opening");
    this.#talk.hidden = state !== "playing" && state !== "connecting";   // sound needs no picture
    this.#talk.classList.toggle("danger", talk === "on");
    resay(this.#talkWords, `camera-talk.${talk === "on" ? "end" : talk === "asking" ? "asking" : talk === "taken" ? "taken" : "begin"}`);
  }

  /** Its bell was pressed. */
  ring() {
    this.bell.hidden = false;
    this.#rangAt = performance.now();
    announce("bell.rings", { name: nameOf(this.#person) }, { now: true });
    sound("bell", { always: true });
    clearInterval(this.#ringing);
    this.#ringing = window.setInterval(() => {
      if (performance.now() - this.#rangAt > RINGS_FOR_MS) this.#hush();
      else sound("bell", { always: true });
    }, RING_EVERY_MS);
    this.element.scrollIntoView({ block: "nearest" });
  }

  /** Speak with whoever stands there. */
  answer() {
    this.#hush();
    void this.#view.beginTalk();
    this.#talk.focus();
  }

  #hush() {
    clearInterval(this.#ringing);
    this.bell.hidden = true;
  }

  close() {
    this.#hush();
    this.bell.remove();
    this.#view.close();
  }
}
