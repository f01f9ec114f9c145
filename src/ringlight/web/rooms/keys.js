// Everything with one key: the map, the dialog that shows it, and a way to switch it off (WCAG 2.1.4).

import { el } from "../page/dom.js";
import { icon } from "./icons.js";
import { say } from "./i18n.js";

const OFF = "ringlight.keys-off";

/** @typedef {{ key: string, words: string, run: () => void }} Shortcut  `words`: key of a text. */

/** @param {Shortcut[]} shortcuts */
export function keyboard(shortcuts) {
  const box = el("input", { type: "checkbox", id: "keys-on" });
  box.checked = enabled();
  box.addEventListener("change", () => {
    try {
      if (box.checked) localStorage.removeItem(OFF);
      else localStorage.setItem(OFF, "1");
    } catch {
      // then for this page only: the box itself is asked
    }
  });
  const rows = [...shortcuts, { key: "?", words: "keys.help" }, { key: "Esc", words: "keys.close" }];
  const dialog = el("dialog", { id: "keys", class: "confirm keys", "aria-labelledby": "keys-title" },
    el("h2", { id: "keys-title" }, say("keys.title")),
    el("dl", { class: "key-list" }, ...rows.map(({ key, words }) =>
      el("div", {}, el("dt", {}, el("kbd", {}, key.toUpperCase())), el("dd", {}, say(words))))),
    el("p", { class: "check-line" }, box, el("label", { for: "keys-on" }, say("keys.on"))),
    el("form", { method: "dialog", class: "confirm-actions" }, el("button", { class: "button primary" }, icon("cross"), say("close"))));
  document.body.append(dialog);

  /** @param {KeyboardEvent} event */
  const pressed = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "?") return show();
    const wanted = box.checked && shortcuts.find(({ key }) => key === event.key.toLowerCase());
    if (!wanted) return;
    event.preventDefault();
    wanted.run();
  };
  const show = () => dialog.showModal();
  document.addEventListener("keydown", pressed);
  return {
    show,
    close() {
      document.removeEventListener("keydown", pressed);
      dialog.remove();
    },
  };
}

/** @param {EventTarget | null} target */
function typing(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function enabled() {
  try {
    return localStorage.getItem(OFF) === null;
  } catch {
    return true;
  }
}
