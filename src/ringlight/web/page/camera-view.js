// <camera-view>: one camera on the screen, from the click to the picture, or to the fault and what to do about it.

import { getAbout, namedFault } from "./api.js";
import { el, icon } from "./dom.js";
import { diagnosisText, faultCard } from "./fault-card.js";
import { LightRing } from "./light-ring.js";
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
const COME_BACK_MS = 180_000;     // that a picture whose server went out of reach is waited for
const COME_BACK_EVERY_MS = 1_000;

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
      this.#player.element, this.#talk.element, this.#turning.element, this.#recording.element, this.#renewal.element,
      this.#faultPlace, this.#story,
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

  /** Start again from nothing: a new connection, no steps, no fault. */
  retry() {
    if (!this.#camera) return;
    this.#viewing?.stop();
    this.#player.reset();
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
      lost: (fault) => this.#lost(fault),
      closed: () => this.#stopped("Ringlight closed this view."),
    });
    this.#enter("opening");
    this.#viewing.start();
  }

  /** Stop watching; the camera stays chosen. */
  stop() {
    if (this.state !== "opening" && this.state !== "playing") return;
    this.#viewing?.stop();
    this.#stopped("Stopped.");
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

  /**
   * The way to the server broke under a picture. What was watched is opened again by itself as soon as it can be.
   *
   * @param {Fault | null} fault  Null where the server answers already.
   */
  #lost(fault) {
    if (!fault) return this.retry();
    this.#fail(fault);
    this.#comeBack(this.#viewing, performance.now() + COME_BACK_MS);
  }

  /**
   * @param {Viewing | null} viewing  The one that was lost; where another has begun meanwhile, nobody needs this.
   * @param {number} until
   */
  async #comeBack(viewing, until) {
    const isWanted = () => this.#viewing === viewing && this.state === "failed" && performance.now() < until;
    while (isWanted()) {
      await new Promise((resolve) => setTimeout(resolve, COME_BACK_EVERY_MS));
      const answers = await getAbout().then(() => true, () => false);
      if (answers && isWanted()) return this.retry();
    }
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
    this.#turning.show(this.#camera?.id ?? "", this.state === "playing" && this.#camera?.canTurn === true);
    this.#recording.show(this.#camera?.id ?? "", this.state === "playing");
    this.#talk.show(this.state === "playing" ? this.#viewing : null);
    if (this.state === "opening") this.#announce(steps);
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
