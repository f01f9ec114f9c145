// A camera as a participant of a room: its picture by WHEP, and the turn to talk when its bell was pressed.

/**
 * Fires `change`.
 */
export class CameraView extends EventTarget {
  /** Picture and sound. */
  stream = new MediaStream();
  /** @type {"new" | "opening" | "playing" | "lost" | "failed" | "closed"} */
  state = "new";
  /** @type {"off" | "asking" | "on" | "taken"} The turn to talk. `taken`: somebody else has it. */
  talk = "off";
  /** @type {import("./signaling-error.js").SignalingFault | null} Why it failed, or why the last turn came to nothing. */
  fault = null;

  /**
   * @param {string} camera  Its id.
   * @param {{ token?: () => string | null, base?: string }} [options]  `base`: the server, where it is not the page's.
   */
  constructor(camera, options = {}) {
    super();
    void [camera, options];
  }

  async open() {}

  /** Answer the bell, or just speak: opens the camera's speaker for our microphone. */
  async beginTalk() {}

  endTalk() {}

  close() {}
}
