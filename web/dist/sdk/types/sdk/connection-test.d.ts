import { type WayName } from "./media-way.js";
/** What is tested, in this order: signaling, the ways that media may take, and how much goes through. */
export type ConnectionTestName = "signaling" | WayName | "bitrate";
/** How one part of a test went. */
export interface ConnectionTestResult {
    name: ConnectionTestName;
    /** `skipped`: there was nothing to test, as TURN on a server without it. */
    result: "passed" | "failed" | "skipped";
    /** How long it took, in milliseconds; of signaling the round trip. */
    timeMs: number;
    /** Why it failed or was skipped, for people; "" otherwise. */
    reason: string;
    /** Of the bit rate: bit/s that went up to the server and down again. The test sends no more than 3 Mbit/s. */
    bitrate?: number;
}
/** A whole test: `green` for good calls, `yellow` for calls that work with losses, `red` for none. */
export interface ConnectionTest {
    light: "green" | "yellow" | "red";
    results: ConnectionTestResult[];
}
/** Options of a test. */
export interface ConnectionTestOptions {
    /** Hears of each part when it is done. */
    progress?: (result: ConnectionTestResult) => void;
    /** Gives the test up. */
    signal?: AbortSignal;
}
interface TestConfig extends ConnectionTestOptions {
    online(): boolean;
    request<T>(method: string, params: object): Promise<T>;
}
/** Below this a call of two by video is no pleasure: it is what 360 lines take, with sound and room for losses. */
export declare const GOOD_BITRATE = 700000;
/** Tries the connection to the server in every way there is. Never rejects: what fails is in the results. */
export declare function testConnection(config: TestConfig): Promise<ConnectionTest>;
/** The light of a test. Media over UDP and enough of it is green; anything that carries media is yellow. */
export declare function lightOf(results: readonly ConnectionTestResult[]): ConnectionTest["light"];
export {};
