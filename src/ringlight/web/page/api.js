// Speaks with the Ringlight server: JSON in, JSON out, and every failure becomes a fault.

/**
 * What went wrong, why, and what to do about it; a row of the server's catalogue.
 *
 * @typedef {object} Fault
 * @property {string} code  A word that never changes, such as SIG-TICKET.
 * @property {string} title
 * @property {string} cause
 * @property {string} fix
 * @property {"now" | "backoff" | "after-fix" | "never"} retry
 * @property {string | null} [detail]  What was seen this time.
 * @property {string} [help]
 */

/**
 * @typedef {object} Camera
 * @property {string} id
 * @property {string} name
 * @property {string} kind
 * @property {string} model
 * @property {"wired" | "battery" | "unknown"} power
 * @property {number | null} battery_percent
 * @property {"online" | "offline" | "unknown"} state
 * @property {{ percent_per_minute: number | null, minutes: number, text: string } | null} battery_cost  Of video.
 * @property {boolean} can_turn  Whether it pans and tilts.
 * @property {boolean} has_light
 * @property {boolean | null} light_on  Null where Ring does not say.
 * @property {boolean} has_siren
 * @property {number | null} siren_seconds  For how long it sounds yet.
 * @property {boolean | null} has_recordings  Whether the subscription keeps some; null where Ring does not say.
 * @property {string[]} steps  Of opening its view, as the server tells them.
 * @property {"never" | "while-watched" | "ask"} renewal  Whether a view goes on beyond Ring's time limit.
 * @property {Fault | null} refusal  Why a live view would be refused, known beforehand.
 * @property {"closed" | "opening" | "live" | "failed"} view
 * @property {number} viewers
 */

/** @typedef {{ name: string, version: string, demo: boolean, ring_app: boolean, scopes: string[], logged_in: boolean }} About */
/** @typedef {{ name: string, title: string, about: string, code: string | null, on: boolean }} SimFault */

// The only fault text of this page: the server that knows the others is the thing that is missing.
/** @type {Fault} */
const SERVER_GONE = {
  code: "SERVER-GONE",
  title: "The Ringlight server does not answer",
  cause: "The Ringlight server gave no answer that can be used. It may have stopped.",
  fix: "Start it again with `make demo` or `ringlight serve`; an open page comes back by itself.",
  retry: "after-fix",
  detail: null,
};

const SOON_MS = 5_000;

/** Carries a fault to whoever can show it. */
export class FaultError extends Error {
  /** @param {Fault} fault */
  constructor(fault) {
    super(`${fault.code}: ${fault.cause}`);
    this.name = "FaultError";
    this.fault = fault;
  }
}

/**
 * The fault for a server that is silent or speaks nonsense.
 *
 * @param {string} detail  What was tried and seen.
 * @returns {Fault}
 */
export function serverGone(detail) {
  return { ...SERVER_GONE, detail };
}

/**
 * Read a fault from a problem body or fault object; null when it is neither.
 *
 * @param {unknown} body
 * @returns {Fault | null}
 */
export function toFault(body) {
  if (typeof body !== "object" || body === null) return null;
  const { code, title, cause, fix, retry, detail, help } = /** @type {Partial<Fault>} */ (body);
  if (typeof code !== "string" || typeof cause !== "string") return null;
  return { code, title: title ?? code, cause, fix: fix ?? "", retry: retry ?? "now", detail: detail ?? null, help };
}

/**
 * The fault that an error stands for, whatever threw it.
 *
 * @param {unknown} error
 * @returns {Fault}
 */
export function faultOf(error) {
  return error instanceof FaultError ? error.fault : serverGone(error instanceof Error ? error.message : String(error));
}

/**
 * Ask the server for JSON.
 *
 * @template T
 * @param {string} path
 * @param {RequestInit} [init]
 * @returns {Promise<T>}
 * @throws {FaultError} When the server is gone or answers with a problem.
 */
export async function ask(path, init = {}) {
  const what = `${init.method ?? "GET"} ${path}`;
  let response;
  let body;
  try {
    response = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(30_000), ...init });
    body = await response.json().catch(() => null);
  } catch (error) {
    throw new FaultError(serverGone(`${what}: ${error instanceof Error ? error.message : error}`));
  }
  if (response.ok && (body !== null || response.status === 204)) return body;
  throw new FaultError(toFault(body) ?? serverGone(`${what}: HTTP ${response.status} without an explanation`));
}

/** For what is asked again and again, so that a network that was dead is not waited for once it is back. */
const soon = () => ({ signal: AbortSignal.timeout(SOON_MS) });

/**
 * Whether a server answers at an address, in good order.
 *
 * @param {string} url
 */
export async function answers(url) {
  try {
    return (await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}

/**
 * What the server has to do without just now, in a few words; empty where there is nothing.
 *
 * @returns {Promise<string>}
 */
export async function getLacks() {
  /** @type {Record<string, string>} */
  const { record, redis, database } = await ask("/ready", soon()).catch(() => ({}));
  return Object.entries({ record, redis, database }).filter(([, word]) => word && word !== "ok").join(" ");
}

/** @returns {Promise<About>} */
export const getAbout = () => ask("/api/about", soon());

/**
 * End the log-in of this browser.
 *
 * @returns {Promise<string>}  Where to go on.
 */
export const logOut = async () => (await ask("/logout", { method: "POST", headers: { accept: "application/json" } })).next;

/** @returns {Promise<{ cameras: Camera[], faults?: Fault[] }>}  In `faults`, why those of an account are missing. */
export const getCameras = () => ask("/api/cameras");

/** @returns {Promise<Fault[]>} */
export const getFaults = async () => (await ask("/api/faults")).faults;

/** @returns {Promise<SimFault[]>} */
export const getSimFaults = async () => (await ask("/_sim/faults")).faults;

/**
 * Replace the set of simulator faults that are on.
 *
 * @param {string[]} on
 * @returns {Promise<SimFault[]>}
 */
export async function putSimFaults(on) {
  const headers = { "content-type": "application/json" };
  return (await ask("/_sim/faults", { method: "PUT", headers, body: JSON.stringify({ on }) })).faults;
}

/**
 * Let the view of a camera go on beyond Ring's time limit, once.
 *
 * @param {string} cameraId
 */
export async function grantRenewal(cameraId) {
  await ask(`/api/cameras/${encodeURIComponent(cameraId)}/renewal`, { method: "POST" });
}

/**
 * Take the turn to talk to the camera of a viewing; returns when its speaker was told to open.
 *
 * @param {string} viewing  The address of the viewing.
 * @param {Record<string, string>} [headers]  What lets somebody in without the server's key.
 */
export async function beginTalk(viewing, headers = {}) {
  await ask(`${viewing}/talk`, { method: "POST", headers });
}

/**
 * Give the turn to talk back, even while the page is being left.
 *
 * @param {string} viewing
 * @param {Record<string, string>} [headers]
 */
export function endTalk(viewing, headers = {}) {
  fetch(`${viewing}/talk`, { method: "DELETE", headers, keepalive: true }).catch(() => {});   // lost? silence ends it too
}

/**
 * Fetch one row of the catalogue, for a failure that only the browser can see.
 *
 * @param {string} code
 * @param {string} detail  What the browser saw.
 * @returns {Promise<Fault>}
 */
export async function namedFault(code, detail) {
  try {
    return { .../** @type {Fault} */ (await ask(`/api/faults/${encodeURIComponent(code)}`)), detail };
  } catch (error) {
    return faultOf(error);
  }
}

/**
 * @typedef {object} Recording
 * @property {string} id
 * @property {"recording" | "done" | "failed" | "interrupted"} status
 * @property {number} seconds
 * @property {number} bytes
 * @property {string[]} files  Where it can be fetched; empty before its first second.
 * @property {Fault | null} fault
 */

/**
 * Record what a camera shows, until it is ended.
 *
 * @param {string} cameraId
 * @returns {Promise<Recording>}
 */
export const startRecording = (cameraId) => ask(recordings(cameraId), { method: "POST" });

/**
 * @param {string} cameraId
 * @param {string} id
 * @returns {Promise<Recording>}
 */
export const lookAtRecording = (cameraId, id) => ask(`${recordings(cameraId)}/${id}`);

/**
 * End a recording that runs.
 *
 * @param {string} cameraId
 * @param {string} id
 * @returns {Promise<Recording>}
 */
export const endRecording = (cameraId, id) => ask(`${recordings(cameraId)}/${id}`, { method: "DELETE" });

/** @param {string} cameraId */
const recordings = (cameraId) => `/api/cameras/${encodeURIComponent(cameraId)}/recordings`;
