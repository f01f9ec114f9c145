// The video with its buttons: sound, picture in picture, full screen, stop. It plays what it is given.

import { el, icon } from "./dom.js";

/** @typedef {HTMLVideoElement & { webkitEnterFullscreen?: () => void }} Video */

/** The stage is dark in every colour scheme, as a screen is. */
export class Player {
  video = /** @type {Video} */ (
    el("video", { id: "player", muted: true, autoplay: true, playsinline: true, "aria-label": "Live video" })
  );

  /** Says over the picture what the picture cannot say: that it stands still, or that the path is broken. */
  #note = el("p", { class: "stage-note", role: "status", hidden: true });
  #live = el("span", { class: "live" }, "Live");
  #viewers = el("span", { class: "viewers" });
  #sound = control("muted", "Unmute", () => this.#toggleSound());
  #pip = control("pip", "Picture in picture", () => this.#togglePip());
  #full = control("fullscreen", "Full screen", () => this.#toggleFullscreen());

  /**
   * @param {HTMLElement} cover  Lies over the picture while there is none.
   * @param {() => void} stop
   */
  constructor(cover, stop) {
    const stopButton = el("button", { id: "stop", class: "button stop", type: "button", onclick: stop }, icon("stop"), "Stop");
    this.stopButton = stopButton;
    this.bar = el("div", { class: "bar" }, this.#live, this.#viewers,
      el("span", { class: "spring" }), this.#sound, this.#pip, this.#full, stopButton);
    this.element = el("div", { class: "stage" }, el("div", { class: "screen" }, this.video, cover, this.#note), this.bar);
    this.video.muted = true;   // the attribute alone counts only for the parser
    this.video.addEventListener("resize", () => this.#fit());
    this.video.addEventListener("volumechange", () => this.#labelSound());
    this.element.addEventListener("fullscreenchange", () => this.#labelFullscreen());
  }

  /**
   * @param {{ playing: boolean, hasAudio: boolean, viewers: number, note: string }} what
   */
  show({ playing, hasAudio, viewers, note }) {
    this.#live.hidden = !playing || note !== "";
    this.#viewers.hidden = !playing || viewers < 2;
    this.#viewers.textContent = `${viewers} watching`;
    this.#sound.hidden = !playing || !hasAudio;
    this.#pip.hidden = !playing || !document.pictureInPictureEnabled;
    this.#full.hidden = !playing || !(this.element.requestFullscreen ?? this.video.webkitEnterFullscreen);
    this.#note.hidden = note === "";
    if (this.#note.textContent !== note) this.#note.textContent = note;
  }

  /** Leave what lies outside of the page's own layout, and be silent again for the next camera. */
  reset() {
    this.video.muted = true;
    if (document.fullscreenElement === this.element) document.exitFullscreen();
    if (document.pictureInPictureElement === this.video) document.exitPictureInPicture();
    this.element.style.removeProperty("--ratio");
  }

  /** Doorbells are square or tall, cameras wide: the stage takes the shape of the picture. */
  #fit() {
    const { videoWidth, videoHeight } = this.video;
    if (videoWidth && videoHeight) this.element.style.setProperty("--ratio", `${videoWidth / videoHeight}`);
  }

  #toggleSound() {
    this.video.muted = !this.video.muted;
    this.video.play().catch(() => {});   // a browser that refuses sound keeps the picture
  }

  #labelSound() {
    relabel(this.#sound, this.video.muted ? "muted" : "sound", this.video.muted ? "Unmute" : "Mute");
  }

  #togglePip() {
    const change = document.pictureInPictureElement
      ? document.exitPictureInPicture()
      : this.video.requestPictureInPicture();
    change.catch(() => {});   // refused by the browser's settings: nothing has changed, and it shows
  }

  #toggleFullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (this.element.requestFullscreen) this.element.requestFullscreen().catch(() => {});
    else this.video.webkitEnterFullscreen?.();   // iPhones enlarge only the video itself
  }

  #labelFullscreen() {
    relabel(this.#full, "fullscreen", document.fullscreenElement ? "Leave full screen" : "Full screen");
  }
}

/**
 * @param {Parameters<typeof icon>[0]} picture
 * @param {string} label
 * @param {() => void} onclick
 */
function control(picture, label, onclick) {
  return el("button", { class: "control", type: "button", "aria-label": label, title: label, onclick }, icon(picture));
}

/**
 * @param {HTMLButtonElement} button
 * @param {Parameters<typeof icon>[0]} picture
 * @param {string} label
 */
function relabel(button, picture, label) {
  button.replaceChildren(icon(picture));
  button.setAttribute("aria-label", label);
  button.title = label;
}
