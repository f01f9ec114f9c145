// What a camera can do besides live video, asked of the server: light, siren, turning, pictures, history.

import { ask, FaultError, serverGone, toFault } from "./api.js";

/** @typedef {import("./api.js").Camera} Camera */
/** @typedef {import("./api.js").Fault} Fault */
/** @typedef {"left" | "up" | "down" | "right"} Direction */
/** @typedef {"moved" | "limit"} Turned  `limit`: the camera is at the end of its way. */

/**
 * Something that a camera has seen. Null is what Ring does not say.
 *
 * @typedef {object} CameraEvent
 * @property {string} id
 * @property {string} kind
 * @property {number | null} at  Seconds since 1970.
 * @property {boolean} answered
 * @property {boolean | null} person
 * @property {boolean | null} has_recording
 */

const RECORDING_WAIT = 150_000;   // ms; the server waits two minutes for one that Ring still makes

/** @param {string} cameraId */
const place = (cameraId) => `/api/cameras/${encodeURIComponent(cameraId)}`;

/**
 * @param {string} path
 * @param {object} body
 */
const post = (path, body) =>
  ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

/**
 * @param {string} cameraId
 * @param {boolean} on
 * @returns {Promise<Camera>} The camera as it is then.
 */
export const setLight = (cameraId, on) => post(`${place(cameraId)}/light`, { on });

/**
 * @param {string} cameraId
 * @param {boolean} on
 * @param {number} seconds  How long it sounds.
 * @returns {Promise<Camera>} The camera as it is then.
 */
export const setSiren = (cameraId, on, seconds) => post(`${place(cameraId)}/siren`, { on, seconds });

/**
 * Turn a camera one step, and wait until it has.
 *
 * @param {string} cameraId
 * @param {Direction} direction
 * @returns {Promise<Turned>}
 */
export const turnCamera = async (cameraId, direction) => (await post(`${place(cameraId)}/ptz`, { direction })).result;

/**
 * Turn on and on, or stop with speed 0. It stops by itself two seconds after it was last asked for.
 *
 * @param {string} cameraId
 * @param {Direction} direction
 * @param {number} speed  0 to 1.
 * @returns {Promise<Turned>}
 */
export const keepTurning = async (cameraId, direction, speed) =>
  (await post(`${place(cameraId)}/ptz`, { direction, continuous: true, speed })).result;

/**
 * @param {string} cameraId
 * @param {number} limit
 * @param {string | null} before  Only what came before this event.
 * @returns {Promise<{ events: CameraEvent[], next: string | null }>}
 */
export const getHistory = (cameraId, limit, before) =>
  ask(`${place(cameraId)}/history?limit=${limit}${before === null ? "" : `&before=${encodeURIComponent(before)}`}`);

/**
 * @param {string} cameraId
 * @param {string} eventId
 */
export const recordingAddress = (cameraId, eventId) =>
  `${place(cameraId)}/history/${encodeURIComponent(eventId)}/recording`;

/**
 * Have the camera take a picture now.
 *
 * @param {string} cameraId
 * @returns {Promise<{ image: Blob, source: "camera" | "view" }>}  `view`: it is from the live view that runs.
 * @throws {FaultError}
 */
export async function takePicture(cameraId) {
  const path = `${place(cameraId)}/snapshot.jpg?fresh=1`;
  const response = await answerOf(path);
  if (!response.ok) throw new FaultError(await faultIn(response, path));
  const source = response.headers.get("x-still-source") === "view" ? "view" : "camera";
  return { image: await response.blob(), source };
}

/**
 * Find out why a recording cannot be had; null where it can.
 *
 * @param {string} cameraId
 * @param {string} eventId
 * @returns {Promise<Fault | null>}
 */
export async function recordingFault(cameraId, eventId) {
  const path = recordingAddress(cameraId, eventId);
  const signal = AbortSignal.timeout(RECORDING_WAIT);
  try {
    const response = await answerOf(path, { headers: { range: "bytes=0-0" }, signal });
    if (!response.ok) return await faultIn(response, path);
    await response.body?.cancel();
  } catch (error) {
    return error instanceof FaultError ? error.fault : serverGone(String(error));
  }
  return null;
}

/**
 * @param {string} path
 * @param {RequestInit} [init]
 */
async function answerOf(path, init = {}) {
  try {
    return await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(30_000), ...init });
  } catch (error) {
    throw new FaultError(serverGone(`GET ${path}: ${error instanceof Error ? error.message : error}`));
  }
}

/**
 * @param {Response} response
 * @param {string} path
 * @returns {Promise<Fault>}
 */
async function faultIn(response, path) {
  const fault = toFault(await response.json().catch(() => null));
  return fault ?? serverGone(`GET ${path}: HTTP ${response.status} without an explanation`);
}
