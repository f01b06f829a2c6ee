// A test with a limit: a browser that never answers fails its test and not the whole run.
import { test } from "node:test";

const limit = 120_000;
const only = process.env.E2E && new RegExp(process.env.E2E, "i");

/** Declares a test; the variable E2E, a regular expression, chooses some by name. */
export const story = (name, run) => test(name, { timeout: limit, skip: Boolean(only) && !only.test(name) }, run);
