import { createContext, useContext, useEffect, type ReactNode } from "react";
import type { ConnectionState, Parley, User } from "../sdk/index.js";
import { phoneOf, type Phone } from "./phone.js";
import { useReading } from "./reading.js";

const ParleyContext = createContext<Parley | null>(null);

/** Properties of ParleyProvider. */
export interface ParleyProviderProps {
  /** The signed-in user's client. Whoever makes it ends it: `client.disconnect()` signs out. */
  client: Parley;
  /** Connect when mounted. Default true. */
  connect?: boolean;
  /** What may use the hooks and components. */
  children?: ReactNode;
}

/** Gives a client to the hooks and components below it, and hears for them which calls ring. */
export function ParleyProvider({ client, connect = true, children }: ParleyProviderProps) {
  useEffect(() => phoneOf(client).listen(), [client]);
  useEffect(() => {
    // A refusal is in the client's state, and in its event `disconnected`.
    if (connect) client.connect().catch(() => {});
  }, [client, connect]);
  return <ParleyContext.Provider value={client}>{children}</ParleyContext.Provider>;
}

/** The client of the nearest provider. */
export function useClient(): Parley {
  const client = useContext(ParleyContext);
  if (!client) throw new Error("Parley's hooks and components need a <ParleyProvider> around them.");
  return client;
}

/** The phone of the nearest provider's client, for what the hooks do not offer. */
export function usePhone(): Phone {
  return phoneOf(useClient());
}

/** The client and where its connection stands. */
export interface ParleyReading {
  client: Parley;
  /** Of the signaling connection; media does not depend on it. */
  state: ConnectionState;
  /** Who is signed in; null until connected the first time. */
  user: User | null;
}

/** The client, the state of its connection and its user. */
export function useParley(): ParleyReading {
  const client = useClient();
  return useReading(client, ["stateChanged", "connected", "disconnected"], () => ({ client, state: client.state, user: client.user }));
}
