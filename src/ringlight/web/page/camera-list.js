// The list of cameras: one button each, with what is known about it before it is opened.

import { CameraControls } from "./camera-controls.js";
import { el, prose } from "./dom.js";

/** @typedef {import("./api.js").Camera} Camera */

const STATES = { online: "Online", offline: "Offline", unknown: "State unknown" };
const LOW_BATTERY = 20;   // per cent; below it a live view is a thing to think about twice

/** @type {Record<Camera["renewal"], string>} */
const BEYOND_LIMIT = {
  ask: "At Ring's time limit you are asked whether it goes on.",
  never: "It ends at Ring's time limit.",
  "while-watched": "It goes on beyond Ring's time limit while somebody watches.",
};

/**
 * One line about a camera, for people.
 *
 * @param {Camera} camera
 * @returns {string}
 */
export function aboutCamera(camera) {
  return [origin(camera), condition(camera)].filter(Boolean).join(" · ");
}

/** Keeps its rows from one update to the next, so that the focus stays where it is. */
export class CameraList {
  element = el("ul", { class: "cameras" });
  /** @type {Map<string, Row>} */
  #rows = new Map();
  #watch;

  /** @param {(id: string) => void} watch */
  constructor(watch) {
    this.#watch = watch;
  }

  /** @param {Camera[]} cameras */
  show(cameras) {
    const rows = cameras.map((camera) => {
      const row = this.#rows.get(camera.id) ?? new Row(camera.id, this.#watch);
      row.show(camera);
      return row;
    });
    const items = rows.map((row) => row.element);
    const same = items.length === this.element.children.length && items.every((item, i) => item === this.element.children[i]);
    if (!same) this.element.replaceChildren(...items);
    this.#rows = new Map(cameras.map((camera, index) => [camera.id, /** @type {Row} */ (rows[index])]));
  }

  /**
   * @param {string | null} id  The camera on the screen.
   * @param {string} word  What its button says instead of "Watch".
   */
  mark(id, word) {
    for (const [rowId, row] of this.#rows) row.mark(rowId === id ? word : null);
  }
}

class Row {
  #name = el("span", { class: "camera-name" });
  #model = el("span", { class: "camera-model" });
  #about = el("span", { class: "camera-about" });
  #others = el("span", { class: "camera-others" });
  #action = el("span", { class: "camera-action" }, "Watch");
  #refusal = el("p", { class: "camera-refusal", hidden: true });
  #cost = el("p", { class: "camera-cost", hidden: true });
  #controls;
  #button;

  /**
   * @param {string} id
   * @param {(id: string) => void} watch
   */
  constructor(id, watch) {
    this.#cost.id = `cost-${id}`;
    this.#controls = new CameraControls(id);
    this.#button = el("button", { class: "camera", type: "button", "data-camera": id, onclick: () => watch(id) },
      el("span", { class: "camera-light", "aria-hidden": "true" }),
      el("span", { class: "camera-words" }, this.#name, this.#model, this.#about, this.#others),
      this.#action);
    this.element = el("li", {}, this.#button, this.#cost, this.#refusal, this.#controls.element);
  }

  /** @param {Camera} camera */
  show(camera) {
    this.#button.dataset.online = camera.state;
    this.#name.textContent = camera.name;
    this.#model.textContent = origin(camera);
    this.#about.textContent = condition(camera);
    this.#others.textContent = camera.viewers > 0 ? `${camera.viewers} watching now` : "";
    this.#cost.hidden = camera.battery_cost === null;
    this.#cost.textContent = camera.battery_cost
      ? `Video on battery: ${camera.battery_cost.text}. ${BEYOND_LIMIT[camera.renewal]}` : "";
    if (camera.battery_cost) this.#button.setAttribute("aria-describedby", this.#cost.id);
    else this.#button.removeAttribute("aria-describedby");
    this.#controls.show(camera);
    this.#refusal.hidden = camera.refusal === null;
    if (camera.refusal) {
      const { title, fix } = camera.refusal;
      this.#refusal.replaceChildren(el("strong", {}, title), ". ", prose(fix));
    }
  }

  /** @param {string | null} word */
  mark(word) {
    this.#action.textContent = word ?? "Watch";
    if (word) this.#button.setAttribute("aria-current", "true");
    else this.#button.removeAttribute("aria-current");
  }
}

/** @param {Camera} camera */
function origin({ kind, model }) {
  return kind === "partner" ? `${model} · linked account` : model;
}

/** @param {Camera} camera */
function condition(camera) {
  return [STATES[camera.state], power(camera)].filter(Boolean).join(" · ");
}

/** @param {Camera} camera */
function power({ power, battery_percent: percent }) {
  if (power === "wired") return "Wired";
  if (power !== "battery") return "";
  if (percent === null) return "Battery";
  return percent < LOW_BATTERY ? `Battery low, ${percent}\u00a0%` : `Battery ${percent}\u00a0%`;
}
