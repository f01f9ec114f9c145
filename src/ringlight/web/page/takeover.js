// Of several servers, one that shows a camera may die or hand it over: finds that out, and offers where it goes on.

import { answers } from "./api.js";
import { WhepError } from "./whep.js";

// The one that dies still counts as the camera's for two seconds; its proxy answers 502 meanwhile.
const MOVE_MS = 10_000;
const MOVE_AGAIN_MS = 250;
const GONE_MS = 300;            // without an answer a server counts as gone: two quick refusals, or one wait in vain
const LOOK_MS = 1_000;          // that it has to answer; it is asked only where no picture comes
const AWAY = [0, 502, 503, 504];

/**
 * Offer, and again for a while where a server that is about to be replaced stands in the way.
 *
 * @param {() => import("./whep.js").WhepClient | null} next  Makes the client of an attempt; null: nobody wants one now.
 * @param {(error: unknown) => boolean} isReplaced  Whether the same offer is taken a moment later.
 * @returns {Promise<void>}
 * @throws {WhepError}
 */
export async function offer(next, isReplaced) {
  const until = performance.now() + MOVE_MS;
  for (;;) {
    const client = next();
    if (!client) return;
    try {
      return await client.start();
    } catch (error) {
      if (performance.now() > until || !isReplaced(error)) throw error;
    }
    await sleep(MOVE_AGAIN_MS);
  }
}

/**
 * Whether an offer came to a server that is about to be replaced.
 *
 * @param {unknown} error
 * @param {boolean} isMoving  Whether it is known that there are several, so that silence says so too.
 */
export function isReplaced(error, isMoving) {
  if (!(error instanceof WhepError)) return false;
  const { code } = /** @type {{ code?: unknown }} */ (error.problem ?? {});
  if (code) return code === "CAM-MOVED" || code === "NODE-LEAVING";
  return AWAY.includes(error.status) && (isMoving || error.status !== 0);
}

/**
 * Whether a server is no more, while the one at which a view was asked for answers: another one of several.
 *
 * @param {string} address  What the server answers at.
 * @param {string} endpoint  Where the view was asked for.
 * @param {RequestInit} [init]  How to ask at `address`: a 404 there says that it is over.
 */
export async function isGone(address, endpoint, init = {}) {
  const began = performance.now();
  for (;;) {
    const status = await statusOf(address, init);
    if (status === 404) return true;
    if (!AWAY.includes(status)) return false;
    if (performance.now() - began >= GONE_MS) return answers(new URL("/health", endpoint).href);
    await sleep(GONE_MS);
  }
}

/**
 * @param {string} url
 * @param {RequestInit} init
 * @returns {Promise<number>}  0 where nothing came.
 */
async function statusOf(url, init) {
  try {
    return (await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(LOOK_MS), ...init })).status;
  } catch {
    return 0;
  }
}

/** @param {number} ms */
export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
