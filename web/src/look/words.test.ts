import { describe, expect, it } from "vitest";
import { initials } from "./face.js";
import { clock, closingWords, errorWords, pauseWords, plural, spokenLength } from "./words.js";

describe("words", () => {
  it("tells how a call ended, with the name where it helps", () => {
    expect(closingWords("rejected", "Bob")).toBe("Bob declined");
    expect(closingWords("unanswered", "Bob")).toBe("Bob didn't answer");
    expect(closingWords("lost", "Bob")).toBe("Connection lost");
    expect(closingWords("a reason of a newer server")).toBe("Call ended");
  });

  it("has a sentence for every error", () => {
    expect(errorWords({ code: "ERR_CALLING_SELF", message: "…" })).toMatch(/That is you/);
    expect(errorWords({ code: "ERR_OF_A_NEWER_SERVER", message: "Said by the server." })).toBe("Said by the server.");
    expect(errorWords(undefined)).toMatch(/Something went wrong/);
  });

  it("says why a picture stands still, where the user should know", () => {
    expect(pauseWords("Video", "bandwidth")).toBe("Video paused: weak network");
    expect(pauseWords("Screen", "paused")).toBe("Screen paused");
    expect([undefined, "hidden", "absent"].map((reason) => pauseWords("Video", reason))).toEqual(["", "", ""]);
  });

  it("writes and speaks lengths of time", () => {
    expect([0, 59_999, 61_000, 3_725_000].map(clock)).toEqual(["0:00", "0:59", "1:01", "1:02:05"]);
    expect([0, 1000, 60_000, 125_000].map(spokenLength)).toEqual(["0 seconds", "1 second", "1 minute", "2 minutes 5 seconds"]);
    expect(plural(2, "person", "people")).toBe("2 people");
  });

  it("finds initials in names of any script", () => {
    expect(["Bob Okafor", "alice", "ops-team.eu", "", "Жанна Ёлкина", "😀 smile"].map(initials)).toEqual(["BO", "A", "OE", "?", "ЖЁ", "😀S"]);
  });
});
