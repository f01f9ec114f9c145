// Tells those who listen who came, went, muted, or lost the connection.

import { announce } from "./screens.js";
import { nameOf } from "./tile.js";
import { sound } from "./tones.js";

/** @typedef {{ name: string, audio: boolean, video: boolean, screen: boolean, away: boolean }} Seen */

/** What each of a person's states is called when it changes: became true, became false. */
const CHANGES = /** @type {const} */ ([
  ["away", "said.away", "said.back"], ["audio", "said.unmuted", "said.muted"],
  ["video", "said.seen", "said.unseen"], ["screen", "said.screen", "said.no-screen"],
]);

export class Comings {
  /** Who was here when last looked; null before the first look: who was there already did not come. @type {Map<string, Seen> | null} */
  #before = null;

  /** @param {import("./client/person.js").Person[]} people */
  tell(people) {
    /** @type {Map<string, Seen>} */
    const now = new Map();
    for (const person of people) {
      const { media: { audio, video, screen }, away, key, camera } = person;
      const seen = { name: nameOf(person), audio, video, screen, away };
      now.set(key, seen);
      const before = this.#before?.get(key);
      if (!before && this.#before) announce("said.joined", { name: seen.name });
      if (before && camera === null) {
        for (const [what, on, off] of CHANGES) {
          if (before[what] === seen[what]) continue;
          const isSilence = what === "away" && person.awayCode === "ROOM-SILENT";
          announce(isSilence ? "said.silent" : seen[what] ? on : off, { name: seen.name });
        }
      }
    }
    for (const [key, { name }] of this.#before ?? []) {
      if (now.has(key)) continue;
      announce("said.left", { name });
      sound("left");
    }
    this.#before = now;
  }
}
