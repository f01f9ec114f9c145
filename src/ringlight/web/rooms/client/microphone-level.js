// How loud a microphone is, some ten times a second.

const EVERY_MS = 100;
// Speech at an arm's length lies some 30 dB below what a microphone can take; this makes it half of the scale.
const QUIETEST_DB = -60;

/** Root mean square of samples, as a share of the scale that people see. Pure. @param {Float32Array} samples */
export function levelOf(samples) {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length);
  const db = 10 * Math.log10(Math.max(power, 1e-12));
  return Math.min(1, Math.max(0, 1 - db / QUIETEST_DB));
}

/**
 * Follow a track until the returned function is called. Tells null where the browser does not let this page listen yet:
 * that takes a press of a button on some.
 *
 * @param {MediaStreamTrack} track
 * @param {(level: number | null) => void} tell
 * @returns {() => void}
 */
export function followLevel(track, tell) {
  const context = new AudioContext();
  const source = context.createMediaStreamSource(new MediaStream([track]));
  const analyser = context.createAnalyser();
  analyser.fftSize = 2048;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    tell(context.state === "running" ? levelOf(samples) : null);
  }, EVERY_MS);
  void context.resume().catch(() => {});
  return () => {
    clearInterval(timer);
    source.disconnect();
    void context.close().catch(() => {});
  };
}
