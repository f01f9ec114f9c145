// Shows a fault: what happened, what to do, and a way to try again or to hand it to somebody who can help.

import { duration, el, icon, prose } from "./dom.js";

/** @typedef {import("./api.js").Fault} Fault */

/**
 * What the card itself says, beside the texts of the fault.
 *
 * @typedef {object} CardWords
 * @property {string} happened
 * @property {string} todo
 * @property {string} seen
 * @property {string} again
 * @property {string} copy
 * @property {string} copied
 * @property {string} notCopied
 * @property {Record<Fault["retry"], string>} hints  What another try is worth.
 */

/** @type {CardWords} */
const ENGLISH = {
  happened: "What happened",
  todo: "What to do",
  seen: "Seen:",
  again: "Try again",
  copy: "Copy diagnosis",
  copied: "Copied",
  notCopied: "Could not copy",
  hints: {
    now: "Trying again may be all it takes.",
    backoff: "Wait a few moments before you try again.",
    "after-fix": "Do this first, then try again.",
    never: "Trying again alone will not help.",
  },
};

/**
 * @typedef {object} CardOptions
 * @property {(() => void) | null} retry  What "Try again" does.
 * @property {() => string} diagnosis  The text that "Copy diagnosis" copies.
 * @property {SVGSVGElement | null} [ring]  Shows where it broke.
 * @property {CardWords} [words]  English where left out.
 * @property {string | null} [headline]  Instead of the fault's title, in the language of the page.
 * @property {string | null} [plain]  A sentence for people who run no server, in the language of the page.
 * @property {"h2" | "h3"} [heading]  Where the card stands on the page.
 */

/**
 * @param {Fault} fault
 * @param {CardOptions} options
 * @returns {HTMLElement}
 */
export function faultCard(fault, options) {
  const { retry, diagnosis, ring = null, words = ENGLISH, headline = null, plain = null, heading = "h3" } = options;
  const part = heading === "h3" ? "h4" : "h3";
  // The catalogue is English; a screen reader of another language is to read it so.
  /** @type {Record<string, string>} */
  const english = words === ENGLISH ? {} : { lang: "en", dir: "ltr" };
  const title = headline ? el(heading, { class: "fault-title" }, headline)
    : el(heading, { class: "fault-title", ...english }, prose(fault.title));
  // The alert holds the words and not the buttons: it is read out as one sentence after the other.
  const told = el(
    "div",
    { role: "alert", class: "fault-words" },
    title,
    plain ? el("p", { class: "fault-plain" }, plain) : null,
    el(part, {}, words.happened),
    el("p", { class: "fault-cause", ...english }, prose(fault.cause)),
    fault.detail ? el("p", { class: "fault-detail" }, el("span", {}, `${words.seen} `), el("samp", english, fault.detail)) : null,
    el(part, {}, words.todo),
    el("p", { class: "fault-fix", ...english }, prose(fault.fix)),
    el("p", { class: "fault-hint" }, words.hints[fault.retry] ?? ""),
  );
  const again = retry && el("button", { id: "try-again", class: "button primary", type: "button", onclick: retry },
    icon("refresh"), words.again);
  return el(
    "article",
    { class: "fault-card", "data-fault-code": fault.code },
    el("div", { class: "fault-top" }, ring, faultLink(fault)),
    told,
    el("div", { class: "fault-actions" }, again, ...copyButton(diagnosis, words)),
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
 * @param {CardWords} words
 * @returns {HTMLElement[]}  The button, and what tells a screen reader how it went.
 */
function copyButton(text, words) {
  const label = el("span", {}, words.copy);
  const said = el("span", { class: "visually-hidden", role: "status" });
  const button = el("button", { class: "button", type: "button" }, icon("copy"), label);
  button.addEventListener("click", async () => {
    label.textContent = said.textContent = (await copy(text(), button)) ? words.copied : words.notCopied;
    setTimeout(() => {
      label.textContent = words.copy;
      said.textContent = "";
    }, 2_500);
  });
  return [button, said];
}

/**
 * Put a text on the clipboard.
 *
 * @param {string} text
 * @param {HTMLElement} near  Where a helper element may live for a moment.
 * @returns {Promise<boolean>}
 */
export async function copy(text, near) {
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
