export * from "./types/cometchat/index.js";
