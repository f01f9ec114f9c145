// The waiting area: one's place in the line, what happens next, and whether one is seen and heard as one wants to be.

import { el } from "../page/dom.js";
import { icon } from "./icons.js";
import { named, resay, say } from "./i18n.js";
import { announce } from "./screens.js";
import { ownToggles } from "./own-media.js";
import { connectionBanner } from "./banner.js";

/** @typedef {import("./client/call.js").Call} Call */

/**
 * @param {Call} call
 * @returns {import("./screens.js").Screen}
 */
export function lobbyScreen(call) {
  const place = el("p", { id: "position", class: "place" });
  const own = el("video", { playsinline: true, autoplay: true, class: "mirror-picture" });
  own.muted = true;
  named(own, "self");
  const dark = el("p", { class: "mirror-dark" });
  const toggles = ownToggles(call);
  const banner = connectionBanner(call);
  const since = Date.now();
  const waited = el("p", { class: "small-text" });
  const element = el("div", { class: "lobby" },
    banner.element,
    el("div", { class: "lobby-words" },
      el("h1", {}, say("lobby.title")),
      place,
      el("p", { class: "lead" }, say("lobby.lead")),
      el("ul", { class: "next" },
        el("li", {}, say("lobby.next-let-in")),
        el("li", {}, say("lobby.next-stay")),
        el("li", {}, say("lobby.next-unheard"))),
      waited,
      el("div", { class: "end-actions" },
        el("button", { id: "leave", class: "button", type: "button", onclick: () => call.leave() }, icon("leave"), say("leave")))),
    el("section", { class: "mirror", "aria-labelledby": "lobby-mirror" },
      el("h2", { id: "lobby-mirror", class: "visually-hidden" }, say("mirror.title")),
      el("div", { class: "mirror-glass" }, own, dark, el("div", { class: "mirror-bar" }, ...toggles.elements))));

  let position = 0;
  const draw = () => {
    if (call.position !== position && call.position > 0) {
      position = call.position;
      resay(place, position === 1 ? "lobby.first" : "lobby.position", { position });
      announce(position === 1 ? "lobby.first" : "lobby.position", { position });
    }
    own.hidden = !call.media.video && call.preview.getVideoTracks().length === 0;
    dark.hidden = !own.hidden;
    resay(dark, "mirror.off");
    if (own.srcObject !== call.preview) own.srcObject = call.preview;
  };
  const clock = setInterval(() => resay(waited, "lobby.waited", { time: { seconds: (Date.now() - since) / 1000 } }), 10_000);
  call.addEventListener("phase", draw);
  call.addEventListener("media", draw);
  draw();
  const close = () => {
    clearInterval(clock);
    call.removeEventListener("phase", draw);
    call.removeEventListener("media", draw);
    toggles.close();
    banner.close();
  };
  return { name: "lobby", element, title: "lobby.title", close };
}
