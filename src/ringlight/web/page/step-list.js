// The list of steps with their times: what has passed, what is awaited, and where it broke.

import { duration, el } from "./dom.js";
import { STEPS } from "./steps.js";

const WORDS = { waiting: "waiting", done: "done", failed: "did not happen" };

/** Nine rows made once and updated in place, so that a screen reader keeps its position. */
export class StepList {
  #rows = STEPS.map(({ name, title }, index) => {
    const word = el("span", { class: "visually-hidden" });
    const time = el("span", { class: "step-time" });
    const row = el(
      "li",
      { class: "step", "data-step": name, "data-state": "waiting" },
      el("span", { class: "step-mark", "aria-hidden": "true", "data-number": index + 1 }),
      el("span", { class: "step-title" }, title),
      word,
      time,
    );
    return { row, word, time };
  });

  element = el("ol", { class: "steps" }, ...this.#rows.map(({ row }) => row));

  /** @param {import("./steps.js").Step[]} steps */
  show(steps) {
    steps.forEach((step, index) => {
      const parts = this.#rows[index];
      if (!parts) return;
      parts.row.dataset.state = step.state;
      parts.row.toggleAttribute("data-awaited", step.awaited);
      set(parts.word, `, ${WORDS[step.state]}`);
      set(parts.time, step.ms !== null ? duration(step.ms) : step.state === "failed" ? "stopped here" : "");
    });
  }
}

/**
 * @param {HTMLElement} node
 * @param {string} text
 */
function set(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
