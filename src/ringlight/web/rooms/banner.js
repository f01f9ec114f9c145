// Says that the connection is lost, why, and when it is tried again; that the picture was left out for a thin line; and
// what the server wants everybody to know.

import { el } from "../page/dom.js";
import { waitsFor } from "./end-screen.js";
import { faultView, headline } from "./fault-view.js";
import { icon } from "./icons.js";
import { resay, say } from "./i18n.js";
import { listening } from "./listening.js";
import { announce } from "./screens.js";

/** @typedef {import("./client/call.js").Call} Call */

/**
 * @param {Call} call
 * @param {{ first?: boolean }} [options]  `first`: there never was a connection that could be lost; the screen itself
 *   says what somebody waits for whom the server does not let in yet.
 */
export function connectionBanner(call, { first = false } = {}) {
  const title = first ? "connecting.failed" : "away.title";
  const titleWords = el("p", { class: "banner-title" }, say(title));
  const why = el("p", { class: "banner-why" });
  const when = el("p", { class: "banner-when" });
  const details = el("div", {});
  const more = el("details", { class: "banner-more" }, el("summary", {}, say("details")), details);
  const away = el("div", { id: "away", class: "banner bad", hidden: true },
    icon("network"),
    el("div", { class: "banner-words" }, titleWords, why, when, more),
    el("button", { id: "retry-now", class: "button", type: "button", onclick: () => call.retryNow() }, say("away.now")));
  const thin = el("div", { id: "thin", class: "banner", hidden: true },
    icon("network"),
    el("div", { class: "banner-words" },
      el("p", { class: "banner-title" }, say("thin.title")), el("p", {}, say("thin.text"))));
  const news = el("p", { class: "banner-title" });
  const notice = el("div", { id: "notice", class: "banner", hidden: true },
    icon("network"), el("div", { class: "banner-words" }, news));
  const element = el("div", { class: "banners" }, away, thin, el("div", { role: "status" }, notice));

  let wasAway = false;
  let wasThin = false;
  const tick = () => {
    const seconds = call.retryAt === null ? 0 : Math.max(0, Math.ceil((call.retryAt - Date.now()) / 1000));
    if (seconds > 0) resay(when, "away.in", { time: { seconds } });
    else resay(when, "away.trying");
  };
  const draw = () => {
    const isAway = call.phase === "away";
    const kind = first ? waitsFor(call.fault) : null;
    titleWords.hidden = why.hidden = kind !== null;
    away.hidden = !isAway;
    if (isAway) {
      if (call.fault) {
        why.textContent = headline(call.fault);
        if (details.dataset.code !== call.fault.code) {
          details.dataset.code = call.fault.code;
          const { tried } = call.fault;
          details.replaceChildren(faultView(call.fault, { heading: "h2", notes: () => tried }));
        }
      }
      more.hidden = call.fault === null;
      tick();
    }
    if (isAway !== wasAway) announce(!isAway ? "away.back" : kind ? `end.${kind}` : title, {}, { now: isAway });
    wasAway = isAway;
    thin.hidden = !call.thin;
    if (call.thin !== wasThin) announce(call.thin ? "thin.title" : "thin.over");
    wasThin = call.thin;
    const told = call.notices.map(headline).join(" · ");
    notice.hidden = told === "";
    if (told !== news.textContent) news.textContent = told;   // a reader hears it once
  };
  const clock = setInterval(() => call.phase === "away" && tick(), 1_000);
  const stop = listening(call, ["phase", "media", "notices"], draw);
  document.addEventListener("languagechange", draw);
  return {
    element,
    close() {
      clearInterval(clock);
      document.removeEventListener("languagechange", draw);
      stop();
    },
  };
}
