// The client of Ringlight's rooms: what a page imports.

export { Call } from "./call.js";
export { CameraView } from "./camera-view.js";
export { Precall } from "./precall.js";
export { lookAt, qualityBetween } from "./quality.js";
export { safetyNumber } from "./safety-number.js";
export { FaultError, namedFault } from "./fault.js";
export { judgeUrl, signalingFault } from "./signaling-error.js";
