// The mirror before a call: how one looks and sounds, which devices are used, and what the check of the line says.

import { el } from "../page/dom.js";
import { Precall } from "./client/index.js";
import { devicePicker } from "./device-picker.js";
import { faultView } from "./fault-view.js";
import { icon } from "./icons.js";
import { named, resay, say } from "./i18n.js";
import { Meter } from "./meter.js";
import { announce } from "./screens.js";
import { toggle } from "./toggle.js";

/** @typedef {import("./client/verdict.js").Check} Check */

/** @type {Record<Check["state"], import("./icons.js").Icon>} */
const MARKS = { waiting: "dash", running: "clock", good: "check", warning: "warn", bad: "cross", skipped: "dash" };

const WIDE = matchMedia("(min-width: 56rem)");   // as in rooms.css

/** Runs the checks and keeps what they opened for the call. */
export class Mirror {
  /** What the person wants to enter with. */
  wanted = { audio: true, video: true };
  #precall;
  #video = named(el("video", { muted: true, playsinline: true, autoplay: true, class: "mirror-picture" }), "self");
  #darkWords = el("p", {});
  #dark = el("div", { class: "mirror-dark" }, this.#darkWords);
  #actions = el("div", { class: "mirror-actions" });
  #start = el("button", { id: "check", class: "button primary", type: "button", onclick: () => void this.check() }, icon("camera"));
  #startWords = say("mirror.start");
  #meter = new Meter();
  #echo = el("button", { id: "echo", class: "button", type: "button", onclick: () => void this.#hear() }, icon("speaker"));
  #echoWords = say("mirror.echo");
  #verdict = el("p", { id: "verdict", class: "verdict", role: "status" });
  #list = el("ol", { id: "checks", class: "checks" });
  #more = el("details", { class: "mirror-more", open: true }, el("summary", {}, say("mirror.more")));
  #faults = el("div", { class: "check-faults" });
  #save = el("button", { id: "save-report", class: "button quiet", type: "button", onclick: () => this.#download() },
    icon("save"), say("mirror.save"));
  #pickers = {
    camera: devicePicker("camera", (id) => void this.#precall.choose({ camera: id })),
    microphone: devicePicker("microphone", (id) => void this.#precall.choose({ microphone: id })),
    speaker: devicePicker("speaker"),
  };
  #audio = toggle("mic", () => this.#want("audio"));
  #camera = toggle("camera", () => this.#want("video"));
  #checked = false;
  #running = false;

  /** @param {{ iceServers?: RTCIceServer[] }} [options] */
  constructor(options = {}) {
    this.#video.muted = true;
    this.#precall = new Precall(options);
    this.#precall.addEventListener("change", () => this.#draw());
    this.#precall.addEventListener("level", () => this.#meter.show(this.#precall.level));
    this.#start.append(this.#startWords);
    this.#echo.append(this.#echoWords);
    this.element = el("section", { class: "mirror", "aria-labelledby": "mirror-title" },
      el("h2", { id: "mirror-title", class: "visually-hidden" }, say("mirror.title")),
      el("div", { class: "mirror-glass" }, this.#video, this.#dark,
        el("div", { class: "mirror-bar" }, this.#audio.element, this.#camera.element)),
      el("div", { class: "mirror-check" }, this.#verdict,
        el("div", { class: "mirror-tools" }, this.#meter.element, this.#echo), this.#faults, this.#more));
    this.#more.append(el("div", { class: "pickers" }, ...Object.values(this.#pickers).map((picker) => picker.element)),
      this.#list, this.#actions);
    this.#dark.append(this.#start);
    this.#actions.append(this.#save);
    this.#draw();
  }

  /** Look at everything again. */
  async check() {
    if (this.#running) return;
    this.#running = this.#checked = true;
    this.#actions.prepend(this.#start);   // out of the picture
    this.#start.focus();
    this.#draw();
    const report = await this.#precall.run();
    this.#running = false;
    this.#more.open = report.verdict !== "good" || WIDE.matches;   // on a phone what is well is not to be in the way
    this.#draw();
    announce(`verdict.${report.verdict}`);
  }

  /** What `Call` is to begin with: the stream is handed over, and stays open. */
  handOver() {
    const stream = this.#precall.keep();
    const { camera, microphone } = this.#pickers;
    return { stream, ...this.wanted, camera: camera.chosen ?? undefined, microphone: microphone.chosen ?? undefined };
  }

  /** Camera and microphone go off, unless they were handed over. */
  close() {
    this.#precall.stop();
    this.#video.srcObject = null;
  }

  /** @param {"audio" | "video"} kind */
  #want(kind) {
    this.wanted[kind] = !this.wanted[kind];
    this.#draw();
  }

  #draw() {
    const { stream, devices, checks, report } = this.#precall;
    for (const track of stream?.getTracks() ?? []) track.enabled = this.wanted[/** @type {"audio" | "video"} */ (track.kind)];
    const seen = Boolean(stream?.getVideoTracks().length) && this.wanted.video;
    if (this.#video.srcObject !== stream) this.#video.srcObject = stream;
    this.#video.hidden = !seen;
    this.#dark.hidden = seen;
    resay(this.#darkWords, !this.wanted.video ? "mirror.off" : this.#checked && !this.#running ? "mirror.none" : "mirror.unasked");
    this.#audio.show(this.wanted.audio, this.wanted.audio ? "mic.mute" : "mic.unmute");
    this.#camera.show(this.wanted.video, this.wanted.video ? "camera.stop" : "camera.start");
    const heard = Boolean(stream?.getAudioTracks().length) && this.wanted.audio;
    this.#meter.element.hidden = !stream?.getAudioTracks().length;
    this.#echo.hidden = !heard;
    this.#pickers.camera.offer(devices.cameras, stream?.getVideoTracks()[0]);
    this.#pickers.microphone.offer(devices.microphones, stream?.getAudioTracks()[0]);
    this.#pickers.speaker.offer(devices.speakers);
    this.#drawChecks(checks);
    resay(this.#startWords, this.#running ? "mirror.running" : this.#checked ? "mirror.again" : "mirror.start");
    this.#start.setAttribute("aria-disabled", String(this.#running));
    this.#start.classList.toggle("primary", !this.#checked);
    this.#save.hidden = report === null || this.#running;
    this.#verdict.hidden = report === null || this.#running;
    if (report) {
      this.#verdict.dataset.verdict = report.verdict;
      resay(this.#verdict, `verdict.${report.verdict}`);
    }
  }

  /** @param {Check[]} checks */
  #drawChecks(checks) {
    this.element.toggleAttribute("data-checked", this.#checked);
    this.#list.replaceChildren(...checks.map((check) => el("li", { class: "check", "data-check": check.name, "data-state": check.state },
      el("span", { class: "check-mark", "aria-hidden": "true" }, icon(MARKS[check.state])),
      el("span", { class: "check-name" }, say(`check.${check.name}`)),
      el("span", { class: "check-state" }, say(`check-state.${check.state}`)))));
    const codes = checks.map((check) => (check.state === "running" ? null : check.fault?.code)).filter(Boolean).join();
    if (this.#faults.dataset.codes === codes) return;   // an alert is read out once
    this.#faults.dataset.codes = codes;
    const faults = new Map(checks.flatMap(({ fault, state }) => (fault && state !== "running" ? [[fault.code, fault]] : [])));
    this.#faults.replaceChildren(...[...faults.values()].map((fault) =>
      faultView(fault, { heading: "h3" })));
  }

  async #hear() {
    if (this.#echo.getAttribute("aria-disabled") === "true") return;
    this.#echo.setAttribute("aria-disabled", "true");
    await this.#precall.echo({
      speaker: this.#pickers.speaker.chosen ?? undefined,
      onPhase: (phase) => {
        resay(this.#echoWords, phase === "done" ? "mirror.echo" : `echo.${phase}`);
        announce(`echo.${phase}`);
      },
    });
    this.#echo.setAttribute("aria-disabled", "false");
  }

  #download() {
    const { report } = this.#precall;
    if (!report) return;
    const file = URL.createObjectURL(new Blob([JSON.stringify(report, null, 2)], { type: "application/json" }));
    el("a", { href: file, download: `ringlight-check-${report.at.slice(0, 10)}.json` }).click();
    URL.revokeObjectURL(file);
  }
}
