import { ParleyError } from "./errors.js";

/** A request on its way. */
interface Outstanding {
  id: number;
  frame: string;
  /** Goes again after a reconnect: its answer may have been lost with the socket. */
  durable: boolean;
  sent: boolean;
  deadline: number;
  resolve: (result: unknown) => void;
  reject: (error: ParleyError) => void;
}

/** A JSON-RPC reply. */
export interface Reply {
  id?: unknown;
  result?: unknown;
  error?: { code: number; message: string; data?: { code?: string; field?: string; details?: Record<string, unknown> } };
}

/**
 * The requests that wait for an answer. A lost socket does not fail them: the same bytes, with the same mutation id, go out
 * on the next one, and the server answers a mutation that it knows with its first answer. Takes the time; has no timers.
 */
export class Requests {
  #nextId = 1;
  #table = new Map<number, Outstanding>();

  get size(): number {
    return this.#table.size;
  }

  /** Enters a request and gives back its frame. `deadline` is in the clock of `expire`. */
  add(
    method: string,
    params: object,
    options: { durable: boolean; deadline: number },
    done: { resolve: (result: unknown) => void; reject: (error: ParleyError) => void },
  ): { id: number; frame: string } {
    const id = this.#nextId++;
    const frame = JSON.stringify({ jsonrpc: "2.0", id, method, params });
    this.#table.set(id, { id, frame, sent: false, ...options, ...done });
    return { id, frame };
  }

  /** Notes that a frame went out. */
  sent(id: number): void {
    const request = this.#table.get(id);
    if (request) request.sent = true;
  }

  /** Settles the request that a reply belongs to; false if there is none (any more). */
  settle(reply: Reply): boolean {
    const request = typeof reply.id === "number" ? this.#table.get(reply.id) : undefined;
    if (!request) return false;
    this.#table.delete(request.id);
    if (reply.error) request.reject(errorOf(reply.error));
    else request.resolve(reply.result);
    return true;
  }

  /** The socket is gone: what is not durable fails now, the rest waits to be sent again. */
  lost(): void {
    for (const request of [...this.#table.values()]) {
      if (request.durable) request.sent = false;
      else this.#fail(request, new ParleyError("DISCONNECTED", "The connection was lost before the answer came."));
    }
  }

  /** What has to go out on a new socket, oldest first; each counts as sent from now on. */
  unsent(): string[] {
    const waiting = [...this.#table.values()].filter((r) => !r.sent);
    for (const request of waiting) request.sent = true;
    return waiting.map((r) => r.frame);
  }

  /** Fails what has waited past its deadline. */
  expire(now: number): void {
    for (const request of [...this.#table.values()]) {
      if (request.deadline <= now) this.#fail(request, new ParleyError("TIMEOUT", "The server did not answer in time."));
    }
  }

  /** When `expire` has something to do next. */
  nextDeadline(): number | undefined {
    let next: number | undefined;
    for (const { deadline } of this.#table.values()) if (next === undefined || deadline < next) next = deadline;
    return next;
  }

  /** Fails everything, at the end of the connection. */
  failAll(error: ParleyError): void {
    for (const request of [...this.#table.values()]) this.#fail(request, error);
  }

  #fail(request: Outstanding, error: ParleyError): void {
    this.#table.delete(request.id);
    request.reject(error);
  }
}

const jsonRpcCodes: Record<number, string> = {
  [-32700]: "ERR_BAD_REQUEST",
  [-32600]: "ERR_BAD_REQUEST",
  [-32601]: "ERR_METHOD_NOT_FOUND",
  [-32602]: "ERR_BAD_REQUEST",
};

/** Turns a JSON-RPC error into ours. */
export function errorOf(error: NonNullable<Reply["error"]>): ParleyError {
  const code = error.data?.code || jsonRpcCodes[error.code] || "ERR_INTERNAL";
  return new ParleyError(code, error.message, error.data?.field ?? "", error.data?.details ?? {});
}
