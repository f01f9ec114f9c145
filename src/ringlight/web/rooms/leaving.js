// The way out of a call: whoever may end the visit is asked which of the two it is.

import { el } from "../page/dom.js";
import { icon } from "./icons.js";
import { say } from "./i18n.js";
import { confirmed } from "./screens.js";

/**
 * Leave, or end the visit for everybody.
 *
 * @param {import("./client/call.js").Call} call
 * @throws {Error} With a fault, when the server does not let it end.
 */
export async function leaveOrEnd(call) {
  if (!call.me?.may.includes("end")) return call.leave();
  const answer = await question();
  if (answer === "leave") call.leave();
  if (answer === "end" && (await confirmed({ title: "end-all.title", text: "end-all.text", yes: "end-all", danger: true }))) await call.end();
}

/** @returns {Promise<string>} */
function question() {
  const dialog = el("dialog", { class: "confirm", "aria-labelledby": "leave-title" },
    el("h2", { id: "leave-title" }, say("leave.title")), el("p", {}, say("leave.text")),
    el("form", { method: "dialog", class: "confirm-actions stack" },
      el("button", { class: "button primary", value: "leave" }, icon("leave"), say("leave")),
      el("button", { class: "button danger", value: "end" }, say("end-all")),
      el("button", { class: "button quiet", value: "" }, say("no"))));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => {
    dialog.remove();
    resolve(dialog.returnValue);
  }));
}
