// The stage: everybody's tile, in as many columns as fit, oneself in the corner.

import { el } from "../page/dom.js";
import { CameraTile } from "./camera-tile.js";
import { icon } from "./icons.js";
import { say } from "./i18n.js";
import { ScreenTile, SelfTile, Tile } from "./tile.js";

/** @typedef {import("./client/call.js").Call} Call */
/** @typedef {import("./client/person.js").Person} Person */

export class Stage {
  #call;
  #grid = el("div", { class: "grid" });
  #bells = el("div", { class: "bells" });
  #alone = el("div", { class: "alone" }, el("p", { class: "alone-title" }, say("alone.title")), el("p", {}, say("alone.text")));
  #blocked = el("button", { id: "unblock", class: "button primary", type: "button", hidden: true }, icon("speaker"), say("unblock"));
  #self;
  /** @type {Map<string, Tile | CameraTile>} */
  #tiles = new Map();
  /** @type {Map<string, ScreenTile>} */
  #screens = new Map();
  /** @type {Set<HTMLVideoElement>} */
  #silent = new Set();
  #selfHidden = false;

  /** @param {Call} call */
  constructor(call) {
    this.#call = call;
    this.#self = new SelfTile(call);
    this.#blocked.addEventListener("click", () => this.#unblock());
    this.element = el("section", { class: "stage call-stage", "aria-labelledby": "stage-title" },
      el("h2", { id: "stage-title", class: "visually-hidden" }, say("stage")), this.#bells, this.#grid, this.#alone, this.#blocked);
    this.#grid.append(this.#self.element);
    this.draw();
  }

  /** Everybody who came, went or turned something on or off. */
  draw() {
    const { people } = this.#call;
    this.#keep(this.#tiles, people, (person) => (person.camera !== null
      ? new CameraTile(person, () => this.#call.token) : new Tile(person, (video) => this.#isBlocked(video))));
    this.#keep(this.#screens, people.filter((person) => person.media.screen), (person) => new ScreenTile(person));
    for (const tile of this.#tiles.values()) tile.draw();
    const count = this.#tiles.size + this.#screens.size;
    this.element.toggleAttribute("data-presenting", this.#screens.size > 0);
    this.#alone.hidden = count > 0;
    this.drawSelf();
  }

  /** @param {Person} person */
  drawPerson(person) {
    if (person.media.screen !== this.#screens.has(person.key)) this.draw();
    else this.#tiles.get(person.key)?.draw();
  }

  drawSelf() {
    this.#self.draw();
    const others = this.#tiles.size;
    const isHidden = (this.#self.element.hidden = this.#selfHidden && others > 0);
    this.#grid.dataset.count = String(others < 2 || isHidden ? others : others + 1);   // with more than one other, one more tile
  }

  toggleSelf() {
    this.#selfHidden = !this.#selfHidden;
    this.drawSelf();
    return !this.#selfHidden;
  }

  /** The bell of a camera was pressed. @param {Person} person */
  ring(person) {
    const tile = this.#tiles.get(person.key);
    if (tile instanceof CameraTile) tile.ring();
  }

  /** What is worth a small window of its own: a screen, else the first who is seen. */
  get mainVideo() {
    const [screen] = this.#screens.values();
    const tiles = [...this.#tiles.values()];
    return screen?.video ?? (tiles.find((tile) => !tile.element.hasAttribute("data-dark")) ?? tiles[0])?.video ?? null;
  }

  /** The elements that sound, for another speaker. */
  get videos() {
    return [...this.#tiles.values()].map((tile) => tile.video);
  }

  close() {
    for (const tile of this.#tiles.values()) if (tile instanceof CameraTile) tile.close();
  }

  /**
   * Keep a tile for each person, and none for others; those who stay are not touched, so that no picture flickers.
   *
   * @template {{ element: HTMLElement, close?: () => void }} T
   * @param {Map<string, T>} tiles
   * @param {Person[]} people
   * @param {(person: Person) => T} make
   */
  #keep(tiles, people, make) {
    const keys = new Set(people.map((person) => person.key));
    for (const [key, tile] of tiles) {
      if (keys.has(key)) continue;
      tile.close?.();
      tile.element.remove();
      tiles.delete(key);
    }
    for (const person of people) {
      if (tiles.has(person.key)) continue;
      const tile = make(person);
      tiles.set(person.key, tile);
      this.#self.element.before(tile.element);
      if (tile instanceof CameraTile) this.#bells.append(tile.bell);
    }
  }

  /** @param {HTMLVideoElement} video */
  #isBlocked(video) {
    this.#silent.add(video);
    this.#blocked.hidden = false;
  }

  #unblock() {
    this.#blocked.hidden = true;
    for (const video of this.#silent) video.play().catch(() => {});
    this.#silent.clear();
  }
}
