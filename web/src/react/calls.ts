import type { Call, EnterOptions, JoinOptions, Session } from "../sdk/index.js";
import type { Ended, PhoneState, PlaceOptions } from "./phone.js";
import { usePhone } from "./provider.js";
import { useReading } from "./reading.js";

/** Calls that ring here, and what can be done with them. */
export interface IncomingCalls {
  /** The oldest first. */
  calls: readonly Call[];
  /** Takes a call and joins it; an open call is ended. Never rejects: what fails is `ended` of `useCall`. */
  accept(call: Call, options?: JoinOptions): Promise<void>;
  /** Declines; `busy` tells the caller that you are in another call. */
  reject(call: Call, status?: "rejected" | "busy"): Promise<void>;
}

/** The call that this device is in, if any, and how to start and end one. */
export interface CurrentCall {
  /** `calling`: it rings at the other side. `joining`: accepted here, media is being set up. `talking`: accepted. */
  phase: "idle" | "calling" | "joining" | "talking";
  /** The call as it was last heard of. */
  call: Call | null;
  /** Its media, once joined. */
  session: Session | null;
  /** How the call before ended, until the next one or `dismiss()`. */
  ended: Ended | null;
  /** Calls somebody. Does nothing while a call is open. Never rejects: what fails is in `ended`. */
  place(receiverId: string, options?: PlaceOptions): Promise<void>;
  /** Goes into a session by its name, with no ring. Never rejects either. */
  enter(name: string, options?: EnterOptions): Promise<void>;
  /** Cancels, ends or leaves. `forAll` ends a group call for everybody, for those who may. */
  hangUp(options?: { forAll?: boolean }): Promise<void>;
  /** Forgets `ended`. */
  dismiss(): void;
}

function usePhoneState(): PhoneState {
  const phone = usePhone();
  return useReading(phone, ["changed"], () => phone.state);
}

/** The calls that ring on this device. */
export function useIncomingCalls(): IncomingCalls {
  const phone = usePhone();
  return {
    calls: usePhoneState().ringing,
    accept: (call, options) => phone.accept(call, options),
    reject: (call, status) => phone.reject(call, status),
  };
}

/** The call that this device is in. */
export function useCall(): CurrentCall {
  const phone = usePhone();
  const { line, ended } = usePhoneState();
  return {
    phase: line?.phase ?? "idle",
    call: line?.call ?? null,
    session: line?.session ?? null,
    ended,
    place: (receiverId, options) => phone.place(receiverId, options),
    enter: (name, options) => phone.enter(name, options),
    hangUp: (options) => phone.hangUp(options),
    dismiss: () => phone.dismiss(),
  };
}
