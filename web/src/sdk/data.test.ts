import { expect, it } from "vitest";
import { formatMessage, parseMessage } from "./data.js";

it("writes a message to everybody without `to`", () => {
  expect(JSON.parse(formatMessage({ topic: "chat", payload: { hi: 1 } }))).toEqual({ topic: "chat", payload: { hi: 1 } });
  expect(JSON.parse(formatMessage({ topic: "chat", payload: 0, to: ["p_1"] }))).toEqual({ to: ["p_1"], topic: "chat", payload: 0 });
});

it.each(["", "no JSON", "null", "[]", '{"topic":"chat"}', '{"from":7,"topic":"chat"}'])("reads nothing from %j", (text) => {
  expect(parseMessage(text)).toBeNull();
});

it("reads who sent what", () => {
  expect(parseMessage('{"from":"p_1","topic":"chat","payload":[1]}')).toEqual({ participantId: "p_1", topic: "chat", payload: [1] });
});
