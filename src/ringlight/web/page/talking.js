// One person's turn to talk: first the microphone, then the camera's speaker, then the sound; and all of it back. Draws nothing.

import { beginTalk, endTalk, FaultError, faultOf, namedFault } from "./api.js";

/** @typedef {import("./api.js").Fault} Fault */

/** The microphone is open only from a press to its end: the browser's light says the truth. */
export class Talking {
  /** @type {"off" | "asking" | "on"} */
  state = "off";

  /** Why the last turn came to nothing; null when it did not. @type {Fault | null} */
  fault = null;

  /** Whether the microphone was given after the press had ended: people answer the browser's question first. */
  ready = false;

  /** Whether what the server calls taken is, or was just now, our own turn. */
  mine = false;

  #client;
  #changed;
  #headers;
  /** Counts beginnings and ends, so that what comes late is known to be late. */
  #turn = 0;
  #seenTaken = false;
  /** @type {MediaStreamTrack | null} */
  #track = null;

  /**
   * @param {import("./whep.js").WhepClient} client
   * @param {() => void} changed
   * @param {() => Record<string, string>} [headers]  Sent with each request, as those of the client.
   */
  constructor(client, changed, headers = () => ({})) {
    this.#client = client;
    this.#changed = changed;
    this.#headers = headers;
  }

  /** Never throws; what went wrong is in `fault`. */
  async begin() {
    const viewing = this.#client.resource;
    if (this.state !== "off" || !viewing) return;
    const turn = ++this.#turn;
    this.fault = null;
    this.ready = this.#seenTaken = false;
    this.#set("asking");
    try {
      const track = await openMicrophone();
      if (turn !== this.#turn) {
        track.stop();
        this.ready = true;
        this.#changed();
        return;
      }
      this.#track = track;
      track.addEventListener("ended", () => this.end());   // unplugged, or taken back
      await beginTalk(viewing, this.#headers());
      if (turn !== this.#turn) {
        if (this.#isOff()) endTalk(viewing, this.#headers());   // the end may have overtaken the beginning
        return;
      }
      this.mine = true;
      await this.#client.send(track);
      if (turn === this.#turn) this.#set("on");
    } catch (error) {
      if (turn !== this.#turn) return;
      this.end();
      this.fault = error instanceof FaultError ? error.fault : faultOf(error);
      this.#changed();
    }
  }

  /** May be called at any time, and twice. */
  end() {
    if (this.state === "off") return;
    this.#turn += 1;
    this.#track?.stop();
    this.#track = null;
    this.#client.send(null).catch(() => {});   // the connection is closed already
    if (this.#client.resource) endTalk(this.#client.resource, this.#headers());
    this.#set("off");
  }

  /**
   * Take what the server says of the turn: it may have ended it.
   *
   * @param {"none" | "free" | "taken"} talk
   */
  follow(talk) {
    if (this.state === "on" && talk === "taken") this.#seenTaken = true;
    else if (this.state === "on" && this.#seenTaken) this.end();
    if (this.state === "off" && talk !== "taken") this.mine = false;
  }

  /** A method, so that the compiler does not believe a state that may change during an await. */
  #isOff() {
    return this.state === "off";
  }

  /** @param {Talking["state"]} state */
  #set(state) {
    this.state = state;
    this.#changed();
  }
}

/**
 * @returns {Promise<MediaStreamTrack>}
 * @throws {FaultError}
 */
async function openMicrophone() {
  try {
    // Browsers hide the microphones from pages that came over plain http from another machine.
    if (!navigator.mediaDevices) throw new Error("this page came over plain http from another machine");
    return (await navigator.mediaDevices.getUserMedia({ audio: true })).getAudioTracks()[0];
  } catch (error) {
    const seen = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new FaultError(await namedFault("VIEWER-MICROPHONE", seen));
  }
}
