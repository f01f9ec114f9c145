// Asks for consent before any sound or picture leaves this device; the same words are where it is withdrawn.

import { el } from "../page/dom.js";
import { faultOf } from "./fault-of.js";
import { faultView } from "./fault-view.js";
import { icon } from "./icons.js";
import { currentLanguage, has, say, t } from "./i18n.js";

/** @typedef {import("./client/call.js").Call} Call */

/** What somebody may decline and still have their visit. @type {WeakMap<Call, Set<string>>} */
const declined = new WeakMap();

/** Whether there is something to ask: without "video" nothing goes on, the rest is asked once. @param {Call} call */
export function mustAsk(call) {
  const missing = missingConsent(call);
  const no = declined.get(call);
  return missing.some((what) => what === "video" || !no?.has(what));
}

/** What is needed and was not given. @param {Call} call */
const missingConsent = (call) => call.consent.needed.filter((what) => !call.consent.given.includes(what));

/** Without this they have their visit all the same; they are not asked again. @param {Call} call @param {string} what */
export function decline(call, what) {
  declined.set(call, new Set([...declined.get(call) ?? [], what]));
}

/** What somebody consents to, as a list in words. @param {readonly string[]} what */
export const consentNames = (what) =>
  new Intl.ListFormat(currentLanguage(), { type: "conjunction" }).format([...what].sort().map((one) => t(`consent.name.${one}`)));

/** The sentence of a kind of consent. @param {string} what */
export const consentKey = (what) => (has(`consent.${what}`) ? `consent.${what}` : "consent.other");

/**
 * @param {Call} call
 * @param {() => void} done
 * @returns {import("./screens.js").Screen}
 */
export function consentScreen(call, done) {
  const missing = missingConsent(call);
  const boxes = missing.filter((what) => what !== "video").map((what) => el("input", { type: "checkbox", id: `agree-${what}`, value: what }));
  const failure = el("div", {});
  const give = async () => {
    const given = missing.filter((what) => what === "video" || boxes.some((box) => box.value === what && box.checked));
    declined.set(call, new Set(missing.filter((what) => !given.includes(what))));
    try {
      if (given.length) await call.giveConsent(given, true);
      done();
    } catch (error) {
      failure.replaceChildren(faultView(faultOf(error)));
    }
  };
  const element = el("div", { class: "end consent" },
    el("div", { class: "end-sign", "aria-hidden": "true" }, icon("shield")),
    el("h1", {}, say("consent.title")),
    el("p", { class: "lead" }, say("consent.lead")),
    missing.includes("video") ? el("p", { class: "consent-what" }, icon("camera"), say("consent.video")) : null,
    boxes.length ? el("fieldset", { class: "choices" }, el("legend", {}, say("consent.also")),
      ...boxes.map((box) => el("p", { class: "check-line" }, box, el("label", { for: box.id }, say(consentKey(box.value), { what: box.value }))))) : null,
    el("p", { class: "small-text" }, say("consent.withdraw-later")),
    failure,
    el("div", { class: "end-actions" },
      el("button", { id: "agree", class: "button primary large", type: "button", onclick: () => void give() },
        say(missing.includes("video") ? "consent.agree" : "consent.go-on")),
      el("button", { id: "decline", class: "button", type: "button", onclick: () => call.leave() }, say("consent.decline"))));
  return { name: "consent", element, title: "consent.title" };
}
