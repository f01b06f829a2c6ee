import { describe, expect, it, vi } from "vitest";
import { ParleyError } from "./errors.js";
import { Requests } from "./requests.js";

function outcome() {
  return { resolve: vi.fn<(result: unknown) => void>(), reject: vi.fn<(error: ParleyError) => void>() };
}

describe("Requests", () => {
  it("settles a reply with its request, once", () => {
    const requests = new Requests();
    const done = outcome();
    const { id } = requests.add("call.get", { sessionId: "s" }, { durable: true, deadline: 10 }, done);
    expect(requests.settle({ id, result: { ok: 1 } })).toBe(true);
    expect(requests.settle({ id, result: { ok: 2 } })).toBe(false);
    expect(done.resolve.mock.calls).toEqual([[{ ok: 1 }]]);
  });

  it("turns an error into a ParleyError with the server's code", () => {
    const requests = new Requests();
    const done = outcome();
    const { id } = requests.add("call.accept", {}, { durable: true, deadline: 10 }, done);
    requests.settle({ id, error: { code: -32001, message: "over", data: { code: "ERR_CALL_TERMINATED", details: { call: {} } } } });
    expect(done.reject.mock.calls[0]?.[0]).toMatchObject({ code: "ERR_CALL_TERMINATED", details: { call: {} } });
  });

  it("sends a durable request again with the same bytes after the socket was lost", () => {
    const requests = new Requests();
    const { id, frame } = requests.add("call.accept", { mutationId: "m_1" }, { durable: true, deadline: 10 }, outcome());
    requests.sent(id);
    expect(requests.unsent()).toEqual([]);
    requests.lost();
    expect(requests.unsent()).toEqual([frame]);
    expect(requests.unsent()).toEqual([]);
  });

  it("fails what is not durable when the socket is lost", () => {
    const requests = new Requests();
    const done = outcome();
    requests.add("ping", {}, { durable: false, deadline: 10 }, done);
    requests.lost();
    expect(done.reject).toHaveBeenCalledOnce();
    expect(requests.size).toBe(0);
  });

  it("expires what waited too long, and knows when that is", () => {
    const requests = new Requests();
    const [early, late] = [outcome(), outcome()];
    requests.add("a", {}, { durable: true, deadline: 200 }, late);
    requests.add("b", {}, { durable: true, deadline: 100 }, early);
    expect(requests.nextDeadline()).toBe(100);
    requests.expire(100);
    expect(early.reject.mock.calls[0]?.[0].code).toBe("TIMEOUT");
    expect(late.reject).not.toHaveBeenCalled();
  });
});
