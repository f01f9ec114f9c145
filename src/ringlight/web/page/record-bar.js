// One button that records what is watched, a clock while it does, and a link to the file after.

import { endRecording, faultOf, lookAtRecording, startRecording } from "./api.js";
import { el } from "./dom.js";

/** @typedef {import("./api.js").Recording} Recording */

const LOOK_EVERY_MS = 500;

export class RecordBar {
  #cameraId = "";
  #watched = false;
  #busy = false;
  /** @type {Recording | null} */
  #recording = null;
  #timer = 0;
  #button = el("button", { id: "record", class: "button", type: "button", onclick: () => this.#press() }, "Record");
  #clock = el("span", { class: "record-clock" });
  #said = el("p", { class: "record-said", role: "status" });
  element = el("div", { class: "record-bar", role: "group", "aria-label": "Recording", hidden: true },
    this.#button, this.#clock, this.#said);

  /**
   * @param {string} cameraId
   * @param {boolean} watched  Whether it is on the screen.
   */
  show(cameraId, watched) {
    if (cameraId !== this.#cameraId) this.#forget();
    this.#cameraId = cameraId;
    this.#watched = watched;
    this.#render();
  }

  get #runs() {
    return this.#recording?.status === "recording";
  }

  /** Another camera is chosen: what is recorded goes on by itself, and stays in the list of its camera. */
  #forget() {
    clearTimeout(this.#timer);
    this.#recording = null;
    this.#said.replaceChildren();
  }

  async #press() {
    if (this.#busy) return;
    this.#busy = true;
    const id = this.#cameraId;
    try {
      const recording = this.#recording;
      const seen = recording && this.#runs ? await endRecording(id, recording.id) : await startRecording(id);
      if (id === this.#cameraId) this.#take(seen);
    } catch (error) {
      if (id === this.#cameraId) this.#complain(faultOf(error));
    } finally {
      this.#busy = false;
    }
  }

  async #look() {
    const recording = this.#recording;
    if (!recording) return;
    if (this.#busy) {
      this.#later();
      return;
    }
    try {
      const seen = await lookAtRecording(this.#cameraId, recording.id);
      if (recording === this.#recording) this.#take(seen);
    } catch (error) {
      if (recording !== this.#recording) return;
      const fault = faultOf(error);
      if (fault.code !== "FILE-GONE") return this.#later();   // it goes on all the same, and somebody must be able to end it
      this.#recording = null;
      this.#complain(fault);
    }
  }

  /** @param {Recording} recording */
  #take(recording) {
    this.#recording = recording;
    clearTimeout(this.#timer);
    if (this.#runs) {
      this.#said.textContent = "Recording";
      this.#later();
    } else {
      this.#offer(recording);
    }
    this.#render();
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.#look(), LOOK_EVERY_MS);
  }

  /** @param {Recording} recording */
  #offer({ files, seconds, fault }) {
    const links = files.map((href, index) =>
      el("a", { href, download: "" }, index ? `Download part ${index + 1}` : `Download ${clock(seconds)}`));
    const why = fault ? [el("span", {}, `${fault.title}. ${fault.fix.replaceAll("`", "")}`)] : [];
    this.#said.replaceChildren(...links, ...why);
  }

  /** @param {import("./api.js").Fault} fault */
  #complain(fault) {
    this.#said.textContent = `${fault.title}. ${fault.fix.replaceAll("`", "")}`;
    this.#render();
  }

  #render() {
    this.element.hidden = !this.#watched && !this.#recording;
    this.#button.hidden = !this.#watched && !this.#runs;
    this.#button.textContent = this.#runs ? "Stop recording" : "Record";
    this.#clock.textContent = this.#runs ? clock(this.#recording?.seconds ?? 0) : "";
  }
}

/**
 * @param {number} seconds
 * @returns {string}
 */
function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
}
