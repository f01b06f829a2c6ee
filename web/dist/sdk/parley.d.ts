export * from "./types/sdk/index.js";
