import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { alice, bob } from "../testing/fakeserver.js";
import { Stage, type PairReceivers } from "./stage.js";
import type { ParticipantInfo, Source } from "./types.js";

class FakeStream {
  readonly tracks = new Set<{ id: string }>();
  addTrack(track: { id: string }): void {
    this.tracks.add(track);
  }
  removeTrack(track: { id: string }): void {
    this.tracks.delete(track);
  }
}

/** Tracks of a participant's stream, by name. */
const ids = (stream: unknown) => [...(stream as FakeStream).tracks].map((t) => t.id).sort();

function info(participantId: string, sources: Source[], muted = false): ParticipantInfo {
  return {
    participantId,
    user: participantId === "p1" ? alice : bob,
    deviceId: "d",
    joinedAt: 0,
    publications: sources.map((source) => ({
      publicationId: `${participantId}.${source}`,
      kind: source === "camera" || source === "screen" ? "video" : "audio",
      source,
      muted,
    })),
  };
}

let stage: Stage;
let shown: number;
let events: string[];

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("MediaStream", FakeStream);
  vi.stubGlobal("document", { createElement: () => ({}) });
  vi.stubGlobal("RTCRtpReceiver", class { getSynchronizationSources() {} });
  shown = 0;
  events = [];
  const receiver = (id: string) => ({ track: { id }, getSynchronizationSources: () => [{ rtpTimestamp: shown }] }) as unknown as RTCRtpReceiver;
  const pairs: PairReceivers[] = [0, 1].map((pair) => ({ audio: receiver(`a${pair}`), video: receiver(`v${pair}`) }));
  stage = new Stage((pair) => pairs[pair]);
  for (const name of ["participantJoined", "participantLeft", "participantUpdated", "trackAdded", "trackRemoved"] as const) {
    stage.on(name, (e) => events.push(`${name} ${e.participant.participantId}${"source" in e ? ` ${e.source}` : ""}`));
  }
});

afterEach(() => {
  stage.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("Stage", () => {
  it("puts a pair's tracks into the stream of whom the server names", () => {
    stage.joined(info("p1", ["microphone", "camera"]));
    stage.slot({ pair: 0, participantId: "p1", audio: "p1.microphone", video: "p1.camera" });
    expect(ids(stage.get("p1")?.stream)).toEqual(["a0", "v0"]);
    expect(events).toEqual(["participantJoined p1", "trackAdded p1 microphone", "trackAdded p1 camera"]);
  });

  it("waits with a slot for somebody that it has not heard of", () => {
    stage.slot({ pair: 0, participantId: "p1", audio: "p1.microphone", video: "" });
    expect(events).toEqual([]);
    stage.joined(info("p1", ["microphone"]));
    expect(ids(stage.get("p1")?.stream)).toEqual(["a0"]);
  });

  it("keeps the screen apart from the camera", () => {
    stage.joined(info("p1", ["microphone", "camera", "screen", "screenAudio"]));
    stage.slot({ pair: 0, participantId: "p1", audio: "p1.microphone", video: "p1.camera" });
    stage.slot({ pair: 1, participantId: "p1", audio: "p1.screenAudio", video: "p1.screen" });
    expect([ids(stage.get("p1")?.stream), ids(stage.get("p1")?.screen)]).toEqual([["a0", "v0"], ["a1", "v1"]]);
  });

  it("hands a picture over at the first frame of the new source, the sound at once", async () => {
    for (const id of ["p1", "p2"]) stage.joined(info(id, ["microphone", "camera"]));
    stage.slot({ pair: 0, participantId: "p1", audio: "p1.microphone", video: "p1.camera" });
    stage.slot({ pair: 0, participantId: "p2", audio: "p2.microphone", video: "p2.camera" });
    expect([ids(stage.get("p1")?.stream), ids(stage.get("p2")?.stream)]).toEqual([[], ["a0"]]);
    stage.slotStarted({ pair: 0, kind: "video", publicationId: "p2.camera", rtpTimestamp: 9000 });
    shown = 8999;
    await vi.advanceTimersByTimeAsync(200);
    expect(ids(stage.get("p2")?.stream)).toEqual(["a0"]);
    shown = 9000;
    await vi.advanceTimersByTimeAsync(200);
    expect(ids(stage.get("p2")?.stream)).toEqual(["a0", "v0"]);
  });

  it("does not wait for a frame for ever", async () => {
    for (const id of ["p1", "p2"]) stage.joined(info(id, ["camera"]));
    stage.slot({ pair: 0, participantId: "p1", audio: "", video: "p1.camera" });
    stage.slot({ pair: 0, participantId: "p2", audio: "", video: "p2.camera" });
    shown = -9000 >>> 0;
    stage.slotStarted({ pair: 0, kind: "video", publicationId: "p2.camera", rtpTimestamp: 9000 });
    await vi.advanceTimersByTimeAsync(2000);
    expect(ids(stage.get("p2")?.stream)).toEqual(["v0"]);
  });

  it("takes the tracks of whoever leaves, and tells who left over a rejoin", () => {
    for (const id of ["p1", "p2"]) stage.joined(info(id, ["microphone"]));
    stage.slot({ pair: 0, participantId: "p1", audio: "p1.microphone", video: "" });
    events.length = 0;
    stage.reset([info("p2", ["microphone"])]);
    expect(events).toEqual(["trackRemoved p1 microphone", "participantLeft p1", "participantUpdated p2"]);
  });

  it("updates mute without touching tracks", () => {
    stage.joined(info("p1", ["microphone"]));
    stage.slot({ pair: 0, participantId: "p1", audio: "p1.microphone", video: "" });
    events.length = 0;
    stage.joined(info("p1", ["microphone"], true));
    expect([events, stage.get("p1")?.microphoneOn]).toEqual([["participantUpdated p1"], false]);
  });
});
