export { Emitter } from "./emitter.js";
export type { Listener } from "./emitter.js";
export { ParleyError, codeOf } from "./errors.js";
export { LocalParticipant, RemoteParticipant } from "./participants.js";
export type * from "./types.js";
export type * from "./session-types.js";
export type { Parley, Calls, Session } from "./api.js";
