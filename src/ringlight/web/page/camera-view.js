// <camera-view>: one camera on the screen, from the click to the picture, or to the fault and what to do about it.

import { namedFault } from "./api.js";
import { el, icon, prose } from "./dom.js";
import { diagnosisText, faultCard, faultLink } from "./fault-card.js";
import { LightRing } from "./light-ring.js";
import { may, whyLimited } from "./may.js";
import { Player } from "./player.js";
import { RecordBar } from "./record-bar.js";
import { RenewalBar } from "./renewal-bar.js";
import { StepList } from "./step-list.js";
import { placeSteps } from "./steps.js";
import { TalkBar } from "./talk-bar.js";
import { TurnPad } from "./turn-pad.js";
import { Viewing } from "./viewing.js";

/** @typedef {import("./api.js").Fault} Fault */
/** @typedef {"idle" | "opening" | "playing" | "failed" | "stopped"} ViewState */

// A wired camera answers in about a second; after this long, say why it may take longer.
const PATIENCE_S = 6;

/** @type {Record<ViewState, string>} */
const STORY_TITLES = {
  idle: "",
  opening: "Opening, step by step",
  playing: "How the view opened",
  failed: "How far it came",
  stopped: "How the view opened",
};

/**
 * Fires `viewstate` when its state changes; the attribute `state` has the same word.
 */
export class CameraView extends HTMLElement {
  /** @type {{ id: string, name: string, about: string, canTurn: boolean, steps: string[] | null } | null} */
  #camera = null;
  /** @type {Viewing | null} */
  #viewing = null;
  /** @type {Fault | null} */
  #fault = null;
  /** What is said of our own line. @type {Fault | null} */
  #trouble = null;
  #announced = 0;
  #clock = 0;

  #title = el("h2", { class: "view-title" }, "Choose a camera");
  #about = el("p", { class: "view-about" });
  #said = el("p", { class: "visually-hidden", role: "status" });
  #ring = new LightRing();
  #coverText = el("p", { class: "cover-text" });
  #coverHint = el("p", { class: "cover-hint" });
  #again = el("button", { id: "watch-again", class: "button primary", type: "button", onclick: () => this.retry() },
    icon("play"), "Watch again");
  #ringPlace = el("div", { class: "cover-ring" }, this.#ring.element);
  #cover = el("div", { class: "cover" }, this.#ringPlace, this.#coverText, this.#coverHint, this.#again);
  #player = new Player(this.#cover, () => this.stop());
  #renewal = new RenewalBar();
  #turning = new TurnPad();
  #talk = new TalkBar();
  #recording = new RecordBar();
  #limits = el("p", { id: "limits", class: "quiet-text", hidden: true });
  #line = el("div", { class: "line-note", role: "status", hidden: true });
  #faultPlace = el("div", { class: "fault-place" });
  #steps = new StepList();
  #notes = el("ul", { class: "notes" });
  #storyTitle = el("h3", { id: "story-title" });
  #story = el("section", { class: "story", "aria-labelledby": "story-title" },
    this.#storyTitle, this.#steps.element, this.#notes);

  connectedCallback() {
    if (this.childElementCount) return;
    this.append(
      el("header", { class: "view-head" }, this.#title, this.#about), this.#said,
      this.#player.element, this.#line,
      el("div", { class: "view-bars" }, this.#talk.element, this.#turning.element, this.#recording.element),
      this.#renewal.element, this.#limits, this.#faultPlace, this.#story,
    );
    this.#enter("idle");
  }

  /** @returns {ViewState} */
  get state() {
    return /** @type {ViewState} */ (this.getAttribute("state") ?? "idle");
  }

  /** Code of the fault on show, or null. */
  get faultCode() {
    return this.#fault?.code ?? null;
  }

  /** Milliseconds from the click to the first decoded picture; null before it. */
  get firstFrameMs() {
    return this.#viewing?.firstFrameMs ?? null;
  }

  /**
   * WebRTC statistics of the present viewing; empty when there is none.
   *
   * @returns {Promise<RTCStatsReport>}
   */
  async stats() {
    return this.#viewing ? this.#viewing.getStats() : new Map();
  }

  /**
   * Watch a camera. Does nothing when it is on the screen already.
   *
   * @param {{ id: string, name: string, about: string, canTurn: boolean, steps: string[] | null }} camera  `about` is a line for people.
   */
  watch(camera) {
    if (camera.id === this.#camera?.id && (this.state === "opening" || this.state === "playing")) return;
    this.#camera = camera;
    this.retry();
  }

  /**
   * Start again from nothing: a new connection, no steps, no fault.
   *
   * @param {{ goesOn?: boolean }} [options]  Whether it was on the screen a moment ago: sound and full screen stay.
   */
  retry(options = {}) {
    if (!this.#camera) return;
    this.#viewing?.stop();
    if (!options.goesOn) this.#player.reset();
    this.#announced = 0;
    this.#fault = null;
    if (!("RTCPeerConnection" in window)) {
      namedFault("VIEWER-NO-WEBRTC", navigator.userAgent).then((fault) => this.#fail(fault));
      return;
    }
    this.#viewing = new Viewing(this.#camera.id, this.#player.video, {
      progress: () => this.#render(),
      playing: () => this.#enter("playing"),
      fault: (fault) => this.#fail(fault),
      closed: () => this.#stopped("Ringlight closed this view."),
      broken: () => this.retry({ goesOn: true }),
    }, options);
    this.#enter("opening");
    this.#viewing.start();
  }

  /** Stop watching; the camera stays chosen. */
  stop() {
    if (this.state !== "opening" && this.state !== "playing") return;
    this.#viewing?.stop();
    this.#stopped("Stopped.");
  }

  /** Leave out what whoever watches may not do, and say why. */
  limit() {
    this.#limits.replaceChildren(prose(whyLimited()));
    this.#render();
  }

  /** Stop watching and forget the camera. */
  close() {
    this.#viewing?.stop();
    this.#viewing = null;
    this.#camera = null;
    this.#fault = null;
    this.#player.reset();
    this.#enter("idle");
  }

  /** @param {string} text */
  #stopped(text) {
    this.#player.reset();
    this.#coverText.textContent = text;
    this.#enter("stopped");
  }

  /** @param {Fault} fault */
  #fail(fault) {
    this.#player.reset();
    this.#fault = fault;
    this.#enter("failed");
  }

  /** @param {ViewState} state */
  #enter(state) {
    const focused = document.activeElement;
    this.setAttribute("state", state);
    clearInterval(this.#clock);
    if (state === "opening") this.#clock = window.setInterval(() => this.#tick(), 100);
    this.#title.textContent = this.#camera?.name ?? "Choose a camera";
    this.#about.textContent = this.#camera?.about ?? "";
    this.#player.element.hidden = state === "failed";
    this.#player.bar.hidden = state === "idle" || state === "stopped";
    this.#cover.hidden = state === "playing";
    this.#again.hidden = state !== "stopped";
    this.#story.hidden = state === "idle";
    this.#storyTitle.textContent = STORY_TITLES[state === "failed" && this.firstFrameMs !== null ? "playing" : state];
    if (state !== "stopped") this.#coverText.textContent = state === "idle" ? "Live video appears here." : "";
    this.#coverHint.textContent = "";
    this.#showFault();
    this.#tick();
    this.#render();
    this.#say(state);
    this.#keepFocus(focused);
    this.dispatchEvent(new Event("viewstate", { bubbles: true }));
  }

  #showFault() {
    const fault = this.#fault;
    if (!fault) {
      this.#faultPlace.replaceChildren();
      this.#ringPlace.append(this.#ring.element);
      return;
    }
    const diagnosis = () => {
      const { attempt, notes } = this.#viewing?.snapshot ?? {};
      const camera = `${this.#camera?.name} (${this.#camera?.id})`;
      return diagnosisText(fault, { camera, attempt, notes, steps: this.#placed() });
    };
    this.#faultPlace.replaceChildren(
      faultCard(fault, { retry: () => this.retry(), diagnosis, ring: this.#ring.element }),
    );
  }

  #placed() {
    return placeSteps(this.#viewing?.steps ?? [], this.state === "failed", this.#camera?.steps ?? null);
  }

  /** Bring everything that moves during a state up to date. */
  #render() {
    const steps = this.#placed();
    this.#ring.show(steps);
    this.#steps.show(steps);
    const notes = this.#viewing ? storyNotes(this.#viewing) : [];
    if (notes.join("\n") !== [...this.#notes.children].map((item) => item.textContent).join("\n")) {
      this.#notes.replaceChildren(...notes.map((note) => el("li", {}, note)));
    }
    this.#player.show({
      playing: this.state === "playing",
      hasAudio: this.#viewing?.hasAudio ?? false,
      viewers: this.#viewing?.snapshot.viewers ?? 0,
      note: this.state === "playing" && this.#viewing ? pictureNote(this.#viewing) : "",
    });
    const asked = this.state === "playing" && this.#viewing?.snapshot.renewal === "asked";
    this.#renewal.show(this.#camera?.id ?? "", asked);
    const playing = this.state === "playing";
    this.#turning.show(this.#camera?.id ?? "", playing && this.#camera?.canTurn === true && may("control"));
    this.#recording.show(this.#camera?.id ?? "", playing && may("control"));
    this.#talk.show(playing && may("talk") ? this.#viewing : null);
    this.#limits.hidden = !playing || this.#limits.childNodes.length === 0;
    this.#showLine(playing ? this.#viewing?.trouble ?? null : null);
    if (this.state === "opening") this.#announce(steps);
  }

  /**
   * Say why there are no pictures, or not all of them, for this viewer alone, and what helps.
   *
   * @param {Fault | null} fault
   */
  #showLine(fault) {
    if (fault === this.#trouble) return;
    this.#trouble = fault;
    this.#line.hidden = fault === null;
    this.#line.replaceChildren(...(fault ? [
      el("p", { class: "line-title" }, prose(fault.title), fault.detail ? `: ${fault.detail}. ` : ". ", faultLink(fault)),
      el("p", {}, prose(fault.fix)),
    ] : []));
  }

  /** The seconds that a person waits are counted before their eyes. */
  #tick() {
    if (this.state !== "opening" || !this.#viewing) return;
    const { elapsed } = this.#viewing;
    this.#coverText.textContent = `${elapsed.toFixed(1)} s`;
    const waiting = elapsed < PATIENCE_S ? "Opening the live view" : "Still waiting. A sleeping camera can take 20 s to wake.";
    const hint = retryNote(this.#viewing) ?? waiting;
    if (this.#coverHint.textContent !== hint) this.#coverHint.textContent = hint;
  }

  /**
   * Tell a screen reader which steps have passed since it was last told.
   *
   * @param {import("./steps.js").Step[]} steps
   */
  #announce(steps) {
    const done = steps.filter((step) => step.state === "done");
    if (done.length <= this.#announced) return;
    this.#said.textContent = done.slice(this.#announced).map((step) => step.title).join(", ");
    this.#announced = done.length;
  }

  /** @param {ViewState} state */
  #say(state) {
    const name = this.#camera?.name ?? "";
    if (state === "opening") this.#said.textContent = `Opening ${name}`;
    if (state === "playing") this.#said.textContent = `${name} is live`;
    if (state === "stopped") this.#said.textContent = this.#coverText.textContent;
    if (state === "failed") this.#said.textContent = "";   // the fault card speaks for itself
  }

  /**
   * When the button in use disappears, the next useful one takes the focus.
   *
   * @param {Element | null} focused
   */
  #keepFocus(focused) {
    const lost = focused instanceof HTMLElement && (!focused.isConnected || focused.getClientRects().length === 0);
    if (!lost || focused === document.body) return;
    const next = { idle: null, opening: "#stop", playing: "#stop", failed: "#try-again", stopped: "#watch-again" };
    const selector = next[this.state];
    if (selector) /** @type {HTMLElement | null} */ (this.querySelector(selector))?.focus();
  }
}

/**
 * @param {Viewing} viewing
 * @returns {string[]}
 */
function storyNotes({ joined, snapshot }) {
  const notes = [...snapshot.notes];
  if (snapshot.attempt > 1) notes.unshift(`Ringlight tried again by itself: this is attempt ${snapshot.attempt}.`);
  if (joined === "live") {
    notes.unshift("You joined a view that was already open: the first eight times are from when it opened, the last is yours.");
  }
  if (joined === "opening") notes.unshift("You joined a view that somebody else was just opening.");
  return notes;
}

/**
 * @param {Viewing} viewing
 * @returns {string}
 */
function pictureNote(viewing) {
  const { stillSince, disconnected, snapshot } = viewing;
  const again = retryNote(viewing);
  if (again) return `The view broke off. ${again}`;
  if (snapshot.state === "opening") return "The view broke off and is being opened again.";
  return [
    stillSince ? `This picture stands still. It is from ${stillSince.toLocaleTimeString()}.` : "",
    disconnected ? "The connection is interrupted. Waiting for it to return." : "",
  ].join(" ").trim();
}

/**
 * @param {Viewing} viewing
 * @returns {string | null}
 */
function retryNote({ snapshot: { retry } }) {
  if (!retry) return null;
  const when = retry.seconds < 1 ? "now" : `in ${Math.round(retry.seconds)} s`;
  return `Trying again ${when}, because: ${retry.title}.`;
}

customElements.define("camera-view", CameraView);
