// The ring of light: one arc for each step, lit when it has passed. It is the product's mark doing its work.

import { svg } from "./dom.js";
import { STEPS } from "./steps.js";

const RADIUS = 52;
const GAP = 0.16;   // radians between two arcs; round caps take half of it

/** Decoration only: the list of steps says the same in words. */
export class LightRing {
  element = svg("svg", { class: "light-ring", viewBox: "0 0 128 128", "aria-hidden": "true" });
  /** @type {SVGPathElement[]} */
  #arcs = [];

  constructor() {
    this.#draw(STEPS.length);
  }

  /** @param {import("./steps.js").Step[]} steps */
  show(steps) {
    if (steps.length !== this.#arcs.length) this.#draw(steps.length);
    steps.forEach((step, index) => {
      this.#arcs[index]?.setAttribute("data-state", step.awaited ? "awaited" : step.state);
    });
  }

  /** @param {number} count */
  #draw(count) {
    this.#arcs = Array.from({ length: count }, (_, index) => svg("path", { d: arc(index, count), class: "arc" }));
    this.element.replaceChildren(...this.#arcs);
  }
}

/**
 * @param {number} index
 * @param {number} count
 * @returns {string}
 */
function arc(index, count) {
  const turn = (2 * Math.PI) / count;
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
