import { Parley, type ParleyOptions, type TokenProvider } from "../sdk/index.js";
import { CometChatException } from "./exception.js";
import { Listeners } from "./listeners.js";
import { scriptOrigin } from "./origin.js";
import { User } from "./people.js";
import { serverOf, type Options } from "./settings.js";

/** Things that must happen for every client that signs in. */
type ClientHook = (client: Parley) => void;

/** Who is signed in, on which server. CometChat's API is static, so there is one of these. */
export class Account {
  client: Parley | null = null;
  user: User | null = null;
  /** Listeners of CometChat: `loginSuccess`, `loginFailure`, `logoutSuccess`. */
  readonly chatLogins = new Listeners();
  /** Those of CometChatCalls, which has other names for the same; an app may use one id in both. */
  readonly callsLogins = new Listeners();
  #token: string | null = null;
  #server: string | undefined;
  #initialised = false;
  #hooks: ClientHook[] = [];
  /** Options of the client that tests replace. */
  clientOptions: Partial<ParleyOptions> = {};

  /** Runs `hook` for every client that is made from now on. */
  onClient(hook: ClientHook): void {
    this.#hooks.push(hook);
  }

  init(settings: Options | undefined): void {
    this.#server = serverOf(settings) ?? scriptOrigin ?? globalThis.location?.origin;
    this.#initialised = true;
  }

  get initialised(): boolean {
    return this.#initialised;
  }

  /** The signed-in client, or the error that CometChat's apps expect. */
  need(): Parley {
    if (!this.#initialised) throw new CometChatException({ code: "ERROR_SDK_NOT_INITIALIZED", message: "Call init first." });
    if (!this.client) throw new CometChatException({ code: "ERROR_NO_USER_LOGGED_IN", message: "Log in first." });
    return this.client;
  }

  /** Signs in with the development key: the server makes a token for any uid. */
  loginWithKey(uid: string, authKey: string): Promise<User> {
    return this.#login(async () => {
      const response = await fetch(this.#url("/v1/auth/login"), {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ uid, authKey }),
      });
      const body = (await response.json().catch(() => ({}))) as { token?: string; code?: string; detail?: string; title?: string };
      if (!response.ok || !body.token) {
        throw new CometChatException({
          code: body.code ?? "AUTH_ERR_NO_ACCESS",
          message: body.detail ?? body.title ?? `Login was refused (${response.status}).`,
        });
      }
      return body.token;
    });
  }

  /** Signs in with a token of the app's back end, or a function that gets one whenever it is needed. */
  loginWithToken(token: string | TokenProvider): Promise<User> {
    return this.#login(token);
  }

  /** The token in use; null if nobody is signed in. */
  get token(): string | null {
    return this.user && this.#token;
  }

  logout(): void {
    this.#forget();
    this.chatLogins.raise("logoutSuccess");
    this.callsLogins.raise("onLogoutSuccess");
  }

  #forget(): void {
    this.client?.disconnect();
    this.client = null;
    this.user = null;
    this.#token = null;
  }

  async #login(token: string | TokenProvider): Promise<User> {
    try {
      const user = await this.#signIn(token);
      this.chatLogins.raise("loginSuccess", user);
      this.callsLogins.raise("onLoginSuccess", user);
      return user;
    } catch (error) {
      const exception = CometChatException.from(error);
      this.chatLogins.raise("loginFailure", exception);
      this.callsLogins.raise("onLoginFailure", exception);
      throw exception;
    }
  }

  async #signIn(token: string | TokenProvider): Promise<User> {
    if (!this.#initialised) throw new CometChatException({ code: "ERROR_SDK_NOT_INITIALIZED", message: "Call init first." });
    // The first token is got here, so that a refusal is this call's and not a reconnecting loop's.
    let first: string | null = typeof token === "function" ? await token("connect") : token;
    const provider: string | TokenProvider =
      typeof token === "string"
        ? token
        : async (reason) => {
            const known = first;
            first = null;
            const renewed = known ?? (await token(reason));
            if (this.client === client) this.#token = renewed;
            return renewed;
          };
    this.#forget(); // whoever was signed in before; no sign-out that anybody asked for
    const client = new Parley({ url: this.#server, token: provider, client: { name: "parley-cometchat-js", version: "1.0.0" }, ...this.clientOptions });
    for (const hook of this.#hooks) hook(client);
    this.client = client;
    this.#token = first;
    try {
      this.user = new User(await client.connect());
      return this.user;
    } catch (error) {
      if (this.client === client) this.client = null;
      throw error;
    }
  }

  #url(path: string): string {
    const server = this.#server ?? "";
    return new URL(path, /^[a-z]+:\/\//i.test(server) ? server.replace(/^ws/, "http") : `https://${server}`).href;
  }
}
