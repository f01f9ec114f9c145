// Words from browser to browser over a data channel, with a receipt for each. Where there is no channel, or no receipt,
// the caller sends them over the server; whoever hears them twice counts them once.

const RECEIPT_MS = 3_000;
const REMEMBERED = 500;   // ids of what was heard

/**
 * @typedef {{ t: "hi" } | { t: "chat", id: string, text: string } | { t: "got", id: string }
 *   | { t: "video", on: boolean }} Line
 */

/**
 * One person's end. Fires `chat` (with `.text`, `.id`) through `hear`, and `video` through `hearVideo`.
 */
export class DirectLine {
  /** Whether the other side understands this: a channel alone is not enough, pages of the old kind open any. */
  isReady = false;

  #hear;
  /** @type {RTCDataChannel | null} */
  #channel = null;
  /** @type {Map<string, (arrived: boolean) => void>} */
  #receipts = new Map();

  /** @param {(line: { t: "chat", id: string, text: string } | { t: "video", on: boolean }) => void} hear */
  constructor(hear) {
    this.#hear = hear;
  }

  /**
   * Go on over this channel; null: there is none for now.
   *
   * @param {RTCDataChannel | null} channel
   */
  use(channel) {
    if (channel === this.#channel) return;
    this.#drop();
    this.#channel = channel;
    if (!channel) return;
    /** @param {(event: any) => void} act */
    const own = (act) => (/** @type {any} */ event) => { if (this.#channel === channel) act(event); };
    channel.onopen = own(() => this.#write({ t: "hi" }));
    channel.onmessage = own(({ data }) => this.#read(data));
    channel.onclose = own(() => this.#drop());
    if (channel.readyState === "open") this.#write({ t: "hi" });
  }

  /**
   * Resolves to whether the other browser has it.
   *
   * @param {string} id
   * @param {string} text
   * @returns {Promise<boolean>}
   */
  say(id, text) {
    if (!this.isReady || !this.#write({ t: "chat", id, text })) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle(false), RECEIPT_MS);
      const settle = (/** @type {boolean} */ arrived) => {
        clearTimeout(timer);
        this.#receipts.delete(id);
        resolve(arrived);
      };
      this.#receipts.set(id, settle);
    });
  }

  /** Tell whether our picture comes; it may be left out for this person only. @param {boolean} on */
  tellVideo(on) {
    if (this.isReady) this.#write({ t: "video", on });
  }

  /** @param {Line} line */
  #write(line) {
    if (this.#channel?.readyState !== "open") return false;
    this.#channel.send(JSON.stringify(line));
    return true;
  }

  /** @param {unknown} data */
  #read(data) {
    const line = lineOf(data);
    if (!line) return;
    if (line.t === "hi") this.isReady = true;
    else if (line.t === "got") this.#receipts.get(line.id)?.(true);
    else {
      if (line.t === "chat") this.#write({ t: "got", id: line.id });
      this.#hear(line);
    }
  }

  #drop() {
    this.isReady = false;
    this.#channel = null;
    for (const settle of [...this.#receipts.values()]) settle(false);
  }
}

/**
 * Read what came; null when it is nothing of ours.
 *
 * @param {unknown} data
 * @returns {Line | null}
 */
export function lineOf(data) {
  try {
    const line = JSON.parse(String(data));
    if (line?.t === "hi") return { t: "hi" };
    if (line?.t === "video" && typeof line.on === "boolean") return { t: "video", on: line.on };
    if (typeof line?.id !== "string" || line.id.length > 64) return null;
    if (line.t === "got") return { t: "got", id: line.id };
    if (line.t === "chat" && typeof line.text === "string") return { t: "chat", id: line.id, text: line.text.slice(0, 4000) };
  } catch {
    // no JSON
  }
  return null;
}

/** Ids that were heard, so that what comes both ways counts once. */
export class Heard {
  /** @type {Set<string>} */
  #ids = new Set();

  /**
   * Whether it is heard for the first time.
   *
   * @param {string} id
   */
  isNew(id) {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    if (this.#ids.size > REMEMBERED) this.#ids.delete(/** @type {string} */ (this.#ids.values().next().value));
    return true;
  }
}
