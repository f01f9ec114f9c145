// The ring of light: one arc for each step, lit when it has passed. It is the product's mark doing its work.

import { svg } from "./dom.js";
import { STEPS } from "./steps.js";

const RADIUS = 52;
const GAP = 0.16;   // radians between two arcs; round caps take half of it

/** Decoration only: the list of steps says the same in words. */
export class LightRing {
  #arcs = STEPS.map((_, index) => svg("path", { d: arc(index), class: "arc" }));

  element = svg("svg", { class: "light-ring", viewBox: "0 0 128 128", "aria-hidden": "true" }, ...this.#arcs);

  /** @param {import("./steps.js").Step[]} steps */
  show(steps) {
    steps.forEach((step, index) => {
      this.#arcs[index]?.setAttribute("data-state", step.awaited ? "awaited" : step.state);
    });
  }
}

/**
 * @param {number} index
 * @returns {string}
 */
function arc(index) {
  const turn = (2 * Math.PI) / STEPS.length;
  const from = index * turn - Math.PI / 2 + GAP / 2;
  const to = from + turn - GAP;
  return `M${point(from)}A${RADIUS} ${RADIUS} 0 0 1 ${point(to)}`;
}

/**
 * @param {number} angle
 * @returns {string}
 */
function point(angle) {
  return `${(64 + RADIUS * Math.cos(angle)).toFixed(2)} ${(64 + RADIUS * Math.sin(angle)).toFixed(2)}`;
}
