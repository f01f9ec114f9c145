// Words beside the voice: for a name, a number, a medicine, or when the sound fails.

import { el } from "../page/dom.js";
import { headline } from "./fault-view.js";
import { icon } from "./icons.js";
import { named, say, t } from "./i18n.js";
import { announce } from "./screens.js";
import { sound } from "./tones.js";

/** @typedef {import("./client/call.js").Call} Call */

export class ChatPanel {
  unread = 0;
  #call;
  #lines = el("ol", { class: "lines" });
  #log = el("div", { id: "chat-log", class: "chat-log", role: "log", tabindex: 0 }, this.#lines);
  #input = named(el("textarea", { id: "chat-text", rows: 1, maxlength: 4000, dir: "auto" }), "chat.write");
  #known = new Set();
  #isOpen;

  /**
   * @param {Call} call
   * @param {() => boolean} isOpen
   */
  constructor(call, isOpen) {
    this.#call = call;
    this.#isOpen = isOpen;
    for (const line of call.chat) this.#known.add(line.key);
    named(this.#log, "chat.log");
    const form = el("form", { class: "chat-form", onsubmit: (event) => {
      event.preventDefault();
      this.#send();
    } }, this.#input, named(el("button", { id: "chat-send", class: "round send", type: "submit" }, icon("send")), "chat.send"));
    this.#input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    });
    this.element = el("div", { class: "panel-body chat" },
      el("p", { class: "small-text" }, say("chat.kept")), this.#log, form);
    this.draw();
  }

  focus() {
    this.#input.focus();
    this.unread = 0;
  }

  draw() {
    const atEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 40;
    for (const line of this.#call.chat) {
      if (!this.#known.has(line.key) && !line.mine) {
        if (!this.#isOpen()) {
          this.unread += 1;
          announce("chat.said", { name: line.name, text: line.text });   // an open log says it by itself
        }
        sound("chat");
      }
      this.#known.add(line.key);
    }
    // Rows that are there already stay: a log that is rebuilt would be read out from its beginning.
    const rows = new Map([...this.#lines.children].map((row) => [/** @type {HTMLElement} */ (row).dataset.key, row]));
    for (const line of this.#call.chat) {
      const row = rows.get(line.key);
      if (!row) this.#lines.append(this.#row(line));
      else if (/** @type {HTMLElement} */ (row).dataset.state !== line.state) row.replaceWith(this.#row(line));
    }
    if (atEnd) this.#log.scrollTop = this.#log.scrollHeight;
  }

  /** @param {import("./client/call.js").ChatLine} line */
  #row(line) {
    const time = new Date(line.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    return el("li", { class: line.mine ? "line mine" : "line", "data-key": line.key, "data-state": line.state },
      el("span", { class: "line-head" }, el("span", { dir: "auto" }, line.mine ? t("you") : line.name), " ", el("time", {}, time)),
      el("span", { class: "line-text", dir: "auto" }, line.text),
      line.state === "sent" ? null : el("span", { class: "line-state" }, say(`chat.${line.state}`),
        line.fault ? `: ${headline(line.fault)}` : null));
  }

  #send() {
    const text = this.#input.value.trim();
    if (!text) return;
    this.#input.value = "";
    this.#call.say(text).catch(() => {});   // the line itself says that it failed
  }
}
