// The catalogue of faults in a dialog: everything that can go wrong, searchable, loaded when first opened.

import { faultOf, getFaults } from "./api.js";
import { el, icon, prose } from "./dom.js";

/** @typedef {import("./api.js").Fault} Fault */

/** A modal dialog; Escape closes it, and the focus returns to where it was. */
export class Catalogue {
  #search = el("input", { type: "search", id: "fault-search", autocomplete: "off", spellcheck: "false" });
  #count = el("p", { class: "catalogue-count", role: "status" });
  #list = el("div", { class: "catalogue-list" });
  /** @type {{ words: string, element: HTMLElement }[]} */
  #entries = [];

  constructor() {
    const close = el("button", { class: "control", type: "button", "aria-label": "Close", onclick: () => this.element.close() },
      icon("close"));
    this.element = el("dialog", { class: "catalogue", "aria-labelledby": "catalogue-title" },
      el("header", { class: "catalogue-head" }, el("h2", { id: "catalogue-title" }, "Faults"), close,
        el("label", { for: "fault-search" }, "Search by code or words"), this.#search, this.#count),
      this.#list);
    this.#search.addEventListener("input", () => this.#filter());
    // A click on the backdrop hits the dialog itself and nothing in it.
    this.element.addEventListener("click", (event) => {
      if (event.target === this.element) this.element.close();
    });
  }

  async open() {
    this.element.showModal();
    this.#search.focus();
    if (this.#entries.length === 0) await this.#load();
  }

  async #load() {
    this.#count.textContent = "Loading";
    try {
      const faults = await getFaults();
      this.#entries = faults.map((fault) => ({ words: words(fault), element: entry(fault) }));
      this.#list.replaceChildren(...this.#entries.map(({ element }) => element));
      this.#filter();
    } catch (error) {
      const { title, fix } = faultOf(error);
      this.#count.textContent = "";
      this.#list.replaceChildren(el("p", { role: "alert" }, el("strong", {}, title), ". ", prose(fix)));
    }
  }

  #filter() {
    const wanted = this.#search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { words, element } of this.#entries) {
      element.hidden = !wanted.every((word) => words.includes(word));
      if (!element.hidden) shown += 1;
    }
    this.#count.textContent = `${shown} of ${this.#entries.length}`;
  }
}

/** @param {Fault} fault */
function words({ code, title, cause, fix }) {
  return [code, title, cause, fix].join(" ").toLowerCase();
}

/** @param {Fault} fault */
function entry({ code, title, cause, fix, help }) {
  return el("details", { class: "entry" },
    el("summary", {},
      el("span", { class: "entry-name" }, el("code", { class: "fault-code" }, code), el("span", {}, prose(title)))),
    el("h3", {}, "What happened"), el("p", {}, prose(cause)),
    el("h3", {}, "What to do"), el("p", {}, prose(fix)),
    help ? el("p", {}, el("a", { href: help, target: "_blank", rel: "noopener" }, `More about ${code}`)) : null);
}
