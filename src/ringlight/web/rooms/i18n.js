// The words of the rooms' page: one JSON file for each language, chosen by the browser's or by the picker, changed while a call runs.

import { el } from "../page/dom.js";

/** What the picker offers, each in its own words. */
export const LANGUAGES = { en: "English", de: "Deutsch", es: "Español", fr: "Français", hi: "हिन्दी", ar: "العربية" };

const RIGHT_TO_LEFT = new Set(["ar"]);
const REMEMBERED = "ringlight.language";

/**
 * What stands in a `{place}` of a text: words, a number, seconds of time, or a moment (milliseconds since 1970).
 *
 * @typedef {string | number | { seconds: number } | { at: number }} Value
 * @typedef {Record<string, Value>} Values
 * @typedef {keyof typeof LANGUAGES} Language
 */

/** @type {Record<string, string>} */
let texts = {};
/** @type {Record<string, string>} */
let fallback = {};
/** @type {Language} */
let language = "en";

/**
 * The language for somebody: what they chose before, else the first of the browser's that there is, else English.
 *
 * @param {string | null} remembered
 * @param {readonly string[]} wanted  As `navigator.languages` says it: "de-AT", "en".
 * @returns {Language}
 */
export function chooseLanguage(remembered, wanted) {
  for (const one of [remembered ?? "", ...wanted]) {
    const base = one.toLowerCase().split("-")[0];
    if (base && Object.hasOwn(LANGUAGES, base)) return /** @type {Language} */ (base);
  }
  return "en";
}

/** Load the words before anything is drawn. */
export async function startLanguage() {
  fallback = await load("en");
  await setLanguage(chooseLanguage(remember(), navigator.languages));
}

/**
 * Speak another language from now on; what is on the screen changes in place.
 *
 * @param {Language} wanted
 */
export async function setLanguage(wanted) {
  try {
    texts = wanted === "en" ? fallback : await load(wanted);
    language = wanted;
  } catch {
    return;   // without the file the words stay as they are
  }
  document.documentElement.lang = language;
  document.documentElement.dir = RIGHT_TO_LEFT.has(language) ? "rtl" : "ltr";
  for (const node of document.querySelectorAll("[data-say]")) speak(/** @type {HTMLElement} */ (node));
  document.dispatchEvent(new CustomEvent("languagechange"));
}

/** @returns {Language} */
export const currentLanguage = () => language;

/**
 * The text for a key; the key itself if there is none, so that nothing is ever empty.
 *
 * @param {string} key
 * @param {Values} [values]
 */
export function t(key, values = {}) {
  const text = texts[key] ?? fallback[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? shown(/** @type {Value} */ (values[name])) : whole));
}

/** @param {string} key */
export const has = (key) => Object.hasOwn(texts, key) || Object.hasOwn(fallback, key);

/**
 * A span that says a text, in whatever language the page speaks later.
 *
 * @param {string} key
 * @param {Values} [values]
 */
export function say(key, values) {
  const node = el("span");
  resay(node, key, values);
  return node;
}

/**
 * Let an element say another text.
 *
 * @param {Element} node
 * @param {string} key
 * @param {Values} [values]
 */
export function resay(node, key, values = {}) {
  const said = JSON.stringify(values);
  const { dataset } = /** @type {HTMLElement} */ (node);
  if (dataset.say === key && dataset.values === said) return;   // a live region is not to say the same again
  dataset.say = key;
  dataset.values = said;
  speak(node);
}

/**
 * Let an element say a text, and return it.
 *
 * @template {Element} E
 * @param {E} node
 * @param {string} key
 * @param {Values} [values]
 * @returns {E}
 */
export function spoken(node, key, values) {
  resay(node, key, values);
  return node;
}

/**
 * Give an element a name for screen readers, and as its tooltip.
 *
 * @template {Element} E
 * @param {E} node
 * @param {string} key
 * @param {Values} [values]
 * @returns {E}
 */
export function named(node, key, values = {}) {
  const { dataset } = /** @type {HTMLElement} */ (/** @type {unknown} */ (node));
  dataset.sayAs = "aria-label";
  resay(node, key, values);
  return node;
}

/** @param {Element} node */
function speak(node) {
  const { say: key = "", values = "{}", sayAs } = /** @type {HTMLElement} */ (node).dataset;
  const text = t(key, JSON.parse(values));
  if (!sayAs) node.textContent = text;
  else {
    node.setAttribute(sayAs, text);
    if (node.tagName === "BUTTON") node.setAttribute("title", text);
  }
}

/** @param {Value} value */
function shown(value) {
  if (typeof value === "number") return new Intl.NumberFormat(language).format(value);
  if (typeof value === "string") return value;
  if ("at" in value) return moment(value.at);
  return duration(value.seconds);
}

/**
 * "35 seconds", "4 minutes", "2 hours", "3 days": as exact as somebody who waits wants it.
 *
 * @param {number} seconds
 */
function duration(seconds) {
  const steps = /** @type {const} */ ([["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]]);
  const [unit, length] = steps.find(([, length]) => seconds >= 2 * length) ?? ["second", 1];
  return new Intl.NumberFormat(language, { style: "unit", unit, unitDisplay: "long" }).format(Math.round(seconds / length));
}

/**
 * The hour, and the day unless it is today.
 *
 * @param {number} at  Milliseconds since 1970.
 */
function moment(at) {
  const today = new Date(at).toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(language, today ? { timeStyle: "short" } : { dateStyle: "full", timeStyle: "short" }).format(at);
}

/**
 * @param {string} language
 * @returns {Promise<Record<string, string>>}
 */
async function load(language) {
  const response = await fetch(new URL(`./i18n/${language}.json`, import.meta.url));
  if (!response.ok) throw new Error(`${language}.json: HTTP ${response.status}`);
  return response.json();
}

/** @returns {string | null} */
function remember() {
  try {
    return localStorage.getItem(REMEMBERED);
  } catch {
    return null;   // a browser that keeps nothing
  }
}

/** The picker of languages. */
export function languagePicker() {
  const options = Object.entries(LANGUAGES).map(([code, name]) => el("option", { value: code, lang: code }, name));
  const select = named(el("select", { class: "language" }, ...options), "language");
  select.value = language;
  select.addEventListener("change", () => {
    try {
      localStorage.setItem(REMEMBERED, select.value);
    } catch {
      // then for this page only
    }
    void setLanguage(/** @type {Language} */ (select.value));
  });
  return select;
}
