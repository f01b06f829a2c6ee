// Waiting with a deadline, never for luck.

/** Asks check until it gives something true; fails after ms with what was waited for. An error marked final ends it at once. */
export async function until(check, what, ms = 15_000) {
  const deadline = Date.now() + ms;
  let last;
  for (;;) {
    try {
      const value = await check();
      if (value) return value;
      last = undefined;
    } catch (error) {
      if (error.final) throw error;
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`${ms} ms passed before: ${what}${last ? ` (${last.message})` : ""}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
