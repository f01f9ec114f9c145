// All that is not needed every minute: devices, a small window, sounds, consent, the keys.

import { el } from "../page/dom.js";
import { consentKey, decline } from "./consent-screen.js";
import { canChooseSpeaker, devicePicker } from "./device-picker.js";
import { headline } from "./fault-view.js";
import { faultOf } from "./fault-of.js";
import { icon } from "./icons.js";
import { languagePicker, resay, say } from "./i18n.js";
import { confirmed } from "./screens.js";
import { setSounds, soundsOn } from "./tones.js";

/** @typedef {import("./client/call.js").Call} Call */
/** @typedef {import("./stage.js").Stage} Stage */

export class MorePanel {
  #call;
  #pickers;
  #consent = el("section", { class: "consent-part", "aria-labelledby": "consent-part-title" });
  #said = el("p", { class: "panel-said", role: "alert" });

  /**
   * @param {Call} call
   * @param {Stage} stage
   * @param {{ showKeys: () => void }} actions
   */
  constructor(call, stage, { showKeys }) {
    this.#call = call;
    this.#pickers = {
      camera: devicePicker("camera", (id) => void this.#try(call.chooseDevice("camera", id))),
      microphone: devicePicker("microphone", (id) => void this.#try(call.chooseDevice("microphone", id))),
      speaker: devicePicker("speaker", (id) => {
        if (canChooseSpeaker) for (const video of stage.videos) video.setSinkId(id).catch(() => {});
      }),
    };
    const sounds = el("input", { type: "checkbox", id: "sounds" });
    sounds.checked = soundsOn();
    sounds.addEventListener("change", () => setSounds(sounds.checked));
    const selfWords = say("self.hide");
    const self = el("button", { id: "hide-self", class: "button", type: "button" }, selfWords);
    self.addEventListener("click", () => resay(selfWords, stage.toggleSelf() ? "self.hide" : "self.show"));
    const pip = el("button", { id: "pip", class: "button", type: "button", onclick: () => void smallWindow(stage) }, icon("pip"), say("pip"));
    pip.hidden = !document.pictureInPictureEnabled;
    this.element = el("div", { class: "panel-body" }, this.#said,
      el("h3", {}, say("more.devices")),
      el("div", { class: "pickers" }, ...Object.values(this.#pickers).map((picker) => picker.element)),
      el("h3", {}, say("more.view")),
      el("div", { class: "stack" }, self, pip,
        el("button", { id: "show-keys", class: "button", type: "button", onclick: showKeys }, icon("keyboard"), say("keys.title")),
        el("p", { class: "check-line" }, sounds, el("label", { for: "sounds" }, say("more.sounds")))),
      el("h3", {}, say("language")), languagePicker(),
      this.#consent);
    this.drawConsent();
  }

  /** The list of devices may have changed since. */
  async opened() {
    const { cameras, microphones, speakers } = await this.#call.devices();
    this.#pickers.camera.offer(cameras, this.#call.preview.getVideoTracks()[0]);
    this.#pickers.microphone.offer(microphones);
    this.#pickers.speaker.offer(speakers);
  }

  drawConsent() {
    const { needed, given } = this.#call.consent;
    const free = needed.filter((what) => what !== "video");
    this.#consent.hidden = needed.length === 0;
    this.#consent.replaceChildren(
      el("h3", { id: "consent-part-title" }, say("consent.given")),
      given.includes("video") ? el("p", { class: "consent-what" }, icon("camera"), say("consent.video")) : "",
      ...free.map((what) => this.#choice(what, given.includes(what))),
      el("button", { id: "withdraw", class: "button", type: "button", onclick: () => void this.#withdraw() }, say("consent.withdraw")));
  }

  /**
   * What may be given and withdrawn on its own.
   *
   * @param {string} what
   * @param {boolean} isGiven
   */
  #choice(what, isGiven) {
    const box = el("input", { type: "checkbox", id: `consent-${what}` });
    box.checked = isGiven;
    box.addEventListener("change", () => {
      if (!box.checked) decline(this.#call, what);
      void this.#try(this.#call.giveConsent([what], box.checked));
    });
    return el("p", { class: "check-line" }, box, el("label", { for: box.id }, say(consentKey(what), { what })));
  }

  async #withdraw() {
    const sure = await confirmed({ title: "consent.withdraw", text: "consent.withdraw-text", yes: "consent.withdraw", danger: true });
    if (sure) await this.#try(this.#call.giveConsent([...this.#call.consent.given], false));
  }

  /** @param {Promise<void>} doing */
  async #try(doing) {
    try {
      await doing;
      this.#said.textContent = "";
    } catch (error) {
      const fault = faultOf(error);
      this.#said.textContent = `${headline(fault)}. ${fault.fix}`;
    }
  }
}

/**
 * The main picture in a window of its own, over other programs.
 *
 * @param {Stage} stage
 */
export async function smallWindow(stage) {
  try {
    if (document.pictureInPictureElement) await document.exitPictureInPicture();
    else await stage.mainVideo?.requestPictureInPicture();
  } catch {
    // there is no picture yet, or the browser does not want to
  }
}
