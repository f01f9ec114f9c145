// Listens to a call for as long as a part of the page lives.

/**
 * Call `draw` at each of these events, and once at once.
 *
 * @param {EventTarget} source
 * @param {string[]} names
 * @param {(event?: Event) => void} draw
 * @returns {() => void}  Ends it.
 */
export function listening(source, names, draw) {
  for (const name of names) source.addEventListener(name, draw);
  draw();
  return () => {
    for (const name of names) source.removeEventListener(name, draw);
  };
}
