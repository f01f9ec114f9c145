// Icons of the rooms' page: outlines on a 24 by 24 grid, drawn for it. Decoration: the button around each carries the words.

import { svg } from "../page/dom.js";

const ICONS = {
  mic: "M12 3.5a2.8 2.8 0 0 0-2.8 2.8v5a2.8 2.8 0 0 0 5.6 0v-5A2.8 2.8 0 0 0 12 3.5M5.8 11a6.2 6.2 0 0 0 12.4 0M12 17.2v3.3",
  "mic-off": "M9.2 9.2v2.1a2.8 2.8 0 0 0 4.5 2.2M14.8 11V6.3a2.8 2.8 0 0 0-5.5-.8M5.8 11a6.2 6.2 0 0 0 10 4.9M18.2 11c0 .8-.1 1.5-.4 2.2M12 17.2v3.3M4 4l16 16",
  camera: "M3.5 7.5h11v9h-11zM14.5 11l6-3v8l-6-3",
  "camera-off": "M10 7.5h4.5V12M14.5 11l6-3v8l-3-1.5M14.5 16.5h-11v-9h2M4 4l16 16",
  screen: "M3.5 5h17v11h-17zM9 20h6M12 16v4M12 13V8.5M9.7 10.5 12 8.2l2.3 2.3",
  chat: "M4 5h16v11H11l-4 3.5V16H4z",
  people: "M9 11.5a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4M3 19a6 6 0 0 1 12 0M15.5 5.5a3 3 0 0 1 0 5.7M17.5 13.8A5.5 5.5 0 0 1 21 19",
  more: "M5.5 12h.01M12 12h.01M18.5 12h.01",
  leave: "M4 14.5c-1-3 3-6 8-6s9 3 8 6l-3.8.8-.9-3a9 9 0 0 0-6.6 0l-.9 3z",
  lock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  unlock: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 6.7-1.4",
  shield: "M12 3.5l7 2.7v5.3c0 4.3-3 7.5-7 9-4-1.5-7-4.7-7-9V6.2zM9 12l2.2 2.2L15.2 10",
  bell: "M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 20.5a2.2 2.2 0 0 0 4 0",
  check: "M5 12.5l4.5 4.5L19 7.5",
  cross: "M6 6l12 12M18 6L6 18",
  warn: "M12 4l9 16H3zM12 10v4.5M12 17.3v.01",
  dash: "M7 12h10",
  speaker: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11",
  clock: "M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17M12 7v5l3.5 2",
  door: "M6 20.5v-17h12v17M4 20.5h16M14.5 12v.8",
  pip: "M3 5h18v14H3zM12 12h6.5v4.5H12z",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  refresh: "M19.5 12a7.5 7.5 0 1 1-2.2-5.3M19.5 4v4.5H15",
  save: "M12 4v10.5M7.5 10.5l4.5 4.5 4.5-4.5M4.5 19.5h15",
  back: "M19 12H5M11 6l-6 6 6 6",
  send: "M4 5l16 7-16 7 2.5-7zM6.5 12H12",
  keyboard: "M3 6.5h18v11H3zM6.5 10h.01M10 10h.01M13.5 10h.01M17.2 10h.01M8 14h8",
  network: "M4 17.5h.01M8.5 17.5V14M13 17.5v-7M17.5 17.5V6.5",
};

/** @typedef {keyof typeof ICONS} Icon */

/**
 * @param {Icon} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const turns = name === "back" || name === "send" ? "icon turns" : "icon";   // mirrored where one reads from the right
  return svg("svg", { class: turns, viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
}

/**
 * Draw another icon in the place of one.
 *
 * @param {Element} button
 * @param {Icon} name
 */
export function redraw(button, name) {
  button.querySelector("svg.icon path")?.setAttribute("d", ICONS[name]);
}
