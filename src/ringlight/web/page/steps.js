// The steps of opening a live view, in order: their names on the wire and for people.

/** @typedef {{ name: string, ms: number }} StepTime */
/** @typedef {"waiting" | "done" | "failed"} StepState */
/** @typedef {{ name: string, title: string, state: StepState, awaited: boolean, ms: number | null }} Step */

/** All but the last are told by the server; the last is seen in this browser. */
export const STEPS = [
  { name: "token", title: "Access token" },
  { name: "ticket", title: "Signaling ticket" },
  { name: "socket", title: "WebSocket to Ring" },
  { name: "offer", title: "Offer sent" },
  { name: "session", title: "Session created" },
  { name: "answer", title: "Answer received" },
  { name: "camera", title: "Camera connected" },
  { name: "media", title: "First packet" },
  { name: "frame", title: "First picture" },
];

/**
 * Place the times that are known on the list of all steps.
 *
 * @param {StepTime[]} times
 * @param {boolean} failed  Whether the next step is one that did not happen.
 * @param {string[] | null} own  Those that this camera has; null: all.
 * @returns {Step[]}
 */
export function placeSteps(times, failed, own = null) {
  const steps = own ? STEPS.filter(({ name }) => own.includes(name) || name === "frame") : STEPS;
  const known = new Map(times.map((time) => [time.name, time.ms]));
  // Something may be told late or not at all: what lies before a step that happened did not fail.
  const next = steps.reduce((after, step, index) => (known.has(step.name) ? index + 1 : after), 0);
  return steps.map(({ name, title }, index) => {
    const ms = known.get(name) ?? null;
    const state = ms !== null ? "done" : failed && index === next ? "failed" : "waiting";
    return { name, title, state, awaited: !failed && index === next, ms };
  });
}
