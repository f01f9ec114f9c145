// One attempt to watch one camera: the media, the story of its opening, and the fault if it ends in one. Draws nothing.

import { faultOf, getAbout, namedFault, serverGone, toFault } from "./api.js";
import { FirstPicture, NO_PICTURE } from "./audience.js";
import { FrameWatch } from "./frames.js";
import { LineWatch } from "./line-watch.js";
import { isGone, isReplaced, offer, sleep } from "./takeover.js";
import { Talking } from "./talking.js";
import { WhepClient, WhepError } from "./whep.js";

/** @typedef {import("./api.js").Fault} Fault */
/** @typedef {import("./steps.js").StepTime} StepTime */

/**
 * What the server says about the view that all watchers of a camera share. Each message is the whole of it.
 *
 * @typedef {object} Snapshot
 * @property {"closed" | "opening" | "live" | "failed"} state
 * @property {number} viewers
 * @property {number} attempt  More than 1 when Ringlight has tried again by itself.
 * @property {StepTime[]} steps
 * @property {Fault | null} fault
 * @property {string[]} notes
 * @property {Fault & { seconds: number } | null} [retry]  Why the view is tried again, and in how many seconds.
 * @property {"none" | "asked" | "granted"} [renewal]  Whether we are asked to let the view go on beyond its limit.
 * @property {"none" | "free" | "taken"} [talk]  Whether the camera hears nobody, could be talked to, or is.
 * @property {boolean} [unwatched]  It has ended for want of viewers.
 * @property {boolean} [moved]  It has ended here since another server shows the camera from now on.
 */

/**
 * @typedef {object} ViewingListener
 * @property {() => void} progress  Something to read has changed.
 * @property {() => void} playing  The first picture is on the screen.
 * @property {(fault: Fault) => void} fault  It is over, for this reason.
 * @property {() => void} closed  It is over, because the server ended the view in good order.
 * @property {() => void} broken  It is over, and another one is to go on: the server that held the camera has gone, or ours
 *   has forgotten us while the network was down.
 */

const FIRST_WORD_MS = 400;      // for the state before our offer; the server is near, so this is long
const CONNECT_MS = 15_000;      // from the answer to a connection
const SERVER_BACK_MS = 10_000;  // to move to another network takes some five; the server keeps our place for 14
const ASK_AGAIN_MS = 1_000;     // between two questions whether the server is there
const LATE_NEWS_MS = 1_000;     // the events may tell the last steps just after the POST has failed

/** Starts once, ends once. */
export class Viewing {
  /** @type {Snapshot} */
  snapshot = { state: "closed", viewers: 0, attempt: 1, steps: [], fault: null, notes: [] };

  /** State of the shared view when we came to it, if somebody had opened it before us. */
  joined = /** @type {"opening" | "live" | null} */ (null);

  /** Milliseconds from `start` to the first decoded picture. */
  firstFrameMs = /** @type {number | null} */ (null);

  /** Since when the picture stands still; null while it moves. */
  stillSince = /** @type {Date | null} */ (null);

  /** Our turn to talk. */
  talking;

  /** Asked from the first picture on. */
  #line = new LineWatch(() => this.#listener.progress());
  #first = new FirstPicture((fault) => (fault ? this.#fail(fault) : void this.#failHere("VIEWER-NO-FRAME", NO_PICTURE)));
  #client;
  #video;
  #listener;
  #cameraId;
  #startedAt = performance.now();
  /** @type {"before" | "asking" | "answered" | "over"} */
  #phase = "before";
  /** @type {EventSource | null} */
  #events = null;
  /** The last message from before our offer: news of an older opening. */
  #old = "";
  #sawOpen = false;
  /** @type {FrameWatch | null} */
  #frames = null;
  #timer = 0;
  #asking = false;
  #looking = false;
  #unreachable = false;
  #goesOn;
  /** What is said while the path is broken; fetched while it is not. @type {Fault | null} */
  #lost = null;
  /** Where the server is that shows the camera, if that is one of several. @type {string | null} */
  #node = null;

  /**
   * @param {string} cameraId
   * @param {HTMLVideoElement} video
   * @param {ViewingListener} listener
   * @param {{ goesOn?: boolean }} [options]  Whether one that was `broken` goes on by this one.
   */
  constructor(cameraId, video, listener, { goesOn = false } = {}) {
    this.#cameraId = encodeURIComponent(cameraId);
    this.#video = video;
    this.#listener = listener;
    this.#goesOn = goesOn;
    this.#client = this.#newClient();
    this.talking = new Talking(this.#client, () => listener.progress());
  }

  #newClient() {
    const client = new WhepClient(`/whep/${this.#cameraId}`, { talk: true });
    client.addEventListener("statechange", () => this.#onConnection());
    client.addEventListener("track", () => this.#listener.progress());
    return client;
  }

  /** Seconds since the start. */
  get elapsed() {
    return (performance.now() - this.#startedAt) / 1000;
  }

  /** Whether the path to the server is broken for the moment, or for good: until another view goes on, that is the same. */
  get disconnected() {
    return ["disconnected", "failed"].includes(this.#client.state) || this.#unreachable;
  }

  /** What is wrong between us and the server while the view goes on: a broken path, or a thin line. @returns {Fault | null} */
  get trouble() {
    return this.disconnected ? this.#lost : this.#line.fault;
  }

  /** Whether there is something to hear. */
  get hasAudio() {
    return this.#client.stream.getAudioTracks().length > 0;
  }

  /** Whether one can talk to the camera. */
  get canTalk() {
    return this.#client.canSend && (this.snapshot.talk ?? "none") !== "none";
  }

  /** @returns {StepTime[]} The steps told by the server and our own last one. */
  get steps() {
    const ours = this.firstFrameMs === null ? [] : [{ name: "frame", ms: this.firstFrameMs }];
    return [...this.snapshot.steps, ...ours];
  }

  /** @returns {Promise<RTCStatsReport>} */
  getStats() {
    return this.#client.getStats();
  }

  /** Open. Returns when the answer is in or the attempt is over; never throws. */
  async start() {
    this.#startedAt = performance.now();
    const firstWord = this.#listen();
    try {
      await Promise.all([this.#client.prepare(), Promise.race([firstWord, sleep(FIRST_WORD_MS)])]);
      if (this.#over()) return;
      this.#phase = "asking";
      await this.#ask();
      if (this.#over()) return;
    } catch (error) {
      this.#fail(await faultOfWhep(error));
      return;
    }
    this.#phase = "answered";
    this.#follow();
    this.#onConnection();
    if (this.snapshot.state === "failed") this.#onFailed();
    this.#frames = new FrameWatch(this.#video, () => this.getStats(), {
      first: () => this.#onFirstFrame(),
      quiet: () => void this.#lookForNode(),
      still: (since) => {
        this.stillSince = since;
        this.#listener.progress();
      },
    });
  }

  async #ask() {
    let client = /** @type {WhepClient | null} */ (this.#client);
    await offer(() => {
      if (this.#over()) return null;
      if (!client) {
        client = this.#client = this.#newClient();
        this.talking = new Talking(client, () => this.#listener.progress());
      }
      this.#video.srcObject = client.stream;
      const next = client;
      client = null;
      return next;
    }, (error) => !this.#over() && isReplaced(error, this.#goesOn));
  }

  /** Of several servers, the one that shows the camera tells of its view; the events may still come from another. */
  #follow() {
    const [base] = (this.#client.resource ?? "").split("/whep/");
    if (!base || base === location.origin || new URL(base).origin !== location.origin) return;
    this.#node = base;
    this.#events?.close();
    void this.#listen();
  }

  /** End quietly. */
  stop() {
    this.#end();
    this.#events?.close();
  }

  /** A method, so that the compiler does not believe a phase that may change during an await. */
  #over() {
    return this.#phase === "over";
  }

  /** @returns {Promise<void>} Resolves with the first message. */
  #listen() {
    return new Promise((resolve) => {
      const events = this.#events = new EventSource(`${this.#node ?? ""}/api/cameras/${this.#cameraId}/events`);
      events.addEventListener("message", (event) => {
        this.#onSnapshot(event.data);
        resolve();
      });
      // The server ends them itself when the key or link that let us in is over; it names that one.
      events.addEventListener("fault", (event) => {
        events.close();   // it would only be refused again and again
        this.#fail(toFault(JSON.parse(event.data)) ?? serverGone("the events ended with an unreadable fault"));
      });
      events.addEventListener("error", () => events === this.#events && this.#onEventsLost());
    });
  }

  /** @param {string} data */
  #onSnapshot(data) {
    /** @type {Snapshot} */
    const snapshot = JSON.parse(data);
    const open = snapshot.state === "opening" || snapshot.state === "live";
    if (this.#phase === "before") {
      this.#old = data;
      this.joined = open ? /** @type {"opening" | "live"} */ (snapshot.state) : null;
      if (!open) return;
    }
    if (open) this.#old = "";   // an end that reads the same is the end of this one
    else if (data === this.#old) return;
    // Our own leaving changes the view too; only the end of the opening that failed is still ours to show.
    if (this.#phase === "over" && snapshot.state !== "failed") return;
    this.snapshot = snapshot;
    this.talking.follow(snapshot.talk ?? "none");
    this.#sawOpen ||= open;
    this.#listener.progress();
    if (this.#phase !== "answered") return;   // while asking, the reply to our offer decides
    if (snapshot.state === "failed") this.#onFailed();
    // It has ended for want of viewers, and by nobody's wish: our path was broken, or our machine slept, after which the
    // browser takes some seconds to find that out.
    const forgotten = snapshot.state === "closed" && (snapshot.unwatched || this.disconnected);
    if (snapshot.moved || (forgotten && this.firstFrameMs !== null)) this.#breakOff();
    else if (snapshot.state === "closed" && this.#sawOpen) {
      this.stop();
      this.#listener.closed();
    }
  }

  #onFailed() {
    const fault = toFault(this.snapshot.fault);
    if (fault) this.#fail(fault);
  }

  /**
   * The browser reconnects the events by itself; we only find out whether the server is still there. While there is
   * a path for pictures, or one is looked for, a server that cannot be asked may be behind a network that comes back.
   */
  async #onEventsLost() {
    if (this.#phase !== "answered" || this.#asking) return;
    this.#asking = true;
    const until = performance.now() + SERVER_BACK_MS;
    let error = await getAbout().then(() => null, faultOf);
    while (error && !this.#over() && this.#hasPath() && (performance.now() < until || !navigator.onLine)) {
      this.#setUnreachable(true);
      await sleep(ASK_AGAIN_MS);
      error = await getAbout().then(() => null, faultOf);
    }
    this.#asking = false;
    if (error) this.#fail(error);
    else if (await this.#nodeIsGone()) this.#breakOff();
    else {
      this.#setUnreachable(false);
      // What led to a server that was about to be replaced has ended for good.
      if (this.#events?.readyState === EventSource.CLOSED && !this.#over()) this.#listen();
    }
  }

  /** Whether there are several servers, and the one that shows the camera is no more, while another one answers. */
  async #nodeIsGone() {
    return this.#node !== null && isGone(`${this.#node}/health`, location.href);
  }

  /** No picture comes, and no other sign says why: a machine that lost its power closes no connection. */
  async #lookForNode() {
    if (this.#phase !== "answered" || this.#looking) return;
    this.#looking = true;
    if (await this.#nodeIsGone()) this.#breakOff();
    this.#looking = false;
  }

  #breakOff() {
    if (this.#over()) return;
    this.stop();
    this.#listener.broken();
  }

  /** The path for pictures is broken: because of our network, or because the server is gone. */
  async #onPathLost() {
    if (await this.#nodeIsGone()) this.#breakOff();
    else if (this.#client.state !== "failed") return;
    // It answers again, and has given our place away meanwhile.
    else if (this.firstFrameMs !== null) this.#breakOff();
    else this.#failHere("VIEWER-UDP", "the browser reports a failed ICE connection");
  }

  /** @param {boolean} unreachable */
  #setUnreachable(unreachable) {
    if (unreachable === this.#unreachable || this.#over()) return;
    this.#unreachable = unreachable;
    this.#listener.progress();
  }

  #hasPath() {
    return this.firstFrameMs !== null && ["connected", "disconnected"].includes(this.#client.state);
  }

  #onConnection() {
    if (this.#phase !== "answered") return;
    const state = this.#client.state;
    if (state === "failed" || state === "disconnected") this.#onPathLost();
    else if (this.firstFrameMs === null) this.#waitFor(state);
    this.#listener.progress();
  }

  #onFirstFrame() {
    this.#waitNoMore();
    this.firstFrameMs = performance.now() - this.#startedAt;
    if (this.#client.resource) this.#line.start(this.#client.resource);
    void namedFault("VIEWER-LOST", "").then((fault) => { this.#lost = fault; });
    this.#listener.playing();
  }

  /**
   * For what comes next: a connection, then a picture.
   *
   * @param {import("./whep.js").WhepState} state
   */
  #waitFor(state) {
    this.#waitNoMore();
    if (state === "connecting") {
      const late = () => void this.#failHere("VIEWER-UDP", "no connection within 15 s after the answer");
      this.#timer = window.setTimeout(late, CONNECT_MS);
    } else if (state === "connected") this.#first.expect(this.#client.resource);
  }

  #waitNoMore() {
    clearTimeout(this.#timer);
    this.#first.stop();
  }

  /**
   * A failure that only this browser can see; its text still comes from the server's catalogue.
   *
   * @param {string} code
   * @param {string} seen
   */
  async #failHere(code, seen) {
    this.#waitNoMore();
    this.#fail(await namedFault(code, seen));
  }

  /** @param {Fault} fault */
  #fail(fault) {
    if (this.#over()) return;
    this.#end();
    setTimeout(() => this.#events?.close(), LATE_NEWS_MS);
    this.#listener.fault(fault);
  }

  #end() {
    this.#phase = "over";
    this.#waitNoMore();
    this.#frames?.stop();
    this.#line.stop();
    this.talking.end();
    this.#client.stop();
    if (this.#video.srcObject === this.#client.stream) this.#video.srcObject = null;
  }
}

/**
 * @param {unknown} error
 * @returns {Promise<Fault>}
 */
async function faultOfWhep(error) {
  if (!(error instanceof WhepError)) return namedFault("VIEWER-UDP", String(error));   // WebRTC itself refuses
  if (error.status === 201) return namedFault("VIEWER-NO-FRAME", error.message);       // no codec in common
  return toFault(error.problem) ?? serverGone(error.message);
}
