// Shows a fault: what happened, what to do, and a way to try again or to hand it to somebody who can help.

import { duration, el, icon, prose } from "./dom.js";

/** @typedef {import("./api.js").Fault} Fault */

/** @type {Record<Fault["retry"], string>} */
const RETRY_HINTS = {
  now: "Trying again may be all it takes.",
  backoff: "Wait a few moments before you try again.",
  "after-fix": "Do this first, then try again.",
  never: "Trying again alone will not help.",
};

/**
 * @typedef {object} CardOptions
 * @property {(() => void) | null} retry  What "Try again" does.
 * @property {() => string} diagnosis  The text that "Copy diagnosis" copies.
 * @property {SVGSVGElement | null} [ring]  Shows where it broke.
 */

/**
 * @param {Fault} fault
 * @param {CardOptions} options
 * @returns {HTMLElement}
 */
export function faultCard(fault, { retry, diagnosis, ring = null }) {
  // The alert holds the words and not the buttons: it is read out as one sentence after the other.
  const words = el(
    "div",
    { role: "alert", class: "fault-words" },
    el("h3", { class: "fault-title" }, prose(fault.title)),
    el("h4", {}, "What happened"),
    el("p", { class: "fault-cause" }, prose(fault.cause)),
    fault.detail ? el("p", { class: "fault-detail" }, el("span", {}, "Seen: "), el("samp", {}, fault.detail)) : null,
    el("h4", {}, "What to do"),
    el("p", { class: "fault-fix" }, prose(fault.fix)),
    el("p", { class: "fault-hint" }, RETRY_HINTS[fault.retry] ?? ""),
  );
  const again = retry && el("button", { id: "try-again", class: "button primary", type: "button", onclick: retry },
    icon("refresh"), "Try again");
  return el(
    "article",
    { class: "fault-card", "data-fault-code": fault.code },
    el("div", { class: "fault-top" }, ring, faultLink(fault)),
    words,
    el("div", { class: "fault-actions" }, again, ...copyButton(diagnosis)),
  );
}

/**
 * The code, as a link to its page where the server has one; it opens beside the view that is being looked at.
 *
 * @param {Fault} fault
 * @returns {HTMLElement}
 */
export function faultLink({ code, help }) {
  const shown = el("code", { class: "fault-code" }, code);
  if (!help?.startsWith("/faults/")) return shown;
  return el("a", { class: "fault-link", href: help, target: "_blank", rel: "noopener", title: "More about this" }, shown);
}

/**
 * Write down everything a helper would ask for first.
 *
 * @param {Fault} fault
 * @param {{ camera?: string, attempt?: number, steps?: import("./steps.js").Step[], notes?: string[] }} [story]
 * @returns {string}
 */
export function diagnosisText(fault, { camera, attempt, steps = [], notes = [] } = {}) {
  const lines = [`${fault.code}: ${fault.title}`, `Cause: ${fault.cause}`, `Fix: ${fault.fix}`];
  if (fault.detail) lines.push(`Detail: ${fault.detail}`);
  if (camera) lines.push(`Camera: ${camera}`);
  if (attempt && attempt > 1) lines.push(`Attempt: ${attempt}`);
  if (steps.length) lines.push("Steps:");
  for (const step of steps) {
    const result = step.ms !== null ? duration(step.ms) : step.state === "failed" ? "did not happen" : "-";
    lines.push(`  ${step.title.padEnd(18)} ${result}`);
  }
  for (const note of notes) lines.push(`Note: ${note}`);
  lines.push(`Time: ${new Date().toISOString()}`, `Browser: ${navigator.userAgent}`);
  return lines.join("\n");
}

/**
 * @param {() => string} text
 * @returns {HTMLElement[]}  The button, and what tells a screen reader how it went.
 */
function copyButton(text) {
  const label = el("span", {}, "Copy diagnosis");
  const said = el("span", { class: "visually-hidden", role: "status" });
  const button = el("button", { class: "button", type: "button" }, icon("copy"), label);
  button.addEventListener("click", async () => {
    label.textContent = said.textContent = (await copy(text(), button)) ? "Copied" : "Could not copy";
    setTimeout(() => {
      label.textContent = "Copy diagnosis";
      said.textContent = "";
    }, 2_500);
  });
  return [button, said];
}

/**
 * @param {string} text
 * @param {HTMLElement} near  Where a helper element may live for a moment.
 * @returns {Promise<boolean>}
 */
async function copy(text, near) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without HTTPS, from another machine in the house, browsers have only the old way.
    const area = el("textarea", { class: "visually-hidden", readonly: true, "aria-hidden": "true" });
    area.value = text;
    near.after(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    near.focus();
    return copied;
  }
}

/**
 * A fault card that stands beside others on the page.
 *
 * @param {import("./api.js").Fault} fault
 * @param {() => void} retry
 */
export function cardOf(fault, retry) {
  const card = faultCard(fault, { retry, diagnosis: () => diagnosisText(fault) });
  for (const button of card.querySelectorAll("[id]")) button.removeAttribute("id");   // those are the view's own
  return card;
}
