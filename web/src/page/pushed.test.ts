import { describe, expect, it } from "vitest";
import { shownFor, wishOf, type Push } from "./pushed.js";

const ring: Push = {
  type: "call", callAction: "initiated", sessionId: "s1", callType: "video", title: "Alice", body: "VIDEO CALL", sentAt: "1000", expiresAt: "46000",
};

describe("what a push shows", () => {
  it("rings until it is answered", () => {
    const shown = shownFor(ring, 2000);
    expect(shown).toMatchObject({ title: "Alice", options: { body: "Incoming video call", tag: "s1", requireInteraction: true, data: { sessionId: "s1", rings: true } } });
    expect(shown?.options.actions?.map(({ action }) => action)).toEqual(["accept", "decline"]);
  });

  it("does not ring for a call whose time is over", () => {
    expect(shownFor(ring, 46_000)?.options).toMatchObject({ body: "Missed video call", tag: "s1", data: { rings: false } });
    expect(shownFor({ ...ring, expiresAt: undefined }, 2000)?.options.data).toEqual({ sessionId: "s1", rings: false });
  });

  it("takes the ring off the screen in every way it can end", () => {
    for (const callAction of ["cancelled", "unanswered", "missed"]) {
      expect(shownFor({ ...ring, callAction, callType: "audio" }, 2000)?.options).toMatchObject({ body: "Missed audio call", tag: "s1", data: { rings: false } });
    }
    for (const callAction of ["ongoing", "rejected", "busy"]) {
      const shown = shownFor({ ...ring, callAction, body: "Answered on another device" }, 2000);
      expect(shown?.options).toMatchObject({ body: "Answered on another device", tag: "s1", silent: true, data: { rings: false } });
      expect(shown?.options.requireInteraction).toBeUndefined();
    }
  });

  it("shows pictures over HTTPS only", () => {
    expect(shownFor({ ...ring, senderAvatar: "https://p.example/a.png" }, 0)?.options.icon).toBe("https://p.example/a.png");
    expect(shownFor({ ...ring, senderAvatar: "javascript:alert(1)" }, 0)?.options.icon).toBeUndefined();
  });

  it("leaves alone what is no call", () => {
    expect(shownFor({ type: "chat", sessionId: "s1" }, 0)).toBeUndefined();
    expect(shownFor({ type: "call" }, 0)).toBeUndefined();
  });
});

describe("the address that a notification opens", () => {
  it("names what was wished", () => {
    expect(wishOf("#answer=s1_a-b")).toEqual({ wish: "answer", sessionId: "s1_a-b" });
    expect(wishOf("#show=s1")).toEqual({ wish: "show", sessionId: "s1" });
    for (const hash of ["", "#", "#answer=", "#decline=s1", "#answer=a/b", `#answer=${"a".repeat(129)}`]) expect(wishOf(hash)).toBeUndefined();
  });
});
