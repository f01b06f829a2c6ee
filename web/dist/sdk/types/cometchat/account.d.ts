import { Parley, type ParleyOptions, type TokenProvider } from "../sdk/index.js";
import { Listeners } from "./listeners.js";
import { User } from "./people.js";
import { type Options } from "./settings.js";
/** Things that must happen for every client that signs in. */
type ClientHook = (client: Parley) => void;
/** Who is signed in, on which server. CometChat's API is static, so there is one of these. */
export declare class Account {
    #private;
    client: Parley | null;
    user: User | null;
    /** Listeners of CometChat: `loginSuccess`, `loginFailure`, `logoutSuccess`. */
    readonly chatLogins: Listeners;
    /** Those of CometChatCalls, which has other names for the same; an app may use one id in both. */
    readonly callsLogins: Listeners;
    /** Options of the client that tests replace. */
    clientOptions: Partial<ParleyOptions>;
    /** Runs `hook` for every client that is made from now on. */
    onClient(hook: ClientHook): void;
    init(settings: Options | undefined): void;
    get initialised(): boolean;
    /** The signed-in client, or the error that CometChat's apps expect. */
    need(): Parley;
    /** Signs in with the development key: the server makes a token for any uid. */
    loginWithKey(uid: string, authKey: string): Promise<User>;
    /** Signs in with a token of the app's back end, or a function that gets one whenever it is needed. */
    loginWithToken(token: string | TokenProvider): Promise<User>;
    /** The token in use; null if nobody is signed in. */
    get token(): string | null;
    logout(): void;
}
export {};
