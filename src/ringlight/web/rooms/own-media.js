// The two buttons for one's own microphone and camera.

import { listening } from "./listening.js";
import { announce } from "./screens.js";
import { toggle } from "./toggle.js";

/** @typedef {import("./client/call.js").Call} Call */

/**
 * @param {Call} call
 * @param {{ captions?: boolean }} [options]
 */
export function ownToggles(call, { captions = false } = {}) {
  const mic = toggle("mic", () => void call.setAudio(!call.media.audio), captions ? { id: "mic", caption: "mic" } : { id: "mic" });
  const camera = toggle("camera", () => void call.setVideo(!call.media.video), captions ? { id: "camera", caption: "camera" } : { id: "camera" });
  /** @type {{ audio: boolean, video: boolean } | null} */
  let before = null;
  const close = listening(call, ["media"], () => {
    const { audio, video } = call.media;
    mic.show(audio, audio ? "mic.mute" : "mic.unmute");
    camera.show(video, video ? "camera.stop" : "camera.start");
    if (before && before.audio !== audio) announce(audio ? "mic.is-on" : "mic.is-off");
    if (before && before.video !== video) announce(video ? "camera.is-on" : "camera.is-off");
    before = { audio, video };
  });
  return { elements: [mic.element, camera.element], close };
}
