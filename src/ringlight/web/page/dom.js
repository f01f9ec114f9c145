// Builds DOM nodes without innerHTML, so that foreign text can never become markup.

const SVG = "http://www.w3.org/2000/svg";

/**
 * Create an HTML element.
 *
 * A string or number becomes an attribute, `true` an empty attribute, `false` and `null` none;
 * a function listens to the event that its key names after "on".
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number | boolean | null | ((event: Event) => void)>} [props]
 * @param {...(Node | string | null)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (typeof value === "function") node.addEventListener(key.replace(/^on/, ""), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value !== null) node.setAttribute(key, String(value));
  }
  for (const child of children) if (child !== null) node.append(child);
  return node;
}

/**
 * Create an SVG element.
 *
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...Node} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, String(value));
  node.append(...children);
  return node;
}

// Outlines on a 24 by 24 grid, drawn for this page.
const ICONS = {
  muted: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5",
  sound: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a7.8 7.8 0 0 1 0 11",
  fullscreen: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  pip: "M3 5h18v14H3zM12 12h6.5v4.5H12z",
  stop: "M7 7h10v10H7z",
  refresh: "M19.5 12a7.5 7.5 0 1 1-2.2-5.3M19.5 4v4.5H15",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  mic: "M12 3.5a2.8 2.8 0 0 0-2.8 2.8v5a2.8 2.8 0 0 0 5.6 0v-5A2.8 2.8 0 0 0 12 3.5M5.8 11a6.2 6.2 0 0 0 12.4 0M12 17.2v3.3",
  close: "M6 6l12 12M18 6L6 18",
  play: "M8 5.5v13l10.5-6.5z",
};

/**
 * Draw an icon. It is decoration: the button around it carries the words.
 *
 * @param {keyof typeof ICONS} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
}

/**
 * Turn `backticks` in a text of the server into code elements; everything else stays text.
 *
 * @param {string} text
 * @returns {DocumentFragment}
 */
export function prose(text) {
  const fragment = document.createDocumentFragment();
  text.split(/`([^`]+)`/).forEach((part, index) => {
    if (part) fragment.append(index % 2 ? el("code", {}, part) : part);
  });
  return fragment;
}

/**
 * Write a duration the way a person reads it: 3.1 ms, 310 ms, 1.24 s.
 *
 * @param {number} ms
 * @returns {string}
 */
export function duration(ms) {
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(ms < 99_950 ? 2 : 0)} s`;
}
