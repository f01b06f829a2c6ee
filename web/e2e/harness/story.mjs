// A test with a limit: a browser that never answers fails its test and not the whole run.
import { test } from "node:test";

const limit = 75_000;

export const story = (name, run) => test(name, { timeout: limit }, run);
