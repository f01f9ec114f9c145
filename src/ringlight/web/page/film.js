// A recording that plays where its button is, or says why it does not.

import { namedFault } from "./api.js";
import { recordingAddress, recordingFault } from "./control-api.js";
import { el } from "./dom.js";
import { cardOf } from "./fault-card.js";

/**
 * The button that plays a recording, and closes it.
 *
 * @param {string} cameraId
 * @param {string} eventId
 * @param {string} name  What a screen reader says of it.
 * @param {HTMLElement} place  Where it plays.
 * @returns {HTMLButtonElement}
 */
export function filmButton(cameraId, eventId, name, place) {
  const button = el("button", { class: "button small event-play", type: "button", "aria-expanded": "false",
    "aria-label": `Play ${name}`, onclick: toggle }, "Play");

  function toggle() {
    const open = place.childElementCount > 0;
    button.textContent = open ? "Play" : "Close";
    button.setAttribute("aria-label", `${open ? "Play" : "Close"} ${name}`);
    button.setAttribute("aria-expanded", String(!open));
    if (open) {
      place.querySelector("video")?.removeAttribute("src");
      place.replaceChildren();
    } else {
      void play();
    }
  }

  async function play() {
    const video = el("video", { class: "event-film", controls: true, autoplay: true, playsinline: true,
      "aria-label": `Recording: ${name}` });
    place.replaceChildren(video);
    // Asked before it plays: the player only knows that it does not, and what takes long to fail would fail twice.
    const refused = await recordingFault(cameraId, eventId);
    if (!video.isConnected) return;
    if (refused !== null) {
      place.replaceChildren(cardOf(refused, play));
      return;
    }
    video.addEventListener("error", async () => {
      const fault = await recordingFault(cameraId, eventId)
        ?? await namedFault("VIEWER-NO-FRAME", "the recording arrives, but the browser does not play it");
      if (video.isConnected) place.replaceChildren(cardOf(fault, play));
    });
    video.src = recordingAddress(cameraId, eventId);
  }

  return button;
}
