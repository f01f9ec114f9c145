// One screen at a time: what is shown, what the tab is called, where the focus goes, and what is said aloud.

import { el } from "../page/dom.js";
import { resay, say, t } from "./i18n.js";

/** @typedef {import("./i18n.js").Values} Values */

/**
 * @typedef {object} Screen
 * @property {string} name  Names it for styles: `data-screen` of the body.
 * @property {HTMLElement} element  Its first `h1` gets the focus.
 * @property {string} title  Key of what the tab is called.
 * @property {Values} [values]
 * @property {() => void} [close]  Ends what it began.
 */

/** @type {Screen | null} */
let current = null;

/**
 * Show a screen in the place of the one before.
 *
 * @param {Screen} screen
 */
export function show(screen) {
  current?.close?.();
  current = screen;
  const place = find("screen");
  place.replaceChildren(screen.element);
  document.body.dataset.screen = screen.name;
  retitle();
  const heading = place.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  (heading ?? place).focus({ preventScroll: true });
  scrollTo(0, 0);
}

/** The screen that is shown. */
export const shownScreen = () => current?.name ?? "";

function retitle() {
  if (current) document.title = `${t(current.title, current.values)} · Ringlight`;
}

document.addEventListener("languagechange", retitle);

/**
 * Say something to those who do not see the page.
 *
 * @param {string} key
 * @param {Values} [values]
 * @param {{ now?: boolean }} [options]  `now` interrupts what is being read.
 */
export function announce(key, values, { now = false } = {}) {
  const line = el("p", {}, t(key, values));
  const region = find(now ? "said-now" : "said");
  region.append(line);
  while (region.childElementCount > 4) region.firstElementChild?.remove();   // it is not a log to read again
}

/**
 * Ask before something that cannot be taken back.
 *
 * @param {{ title: string, text: string, yes: string, values?: Values, danger?: boolean }} question  Keys of texts.
 * @returns {Promise<boolean>}
 */
export function confirmed({ title, text, yes, values, danger = false }) {
  const heading = el("h2", { id: "confirm-title" });
  resay(heading, title, values);
  const about = el("p", {});
  resay(about, text, values);
  const dialog = el("dialog", { class: "confirm", "aria-labelledby": "confirm-title" }, heading, about,
    el("form", { method: "dialog", class: "confirm-actions" },
      el("button", { class: "button", value: "no" }, say("no")),
      el("button", { class: danger ? "button danger" : "button primary", value: "yes" }, say(yes))));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

/** @param {string} id */
function find(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}
