// Who waits before the door, for those who may let them in. Pure.

/** @typedef {{ id: string, role: string, name: string, waitedS: number, since: number, consents: string[] }} Knock  `since`: ms since 1970 */

/**
 * The knocks after an event; the same list where it changes none.
 *
 * @param {Knock[]} knocks
 * @param {import("./session.js").Message} message
 * @param {number} now  Milliseconds since 1970.
 * @returns {Knock[]}
 */
export function knocksAfter(knocks, message, now) {
  switch (message.t) {
    case "roster": return [];   // all knocks follow it
    case "knock": {
      const { id, role, name = "", waited_s: waitedS = 0, consents = [] } = message;
      return [...knocks.filter((one) => one.id !== id), { id, role, name, waitedS, since: now - waitedS * 1000, consents }];
    }
    case "knock_gone": return knocks.filter(({ id }) => id !== message.id);
    case "consent": return knocks.some(({ id }) => id === message.id) ? knocks.map((one) => consented(one, message)) : knocks;
    default: return knocks;
  }
}

/**
 * @param {Knock} knock
 * @param {import("./session.js").Message} message
 */
function consented(knock, { id, what, given }) {
  if (knock.id !== id) return knock;
  const others = knock.consents.filter((one) => !what.includes(one));
  return { ...knock, consents: given ? [...others, ...what] : others };
}
