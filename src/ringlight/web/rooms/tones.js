// Short sounds made on the spot: somebody waits, one is let in, a bell rings, words arrive.

/** Pairs of pitch (Hz) and when it begins (s). @type {Record<string, [number, number][]>} */
const TONES = {
  knock: [[392, 0], [392, 0.18]],
  "let-in": [[523, 0], [659, 0.14], [784, 0.28]],
  left: [[523, 0], [392, 0.14]],
  chat: [[880, 0]],
  bell: [[659, 0], [523, 0.45]],
};
const MUTED = "ringlight.sounds-off";

/** @type {AudioContext | null} */
let context = null;

/** Whether the person wants sounds. */
export function soundsOn() {
  try {
    return localStorage.getItem(MUTED) === null;
  } catch {
    return true;
  }
}

/** @param {boolean} on */
export function setSounds(on) {
  try {
    if (on) localStorage.removeItem(MUTED);
    else localStorage.setItem(MUTED, "1");
  } catch {
    // then they sound
  }
}

/**
 * @param {"knock" | "let-in" | "left" | "chat" | "bell"} name
 * @param {{ always?: boolean }} [options]  `always`: even where the person wants no sounds; a bell is there to be heard.
 */
export function sound(name, { always = false } = {}) {
  if (!always && !soundsOn()) return;
  if (navigator.userActivation?.hasBeenActive === false) return;   // no page may sound before it was touched
  context ??= new AudioContext();
  void context.resume();
  const now = context.currentTime + 0.02;
  for (const [pitch, begins] of TONES[name] ?? []) {
    const tone = context.createOscillator();
    const loudness = context.createGain();
    tone.type = "sine";
    tone.frequency.value = pitch;
    loudness.gain.setValueAtTime(0, now + begins);
    loudness.gain.linearRampToValueAtTime(name === "bell" ? 0.3 : 0.12, now + begins + 0.015);
    loudness.gain.exponentialRampToValueAtTime(0.001, now + begins + (name === "bell" ? 1.2 : 0.3));
    tone.connect(loudness).connect(context.destination);
    tone.start(now + begins);
    tone.stop(now + begins + 1.3);
  }
}
