import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { MemoryStorage, Parley, type Call, type Session } from "../sdk/index.js";
import { FakeServer, alice, bob, callOf, refusal } from "../testing/fakeserver.js";
import { Phone, phoneOf } from "./phone.js";

let server: FakeServer;
let client: Parley;
let phone: Phone;
let stop: () => void;

/** Lets everything that waits for the fake network come to rest. */
const settle = () => vi.advanceTimersByTimeAsync(0);
const ringing = () => phone.state.ringing.map(({ sessionId }) => sessionId);

/** A session as far as the phone cares. */
function joinGives(call: Call): { leave: ReturnType<typeof vi.fn>; close(reason: string): void } {
  let closed: ((event: { reason: string; call: Call }) => void) | undefined;
  const leave = vi.fn(async () => {});
  const on = (_event: string, listener: typeof closed) => ((closed = listener), () => {});
  vi.spyOn(client, "join").mockResolvedValue({ call, state: "connected", on, leave } as unknown as Session);
  return { leave, close: (reason) => closed?.({ reason, call: { ...call, status: "ended", reason } }) };
}

beforeEach(async () => {
  vi.useFakeTimers();
  server = new FakeServer(bob);
  client = new Parley({ url: "http://host", token: "t", deviceStorage: new MemoryStorage(), openSocket: server.open });
  phone = phoneOf(client);
  stop = phone.listen();
  await client.connect();
});

afterEach(() => {
  stop();
  client.disconnect();
  vi.useRealTimers();
});

it("rings for each call once, until it is over, missed, or taken by another device", () => {
  for (const sessionId of ["s1", "s2", "s2", "s3"]) server.event("call.incoming", { call: callOf({ sessionId }), by: alice });
  expect(ringing()).toEqual(["s1", "s2", "s3"]);
  server.event("call.cancelled", { call: callOf({ sessionId: "s1", status: "cancelled" }), by: alice });
  server.event("call.answeredElsewhere", { call: callOf({ sessionId: "s2", status: "ongoing" }) });
  server.event("call.missed", { call: callOf({ sessionId: "s3", status: "unanswered" }) });
  expect([ringing(), phone.state.ended]).toEqual([[], null]);
});

it("listens as long as anybody wants it to, and hears a call once however many do", () => {
  const second = phone.listen();
  stop();
  stop(); // again is nothing
  server.event("call.incoming", { call: callOf(), by: alice });
  expect(ringing()).toEqual(["s1"]);
  second();
  server.event("call.cancelled", { call: callOf({ status: "cancelled" }), by: alice });
  expect(ringing(), "nobody listens any more").toEqual(["s1"]);
});

it("finds the call that rang before anybody listened", async () => {
  server.answers["call.active"] = () => ({ calls: [callOf(), callOf({ sessionId: "s2", status: "ongoing", members: [{ user: bob, state: "joined" }] })] });
  const late = new Phone(client);
  const off = late.listen();
  await settle();
  expect(late.state.ringing.map(({ sessionId }) => sessionId)).toEqual(["s1"]);
  off();
});

it("takes a call, joins it, and says how it ended", async () => {
  const ongoing = callOf({ status: "ongoing", startedAt: 1 });
  server.answers["call.accept"] = () => ({ call: ongoing });
  const { close, leave } = joinGives(ongoing);
  server.event("call.incoming", { call: callOf(), by: alice });
  const taken = phone.accept(phone.state.ringing[0]!, { startVideoPaused: true });
  expect([phone.state.line?.phase, ringing()]).toEqual(["joining", []]);
  await settle();
  await taken;
  expect([phone.state.line?.phase, vi.mocked(client.join).mock.calls]).toEqual(["talking", [["s1", { startVideoPaused: true }]]]);
  close("hangup");
  expect([phone.state.line, phone.state.ended?.reason]).toEqual([null, "hangup"]);
  expect(leave).toHaveBeenCalled();
  phone.dismiss();
  expect(phone.state.ended).toBe(null);
});

it("takes a call once, however often it is told to", async () => {
  server.answers["call.accept"] = () => ({ call: callOf({ status: "ongoing" }) });
  joinGives(callOf({ status: "ongoing" }));
  void phone.accept(callOf());
  void phone.accept(callOf());
  await settle();
  expect([phone.state.line?.phase, server.sent("call.accept").length, server.sent("call.end").length]).toEqual(["talking", 1, 0]);
});

it("keeps ringing through a group member's refusal, and talks when somebody accepts", async () => {
  const mine = callOf({ initiator: bob, receiver: { guid: "g", name: "G" }, receiverType: "group" });
  server.answers["call.initiate"] = () => ({ call: mine });
  joinGives(mine);
  void phone.place("g", { receiverType: "group" });
  await settle();
  server.event("call.rejected", { call: mine, by: alice });
  expect(phone.state.line?.phase).toBe("calling");
  server.event("call.accepted", { call: { ...mine, status: "ongoing" }, by: alice });
  expect(phone.state.line?.phase).toBe("talking");
});

it("never rejects: a refused call is over, with its error", async () => {
  server.answers["call.initiate"] = () => {
    throw refusal("ERR_UID_NOT_FOUND");
  };
  const placed = phone.place("nobody");
  await settle();
  await placed;
  expect([phone.state.line, phone.state.ended]).toMatchObject([null, { reason: "failed", error: { code: "ERR_UID_NOT_FOUND" } }]);
});

it("takes a call back that the server begins after the user has hung up", async () => {
  server.silent.add("call.initiate");
  const placed = phone.place("alice");
  await settle();
  void phone.hangUp();
  server.silent.clear();
  const { socket, id } = server.sent("call.initiate")[0]!;
  socket.deliver({ jsonrpc: "2.0", id, result: { call: callOf({ initiator: bob }) } });
  await settle();
  await placed;
  expect(server.sent("call.cancel")).toHaveLength(1);
  expect([phone.state.line, phone.state.ended?.reason]).toEqual([null, "cancelled"]);
});

it("ends the open call before it takes another, and does not confuse their ends", async () => {
  const first = callOf({ status: "ongoing" });
  server.answers["call.accept"] = ({ sessionId }) => ({ call: { ...first, sessionId } });
  server.answers["call.end"] = () => ({ call: { ...first, status: "ended", reason: "hangup" } });
  const one = joinGives(first);
  void phone.accept(callOf());
  await settle();
  const two = joinGives({ ...first, sessionId: "s2" });
  void phone.accept(callOf({ sessionId: "s2" }));
  await settle();
  expect([server.sent("call.end").length, phone.state.line?.call?.sessionId]).toEqual([1, "s2"]);
  expect(one.leave).toHaveBeenCalled();
  one.close("hangup");
  expect(phone.state.line?.phase, "the end of the first is not the second's").toBe("talking");
  two.close("hangup");
  expect(phone.state.line).toBe(null);
});

it("does not leave the other side hanging when media cannot be joined", async () => {
  server.answers["call.accept"] = () => ({ call: callOf({ status: "ongoing" }) });
  vi.spyOn(client, "join").mockRejectedValue(Object.assign(new Error("no media"), { code: "MEDIA_FAILED" }));
  void phone.accept(callOf());
  await settle();
  expect(server.sent("call.end")).toHaveLength(1);
  expect(phone.state.ended?.reason).toBe("failed");
});
