// The list of steps with their times: what has passed, what is awaited, and where it broke.

import { duration, el } from "./dom.js";
import { placeSteps } from "./steps.js";

const WORDS = { waiting: "waiting", done: "done", failed: "did not happen" };

/** Rows made once for a camera and updated in place, so that a screen reader keeps its position. */
export class StepList {
  element = el("ol", { class: "steps" });
  /** @type {Row[]} */
  #rows = [];

  constructor() {
    this.show(placeSteps([], false));
  }

  /** @param {import("./steps.js").Step[]} steps */
  show(steps) {
    if (steps.map(({ name }) => name).join() !== this.#rows.map(({ name }) => name).join()) {
      this.#rows = steps.map((step, index) => new Row(step, index));
      this.element.replaceChildren(...this.#rows.map((row) => row.element));
    }
    steps.forEach((step, index) => this.#rows[index]?.show(step));
  }
}

class Row {
  #word = el("span", { class: "visually-hidden" });
  #time = el("span", { class: "step-time" });
  name;
  element;

  /**
   * @param {import("./steps.js").Step} step
   * @param {number} index
   */
  constructor({ name, title }, index) {
    this.name = name;
    this.element = el(
      "li",
      { class: "step", "data-step": name, "data-state": "waiting" },
      el("span", { class: "step-mark", "aria-hidden": "true", "data-number": index + 1 }),
      el("span", { class: "step-title" }, title),
      this.#word,
      this.#time,
    );
  }

  /** @param {import("./steps.js").Step} step */
  show(step) {
    this.element.dataset.state = step.state;
    this.element.toggleAttribute("data-awaited", step.awaited);
    set(this.#word, `, ${WORDS[step.state]}`);
    set(this.#time, step.ms !== null ? duration(step.ms) : step.state === "failed" ? "stopped here" : "");
  }
}

/**
 * @param {HTMLElement} node
 * @param {string} text
 */
function set(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
