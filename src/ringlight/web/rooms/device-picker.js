// Chooses a camera, a microphone or a speaker, and remembers it for the next visit.

import { el } from "../page/dom.js";
import { say, t } from "./i18n.js";

/** @typedef {"camera" | "microphone" | "speaker"} What */

const REMEMBERED = "ringlight.device.";

/** Whether this browser lets a page choose where sound comes out. */
export const canChooseSpeaker = "setSinkId" in HTMLMediaElement.prototype;

let pickers = 0;

/**
 * @param {What} what
 * @param {(id: string) => void} [chosen]
 */
export function devicePicker(what, chosen = () => {}) {
  const id = `pick-${what}-${(pickers += 1)}`;
  const select = el("select", { id, "data-pick": what });
  const element = el("p", { class: "picker", hidden: true }, el("label", { for: id }, say(`pick.${what}`)), select);
  select.addEventListener("change", () => {
    remember(what, select.value);
    chosen(select.value);
  });
  return {
    element,

    /** The id that was chosen here or at an earlier visit; null takes the browser's choice. */
    get chosen() {
      return rememberedDevice(what);
    },

    /**
     * @param {MediaDeviceInfo[]} devices
     * @param {MediaStreamTrack} [inUse]
     */
    offer(devices, inUse) {
      const known = devices.filter((device) => device.deviceId !== "");   // without permission they have no names
      element.hidden = known.length === 0 || (what === "speaker" && !canChooseSpeaker);
      const current = inUse?.getSettings().deviceId ?? rememberedDevice(what) ?? "";
      const wanted = known.map((device) => `${device.deviceId} ${device.label}`).join("\n");
      if (select.dataset.offered !== wanted) {
        select.dataset.offered = wanted;
        select.replaceChildren(...known.map((device, index) =>
          el("option", { value: device.deviceId }, device.label || `${t(`pick.${what}`)} ${index + 1}`)));
      }
      if (known.some((device) => device.deviceId === current)) select.value = current;
    },
  };
}

/**
 * @param {What} what
 * @returns {string | null}
 */
export function rememberedDevice(what) {
  try {
    return localStorage.getItem(REMEMBERED + what);
  } catch {
    return null;
  }
}

/**
 * @param {What} what
 * @param {string} id
 */
function remember(what, id) {
  try {
    localStorage.setItem(REMEMBERED + what, id);
  } catch {
    // then for this page only
  }
}

/**
 * Let an element sound where the person chose.
 *
 * @param {HTMLMediaElement} element
 */
export function toChosenSpeaker(element) {
  const id = rememberedDevice("speaker");
  if (id && canChooseSpeaker) element.setSinkId(id).catch(() => {});   // unplugged since: the usual one will do
}
