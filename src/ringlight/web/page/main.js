// Wires the page: what the address names is watched, the list follows, and a server that went away is awaited.

import { faultOf, getAbout, getCameras, getLacks, logOut } from "./api.js";
import { aboutCamera, CameraList } from "./camera-list.js";
import { CameraView } from "./camera-view.js";
import { Catalogue } from "./catalogue.js";
import { Doctor } from "./doctor.js";
import { el } from "./dom.js";
import { cardOf, diagnosisText, faultCard } from "./fault-card.js";
import { learn, may } from "./may.js";
import { RingPanel } from "./ring-panel.js";
import { RoomMaker } from "./room-maker.js";
import { Switchboard } from "./switchboard.js";

/** @typedef {import("./api.js").Camera} Camera */

const RECONNECT_MS = 3_000;
const LOOK_MS = 10_000;   // between two looks what the server has to do without; that asks no camera and nobody else
const WORDS = { idle: "Watch", opening: "Opening", playing: "Watching", failed: "Failed", stopped: "Stopped" };

const view = /** @type {CameraView} */ (document.querySelector("camera-view"));
const place = find("camera-place");
const missing = find("missing-cameras");
const list = new CameraList((id) => choose(id));
const catalogue = new Catalogue();
const doctor = new Doctor();
const switchboard = new Switchboard(advice);
const rooms = new RoomMaker();

const wide = matchMedia("(min-width: 60rem)");   // where style.css puts the list beside the view

/** @type {Camera[]} */
let cameras = [];
/** @type {RingPanel | null} */
let ringPanel = null;
let listed = false;
let waiting = false;
let lacks = "";
/** Whether this page may reopen the view by itself: once for each press or picture, so that it never loops. */
let mayResume = true;

/** @param {string} id */
function find(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** The camera that the address names. @returns {string} */
function addressed() {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return "";   // a mangled address names nothing
  }
}

/** A person pressed a camera. @param {string} id */
function choose(id) {
  mayResume = true;
  if (addressed() === id) show();
  else location.hash = encodeURIComponent(id);   // show() follows, and "back" returns to the list
}

/** Put on the screen what the address names. */
function show() {
  const id = addressed();
  if (!id) return view.close();
  if (!listed) return;   // start() comes back when the cameras are known by name
  const camera = cameras.find((one) => one.id === id);
  // A name that is not on the list is asked for all the same: the server knows why it is not there.
  view.watch({
    id, name: camera?.name ?? id, about: camera ? aboutCamera(camera) : "", canTurn: camera?.can_turn ?? false,
    steps: camera?.steps ?? null,
  });
  view.scrollIntoView({ block: wide.matches ? "nearest" : "start" });
}

/** @returns {Promise<boolean>} Whether there is a list now. */
async function loadCameras() {
  try {
    const answer = await getCameras();
    cameras = answer.cameras;
    showMissing(answer.faults ?? []);
  } catch (error) {
    const fault = faultOf(error);
    if (fault.code === "SERVER-GONE") awaitServer();
    // A list that was good a moment ago is better than none; beside it is said why there is no newer one,
    // unless the view says so already.
    if (cameras.length === 0) showListFault(fault);
    else if (fault.code !== "SERVER-GONE" && fault.code !== view.faultCode) showMissing([fault]);
    return false;
  }
  listed = true;
  list.show(cameras);
  mark();
  const content = cameras.length ? list.element : emptyState();
  if (!content.isConnected) place.replaceChildren(content);   // moving it would lose the focus
  return true;
}

/** @param {import("./api.js").Fault} fault */
function showListFault(fault) {
  const shown = place.querySelector("[data-fault-code]");
  if (shown?.getAttribute("data-fault-code") === fault.code) return;   // do not read out the same alert again and again
  const retry = async () => {
    place.replaceChildren(el("p", { class: "quiet-text" }, "Asking for your cameras"));
    await start();
    /** @type {HTMLElement | null} */ (place.querySelector("button"))?.focus();
  };
  place.replaceChildren(faultCard(fault, { retry, diagnosis: () => diagnosisText(fault) }));
}

/**
 * Say beside the list why the cameras of an account are missing in it.
 *
 * @param {import("./api.js").Fault[]} faults
 */
function showMissing(faults) {
  const shown = [...missing.children].map((card) => card.getAttribute("data-fault-code")).join();
  if (shown === faults.map(({ code }) => code).join()) return;
  missing.replaceChildren(...faults.map((fault) => cardOf(fault, () => void loadCameras())));
}

function emptyState() {
  return el("div", { class: "empty" },
    el("p", { class: "empty-title" }, "No cameras yet"),
    el("p", {}, "Run ", el("code", {}, "ringlight login"), " in a terminal, then refresh this list."),
    el("button", { class: "button primary", type: "button", onclick: () => void loadCameras() }, "Refresh"));
}

function mark() {
  const { state } = view;
  list.mark(state === "idle" ? null : addressed(), WORDS[state]);
  document.body.dataset.view = state;
  const name = cameras.find((camera) => camera.id === addressed())?.name ?? addressed();
  document.title = state === "idle" ? "Ringlight" : `${name} · Ringlight`;
}

/** What to do next after a switch was thrown. */
function advice() {
  if (view.state === "failed") return "Now press Try again.";
  if (view.state === "playing" || view.state === "opening") return "If nothing changes now, press Stop and watch again.";
  return "Now press Watch.";
}

/** Ask until the server answers, then take up where it left. */
async function awaitServer() {
  if (waiting) return;
  waiting = true;
  do await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS));
  while (!(await getAbout().then(() => true, () => false)));
  waiting = false;
  const resume = view.faultCode === "SERVER-GONE" && mayResume && !document.hidden;
  await start();
  if (resume && view.faultCode === "SERVER-GONE") {
    mayResume = false;
    view.retry();
  }
}

/** Show what the server has to do without, and no longer than it has to. */
async function look() {
  if (document.hidden || waiting) return;
  const now = await getLacks();
  if (now === lacks) return;
  lacks = now;
  await loadCameras();
}

async function start() {
  try {
    const about = await getAbout();
    find("about").textContent = `${about.name} ${about.version}${about.demo ? ", demo with simulated cameras" : ""}`;
    learn(about.scopes);
    find("log-out").hidden = !about.logged_in;
    find("open-doctor").hidden = !may("admin");
    if (about.ring_app) showRingApp(about.demo);
    if (about.demo) {
      rooms.showDemo();
      if (may("admin")) showSwitchboard();
    }
    rooms.limit();
    view.limit();
  } catch {
    // The list, asked for next, shows the fault.
  }
  if ((await loadCameras()) && view.state === "idle") show();
}

/** @param {boolean} demo */
function showRingApp(demo) {
  if (ringPanel) return;
  ringPanel = new RingPanel(choose, () => void loadCameras(), demo);
  find("side").append(ringPanel.element);
}

function showSwitchboard() {
  const button = find("open-switchboard");
  if (button.hidden) {
    button.hidden = false;
    find("side").append(switchboard.element);
    switchboard.element.open = wide.matches;
  }
  switchboard.load();
}

document.body.append(catalogue.element, doctor.element);
find("side").append(rooms.element);
find("open-faults").addEventListener("click", () => void catalogue.open());
find("open-doctor").addEventListener("click", () => void doctor.open());
find("open-switchboard").addEventListener("click", () => switchboard.reveal());
find("log-out").addEventListener("click", async () => {
  view.stop();
  location.assign(await logOut().catch(() => "/login"));
});
find("refresh").addEventListener("click", () => void loadCameras());
view.addEventListener("viewstate", () => {
  mark();
  switchboard.hush();
  if (view.state === "playing") mayResume = true;
  if (view.faultCode === "SERVER-GONE") awaitServer();
  else if (view.state !== "opening") loadCameras();
});
view.addEventListener("click", () => (mayResume = true));
window.addEventListener("hashchange", show);
window.addEventListener("pagehide", () => view.stop());
setInterval(() => void look(), LOOK_MS);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  loadCameras();
  if (switchboard.element.isConnected) switchboard.load();   // somebody else may have thrown a switch
});
start();
