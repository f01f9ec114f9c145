// A fault in the language of the page: the shared card, with a headline and a plain sentence that patients understand.

import { diagnosisText, faultCard } from "../page/fault-card.js";
import { el } from "../page/dom.js";
import { currentLanguage, has, t } from "./i18n.js";

/** @typedef {import("../page/api.js").Fault} Fault */

/** @type {import("../page/fault-card.js").CardWords["hints"]} */
const HINTS = { now: "card.now", backoff: "card.backoff", "after-fix": "card.after-fix", never: "card.never" };

/**
 * @typedef {object} ViewOptions
 * @property {(() => void) | null} [retry]
 * @property {"h2" | "h3"} [heading]
 * @property {() => string[]} [notes]  What was seen and tried, for the diagnosis.
 */

/**
 * Show a fault; in another language as soon as the page speaks it.
 *
 * @param {Fault} fault
 * @param {ViewOptions} [options]
 * @returns {HTMLElement}
 */
export function faultView(fault, { retry = null, heading = "h2", notes = () => [] } = {}) {
  const place = el("div", { class: "fault-view" });
  const draw = () => place.replaceChildren(faultCard(fault, {
    retry, heading, words: words(), headline: headline(fault), plain: plainly(fault),
    diagnosis: () => diagnosisText(fault, { notes: notes() }),
  }));
  draw();
  const redraw = () => (place.isConnected ? draw() : document.removeEventListener("languagechange", redraw));
  document.addEventListener("languagechange", redraw);
  return place;
}

/**
 * The headline of a fault in the language of the page.
 *
 * @param {Fault} fault
 */
export function headline(fault) {
  const key = `fault.${fault.code}`;
  return currentLanguage() !== "en" && has(key) ? t(key) : fault.title;
}

// What only those who run the server can mend; to a guest the fix of the catalogue would be a riddle.
const NOT_THEIRS = /^(REACH-(?!OFFLINE|DROPPED|CLOSED)|SERVER-|TURN-|ROOM-(PATH|ID|ROLE|ORIGIN|HELLO|MESSAGE|SIZE)$)/;

/**
 * What somebody can do who runs no server; null where the catalogue's fix says it.
 *
 * @param {Fault} fault
 */
function plainly({ code }) {
  if (has(`help.${code}`)) return t(`help.${code}`);
  return NOT_THEIRS.test(code) ? t("help.others") : null;
}

/** @returns {import("../page/fault-card.js").CardWords} */
function words() {
  return {
    happened: t("card.happened"), todo: t("card.todo"), seen: t("card.seen"), again: t("try-again"),
    copy: t("card.copy"), copied: t("copied"), notCopied: t("not-copied"),
    hints: { now: t(HINTS.now), backoff: t(HINTS.backoff), "after-fix": t(HINTS["after-fix"]), never: t(HINTS.never) },
  };
}
