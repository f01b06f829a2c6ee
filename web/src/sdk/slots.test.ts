import { describe, expect, it } from "vitest";
import { SlotLabels, notOlder } from "./slots.js";

const video = (labels: SlotLabels) =>
  labels
    .labels()
    .filter((l) => l.kind === "video")
    .map((l) => l.participantId);
const audio = (labels: SlotLabels) =>
  labels
    .labels()
    .filter((l) => l.kind === "audio")
    .map((l) => l.participantId);

describe("notOlder", () => {
  it.each([
    [10, 10, true],
    [11, 10, true],
    [9, 10, false],
    [5, 0xfffffff0, true],
    [0xfffffff0, 5, false],
    [0x7fffffff, 0, true],
    [0x80000000, 0, false],
  ])("%i against %i: %s", (a, b, expected) => {
    expect(notOlder(a, b)).toBe(expected);
  });
});

describe("SlotLabels", () => {
  const first = { pair: 0, participantId: "p1", audio: "a1", video: "v1" };
  const second = { pair: 0, participantId: "p2", audio: "a2", video: "v2" };

  it("labels the first picture of a pair at once: no other face can be on it", () => {
    const labels = new SlotLabels();
    labels.announce(first);
    expect(video(labels)).toEqual(["p1"]);
    expect(labels.waiting(0)).toBe("no");
  });

  it.each([0, 0x7ffffff0, 0xfffffff0])("relabels at the frame that is not older than the start, from %i on", (start) => {
    const labels = new SlotLabels();
    labels.announce(first);
    labels.announce(second);
    expect([video(labels), audio(labels), labels.waiting(0)]).toEqual([[], ["p2"], "forStart"]);
    labels.frame(0, (start - 3000) >>> 0);
    labels.started({ pair: 0, kind: "video", publicationId: "v2", rtpTimestamp: start });
    expect([video(labels), labels.waiting(0)]).toEqual([[], "forFrame"]);
    labels.frame(0, (start - 1) >>> 0);
    expect(video(labels)).toEqual([]);
    labels.frame(0, start);
    expect(video(labels)).toEqual(["p2"]);
  });

  it("takes a frame that was shown before the server's word about it arrived", () => {
    const labels = new SlotLabels();
    labels.announce(first);
    labels.announce(second);
    labels.frame(0, 9000);
    labels.started({ pair: 0, kind: "video", publicationId: "v2", rtpTimestamp: 9000 });
    expect(video(labels)).toEqual(["p2"]);
  });

  it("ignores the start of a source that was overtaken by another", () => {
    const labels = new SlotLabels();
    labels.announce(first);
    labels.announce(second);
    labels.announce({ ...second, participantId: "p3", video: "v3" });
    labels.started({ pair: 0, kind: "video", publicationId: "v2", rtpTimestamp: 1 });
    labels.frame(0, 5);
    expect(video(labels)).toEqual([]);
    labels.started({ pair: 0, kind: "video", publicationId: "v3", rtpTimestamp: 5 });
    expect(video(labels)).toEqual(["p3"]);
  });

  it("keeps the picture when only the sound changes", () => {
    const labels = new SlotLabels();
    labels.announce(first);
    labels.announce({ ...first, audio: "a9" });
    expect([video(labels), labels.labels().find((l) => l.kind === "audio")?.publicationId]).toEqual([["p1"], "a9"]);
  });

  it("empties a pair at once, and still waits when it is filled again", () => {
    const labels = new SlotLabels();
    labels.announce(first);
    labels.announce({ pair: 0, participantId: "", audio: "", video: "" });
    expect(labels.labels()).toEqual([]);
    labels.announce(second);
    expect(video(labels)).toEqual([]);
  });

  it("labels without a frame when told to give up", () => {
    const labels = new SlotLabels();
    labels.announce(first);
    labels.announce(second);
    labels.giveUp(0);
    expect(video(labels)).toEqual(["p2"]);
  });
});
