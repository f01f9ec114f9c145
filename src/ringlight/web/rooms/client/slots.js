// Which section of a description is for what. Pure.

/** @typedef {"audio" | "video" | "screen"} Slot */

/**
 * The place of a section in somebody's offer: the first with sound, the first and the second with pictures. Null for
 * what is beyond these.
 *
 * @param {{ receiver: { track: { kind: string } } }[]} all  In the order of the offer.
 * @param {{ receiver: { track: { kind: string } } }} one
 * @returns {Slot | null}
 */
export function slotOf(all, one) {
  const { kind } = one.receiver.track;
  const index = all.filter(({ receiver }) => receiver.track.kind === kind).indexOf(one);
  if (kind === "audio") return index === 0 ? "audio" : null;
  return index === 0 ? "video" : index === 1 ? "screen" : null;
}

/**
 * @template {{ receiver: { track: { kind: string } } }} T
 * @param {T[]} all
 * @returns {Partial<Record<Slot, T>>}
 */
export function takeSlots(all) {
  /** @type {Partial<Record<Slot, T>>} */
  const slots = {};
  for (const one of all) {
    const slot = slotOf(all, one);
    if (slot) slots[slot] = one;
  }
  return slots;
}
