import type { TokenProvider, TokenReason } from "./types.js";

/** The token of the signed-in user: a fixed one, or one that the app makes anew when asked. */
export class TokenSource {
  #token: string | null;
  #provider: TokenProvider | null;
  #asked: Promise<string> | null = null;

  constructor(token: string | TokenProvider) {
    this.#provider = typeof token === "function" ? token : null;
    this.#token = typeof token === "string" ? token : null;
  }

  /** Whether a new token can be had without the app being told to bring one. */
  get renewable(): boolean {
    return this.#provider !== null;
  }

  /** The token to use; asks the app if there is none. */
  async get(): Promise<string> {
    return this.#token ?? this.renew("connect");
  }

  /** Asks the app for a new token, once at a time. */
  renew(reason: TokenReason): Promise<string> {
    const provider = this.#provider;
    if (!provider) return Promise.reject(new TypeError("The token is a fixed one."));
    this.#asked ??= Promise.resolve()
      .then(() => provider(reason))
      .then((token) => (this.#token = token))
      .finally(() => (this.#asked = null));
    return this.#asked;
  }

  /** Takes a token that the app brought. */
  set(token: string): void {
    this.#token = token;
  }
}
