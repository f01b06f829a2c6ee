import { describe, expect, it } from "vitest";
import { CONNECT_MS, RESTART_MS, Recovery, SUSPECT_MS } from "./recovery.js";

function running(): Recovery {
  const recovery = new Recovery(0);
  recovery.transport(0, "connected");
  return recovery;
}

describe("Recovery", () => {
  it("waits a moment, then restarts ICE, and says so once", () => {
    const recovery = running();
    expect(recovery.transport(100, "disconnected")).toEqual(["lost"]);
    expect(recovery.advance(100 + SUSPECT_MS - 1)).toEqual([]);
    expect(recovery.advance(100 + SUSPECT_MS)).toEqual(["restartIce"]);
    expect(recovery.transport(3000, "connected")).toEqual(["restored"]);
    expect(recovery.deadline).toBeUndefined();
  });

  it("does nothing when the connection heals by itself", () => {
    const recovery = running();
    recovery.transport(100, "disconnected");
    expect(recovery.transport(900, "connected")).toEqual(["restored"]);
    expect(recovery.advance(10_000)).toEqual([]);
  });

  it("restarts at once when it failed", () => {
    expect(running().transport(1, "failed")).toEqual(["lost", "restartIce"]);
  });

  it("joins again when the restart fails, or takes too long", () => {
    const failed = running();
    failed.transport(0, "failed");
    expect(failed.transport(500, "failed")).toEqual(["rejoin"]);
    const late = running();
    late.transport(0, "failed");
    expect(late.advance(RESTART_MS)).toEqual(["rejoin"]);
  });

  it("joins again when the first connection does not come", () => {
    expect(new Recovery(0).advance(CONNECT_MS)).toEqual(["lost", "rejoin"]);
  });

  it("joins again once, and starts over from there", () => {
    const recovery = running();
    expect(recovery.rejoin()).toEqual(["lost", "rejoin"]);
    expect(recovery.rejoin()).toEqual([]);
    expect(recovery.transport(10, "failed")).toEqual([]);
    recovery.rejoined(20);
    expect(recovery.transport(30, "connected")).toEqual(["restored"]);
  });

  it("restarts once for a silence, and says nothing of it", () => {
    const recovery = running();
    expect(recovery.silent(100)).toEqual(["restartIce"]);
    expect(recovery.silent(200)).toEqual([]);
    expect(recovery.transport(400, "connected")).toEqual([]);
    expect(recovery.phase).toBe("up");
    const connecting = new Recovery(0);
    expect(connecting.silent(100)).toEqual([]);
  });

  it("restarts on demand without calling it a loss, unless it then fails", () => {
    const fine = running();
    expect(fine.restart(5)).toEqual(["restartIce"]);
    expect(fine.transport(6, "connected")).toEqual([]);
    const broken = running();
    broken.restart(5);
    expect(broken.transport(6, "failed")).toEqual(["lost", "rejoin"]);
  });
});
