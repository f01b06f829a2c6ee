import { useCallback, useEffect, useRef, useState } from "react";
import type { ConnectionTest, ConnectionTestResult } from "../sdk/index.js";
import { useClient } from "./provider.js";

/** A test of the connection: what it has found so far, and how to start it. */
export interface ConnectionTestReading {
  running: boolean;
  /** The parts that are done. */
  results: readonly ConnectionTestResult[];
  /** Null until the test is done. */
  light: ConnectionTest["light"] | null;
  /** Begins, or begins anew; some 8 s. */
  run(): void;
}

const fresh = { running: false, results: [] as readonly ConnectionTestResult[], light: null as ConnectionTest["light"] | null };

/** A test of the connection, which is given up when the component goes. The client must be connected. */
export function useConnectionTest(): ConnectionTestReading {
  const client = useClient();
  const [test, setTest] = useState(fresh);
  const current = useRef<AbortController | null>(null);
  useEffect(() => () => current.current?.abort(), []);
  const run = useCallback(() => {
    current.current?.abort();
    const giveUp = (current.current = new AbortController());
    const { signal } = giveUp;
    setTest({ ...fresh, running: true });
    const progress = (result: ConnectionTestResult) =>
      signal.aborted || setTest((before) => ({ ...before, results: [...before.results, result] }));
    void client.connectionTest({ signal, progress }).then(({ light, results }) => signal.aborted || setTest({ running: false, results, light }));
  }, [client]);
  return { ...test, run };
}
