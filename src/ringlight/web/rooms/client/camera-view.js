// A camera as a participant of a room: its picture by WHEP, and the turn to talk when its bell was pressed.

import { FirstPicture, NO_PICTURE } from "../../page/audience.js";
import { FrameWatch } from "../../page/frames.js";
import { isGone, isReplaced, offer } from "../../page/takeover.js";
import { Talking } from "../../page/talking.js";
import { WhepClient, WhepError } from "../../page/whep.js";
import { namedFault, refusalOf } from "./fault.js";

/** @typedef {import("./fault.js").Fault} Fault */

/**
 * @typedef {object} CameraViewOptions
 * @property {() => string | null} [token]  The newest room token (`call.token`), where the server asks for its key.
 * @property {string} [base]  The server, where it is not the page's own.
 */

// A view wakes a camera, perhaps one on battery: it is opened again a few times only, and more slowly each time.
const AGAIN_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

/**
 * Fires `change`.
 *
 *     const view = new CameraView(person.camera, { token: () => call.token });
 *     video.srcObject = view.stream;
 *     await view.open();
 */
export class CameraView extends EventTarget {
  /** Picture and sound; the same over every reconnection. */
  stream = new MediaStream();
  /**
   * `connecting`: there is a path, and no picture yet; where that takes long `fault` says why, until one comes after all.
   * `lost`: another way is looked for.
   *
   * @type {"new" | "opening" | "connecting" | "playing" | "lost" | "failed" | "closed"}
   */
  state = "new";
  /** @type {Fault | null} Why it failed, why no picture comes, or why the last turn to talk came to nothing. */
  fault = null;

  #url;
  #options;
  /** @type {WhepClient | null} */
  #client = null;
  /** @type {Talking | null} */
  #talking = null;
  /** @type {FrameWatch | null} */
  #frames = null;
  #first = new FirstPicture((fault) => this.#lacksPicture(fault ?? namedFault("VIEWER-NO-FRAME", NO_PICTURE)));
  /** Why no picture comes. @type {Fault | null} */
  #lack = null;
  #hasPicture = false;
  #looking = false;
  #hadPath = false;
  #failures = 0;
  #timer = 0;

  /**
   * @param {string} camera  Its id.
   * @param {CameraViewOptions} [options]
   */
  constructor(camera, options = {}) {
    super();
    this.#options = options;
    this.#url = new URL(`/whep/${encodeURIComponent(camera)}`, options.base ?? location.href).href;
  }

  /** The turn to talk. `taken`: somebody else has it. @returns {"off" | "asking" | "on" | "taken"} */
  get talk() {
    if (this.#talking?.fault?.code === "CAM-TALK-BUSY") return "taken";
    return this.#talking?.state ?? "off";
  }

  /** Open the view; also after it failed. Never throws: watch `state`. */
  async open() {
    const isComing = this.state === "opening" || (this.state === "connecting" && this.#lack === null);
    if (this.state !== "closed" && !isComing) await this.#open("opening");
  }

  /** @param {"opening" | "lost"} state  `lost`: it was there, and another server takes over. */
  async #open(state) {
    clearTimeout(this.#timer);
    this.#leave();
    let client = /** @type {WhepClient | null} */ (null);
    const isStill = () => client === this.#client && this.state !== "closed";
    const next = () => {
      if (!isStill()) return null;
      this.#client = client = this.#newClient();
      return client;
    };
    this.#set(state, null);
    try {
      await offer(next, (error) => isStill() && isReplaced(error, state === "lost"));
      if (isStill() && client) this.#watch(client);
    } catch (error) {
      if (isStill()) this.#failed(faultOf(error));
    }
  }

  #newClient() {
    const client = new WhepClient(this.#url, { talk: true, headers: this.#headers() });
    this.#talking = new Talking(client, () => this.#talkChanged(), () => this.#headers());
    client.addEventListener("track", () => this.#tracks(client));
    client.addEventListener("statechange", () => this.#follow(client));
    return client;
  }

  /** @param {WhepClient} client */
  #watch(client) {
    this.#frames = new FrameWatch(null, () => client.getStats(), {
      first: () => this.#shows(client),
      quiet: () => void this.#look(client),
    });
  }

  /** @param {WhepClient} client */
  #shows(client) {
    this.#first.stop();
    this.#lack = null;
    this.#hasPicture = true;
    if (this.state === "connecting") this.#follow(client);
  }

  /** @param {Fault} fault */
  #lacksPicture(fault) {
    if (this.#lack?.code === fault.code) return;
    this.#lack = fault;
    this.#set(this.state, fault);
  }

  /**
   * No picture comes. Where the server has ended this viewing, or is gone while another one answers, ask for it anew.
   *
   * @param {WhepClient} client
   */
  async #look(client) {
    const session = client.resource;
    if (this.#looking || session === null) return;
    this.#looking = true;
    const isOver = await isGone(session, this.#url, { method: "OPTIONS", headers: { ...this.#headers() } });
    this.#looking = false;
    if (isOver && client === this.#client && this.state !== "closed") void this.#open("lost");
  }

  /** Answer the bell, or just speak: opens the camera's speaker for our microphone. */
  async beginTalk() {
    if (!this.#client?.canSend) return this.#set(this.state, namedFault("CAM-NO-TALK"));
    await this.#talking?.begin();
  }

  endTalk() {
    this.#talking?.end();
  }

  close() {
    clearTimeout(this.#timer);
    this.#leave();
    this.#set("closed", null);
  }

  /** A token may be renewed while this is used: so it is read for each request. @returns {Record<string, string>} */
  #headers() {
    const { token } = this.#options;
    return Object.defineProperty({}, "authorization", {
      enumerable: Boolean(token?.()), get: () => `Bearer ${token?.() ?? ""}`,
    });
  }

  #leave() {
    this.#frames?.stop();
    this.#frames = null;
    this.#first.stop();
    this.#lack = null;
    this.#hasPicture = false;
    this.#talking?.end();
    this.#client?.stop();
    this.#client = this.#talking = null;
    for (const track of this.stream.getTracks()) this.stream.removeTrack(track);
  }

  /** @param {WhepClient} client */
  #tracks(client) {
    if (client === this.#client) for (const track of client.stream.getTracks()) this.stream.addTrack(track);
  }

  /** @param {WhepClient} client */
  #follow(client) {
    if (client !== this.#client) return;
    if (client.state === "connected") {
      this.#failures = 0;
      this.#hadPath = true;
      if (!this.#hasPicture) this.#first.expect(client.resource, this.#headers());
      this.#set(this.#hasPicture ? "playing" : "connecting", this.#lack);
    } else if (client.state === "disconnected") {
      this.#first.stop();
      this.#set("lost", namedFault("VIEWER-LOST"));
      void this.#look(client);
    } else if (client.state === "failed") this.#failed(namedFault(this.#hadPath ? "VIEWER-LOST" : "VIEWER-UDP"));
  }

  /** @param {Fault} fault */
  #failed(fault) {
    this.#leave();
    const wait = AGAIN_MS[this.#failures];
    const isWorth = (fault.retry === "now" || fault.retry === "backoff") && wait !== undefined;
    this.#failures += 1;
    if (isWorth) this.#timer = self.setTimeout(() => void this.open(), wait);
    this.#set(isWorth ? "lost" : "failed", fault);
  }

  #talkChanged() {
    this.#set(this.state, this.#talking?.fault ?? this.#lack);
  }

  /**
   * @param {CameraView["state"]} state
   * @param {Fault | null} fault
   */
  #set(state, fault) {
    if (this.state === "closed") return;
    this.state = state;
    this.fault = fault;
    this.dispatchEvent(new Event("change"));
  }
}

/** @param {unknown} error @returns {Fault} */
function faultOf(error) {
  if (!(error instanceof WhepError)) return namedFault("VIEWER-NO-WEBRTC", String(error));
  if (error.status === 201) return namedFault("VIEWER-NO-FRAME", error.message);   // no codec in common
  return refusalOf(error.problem) ?? { ...namedFault("SERVER-GONE", error.message), retry: "backoff" };
}
