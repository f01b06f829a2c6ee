import { DataLine } from "./data.js";
import { isFinal } from "./endings.js";
import { ParleyError, codeOf } from "./errors.js";
import { Growth } from "./growth.js";
import { listen } from "./listening.js";
import type { Outgoing } from "./local-media.js";
import { sendOffer, sleep, type OfferAnswer } from "./offers.js";
import { NetworkChange } from "./network-change.js";
import { Peer, type OfferBody, type PeerFacts } from "./peer.js";
import { backoff } from "./reconnect.js";
import { Recovery, type RecoveryStep } from "./recovery.js";
import type { JoinResult } from "./session-config.js";
import type { PairReceivers } from "./stage.js";
import type { JoinOptions } from "./session-types.js";
import type { Publication, Source } from "./types.js";

interface LinkConfig {
  /** Known once joined. */
  readonly sessionId: string;
  options: JoinOptions;
  request<T>(method: string, params: object): Promise<T>;
  online(): boolean;
  join(): Promise<JoinResult>;
  outgoing(): Outgoing[];
  connected(): void;
  lost(reason: string): void;
  restored(): void;
  failed(error: unknown): void;
  /** The receivers of the pairs are others, or more, than before. */
  renewed(): void;
  message(text: string): void;
  /** Finds out soon whether signaling still lives. */
  probe(): void;
}

/** TURN credentials that are younger than this serve for an ICE restart as they are: asking for others takes a round trip. */
const FRESH_MS = 10 * 60_000;

/**
 * A session's connection to the media server through all of its PeerConnections: negotiates, keeps what is sent in step with
 * the devices, grows the pool of slots, and carries out what Recovery decides.
 */
export class Link {
  #config: LinkConfig;
  #peer: Peer | null = null;
  #growth: Growth | null = null;
  #recovery: Recovery | null = null;
  #data: DataLine<Peer>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #publicationIds = new Map<Source, string>();
  #rejoining = false;
  #closed = false;
  #iceServersAt = 0;
  /** ICE restarts that wait for their answer. */
  #restarts = 0;
  #stopListening: () => void = () => {};
  #network = new NetworkChange(() => {
    this.#config.probe();
    this.restart();
  });

  constructor(config: LinkConfig) {
    this.#config = config;
    this.#data = new DataLine({ offer: (peer: Peer) => this.#offer(peer), message: config.message });
  }

  get peer(): Peer | null {
    return this.#peer;
  }

  receivers(pair: number): PairReceivers | undefined {
    return this.#peer?.receivers(pair);
  }

  /** Joins and negotiates; `prepare` runs in between and opens devices. */
  async open(prepare: () => Promise<void>): Promise<void> {
    const joining = this.#config.join();
    const ahead = this.#makeAhead();
    try {
      const joined = await joining;
      await prepare();
      await this.#connect(joined, ahead);
    } catch (error) {
      if (ahead !== this.#peer) ahead?.close();
      throw error;
    }
    this.#network.watch();
  }

  /** Brings what is sent in step with the devices: tracks, mute, and new sources, which take an offer. */
  async syncTracks(): Promise<void> {
    const peer = this.#peer;
    if (!peer) return; // the first offer takes things as they are then
    let offer = false;
    const mutes: Outgoing[] = [];
    for (const out of this.#config.outgoing()) {
      if (!peer.publishes(out.source)) {
        peer.publish(out.source, out.track, out.muted);
        offer = true;
        continue;
      }
      await peer.replace(out.source, out.track);
      if (peer.isMuted(out.source) !== out.muted) mutes.push(out);
    }
    for (const { source, muted } of mutes) peer.setMuted(source, muted);
    // An offer says who is muted, too.
    if (offer) return this.#offer(peer);
    for (const { source, muted } of mutes) await this.#mute(peer, source, muted);
  }

  /** Ends sources, such as a screen share. */
  async unpublish(sources: Source[]): Promise<void> {
    const peer = this.#peer;
    if (!peer || sources.length === 0) return;
    for (const source of sources) {
      peer.unpublish(source);
      this.#publicationIds.delete(source);
    }
    await this.#offer(peer);
  }

  /** Takes the server's names for what this device publishes. */
  ownPublications(publications: Publication[]): void {
    for (const { source, publicationId } of publications) this.#publicationIds.set(source, publicationId);
  }

  /** Which source of this device the server calls so. */
  sourceOf(publicationId: string): Source | undefined {
    for (const [source, id] of this.#publicationIds) if (id === publicationId) return source;
    return undefined;
  }

  /** The server has more to send than there are pairs. */
  needPairs(pairs: number): void {
    this.#growth?.need(pairs);
  }

  /** What of this device's is received by somebody. */
  watched(list: Parameters<Peer["watched"]>[0]): void {
    this.#peer?.watched(list);
  }

  useCodec(codec: string): void {
    const peer = this.#peer;
    if (!peer) return;
    peer.setVideoCodec(codec);
    this.#offer(peer).catch(() => {});
  }

  /** Sends on the data channel, which is opened for the first message; false for what is over 16 KiB, or too late. */
  send(text: string): boolean {
    return !this.#closed && this.#data.send(text);
  }

  /** Opens the data channel: the server has something for it. */
  openData(): void {
    if (!this.#closed) this.#data.open();
  }

  /** Restarts ICE now. */
  restart(): void {
    this.#steps(this.#recovery?.restart(Date.now()) ?? []);
  }

  /** The server does not know this PeerConnection any more. */
  rejoin(): void {
    this.#steps(this.#recovery?.rejoin() ?? []);
  }

  /** Signaling is back with nothing lost: what waits for it may go on. */
  signalingRestored(): void {
    this.#data.signalingRestored();
    // An offer that is under way goes out again by itself.
    const { phase } = this.#recovery ?? {};
    if (phase === "suspect" || (phase === "restarting" && this.#restarts === 0)) this.restart();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#network.close();
    this.#stopListening();
    this.#data.close();
    this.#peer?.close();
    this.#peer = null;
  }

  #makePeer(facts: PeerFacts): Peer {
    const { iceTransportPolicy, forceTcp, simulcast = true } = this.#config.options;
    const offer = (body: OfferBody) => this.#sendOffer(body);
    return new Peer({ ...facts, iceTransportPolicy, forceTcp, simulcast, offer }, this.#config.outgoing());
  }

  /** A PeerConnection takes a browser some 30 ms: where it is known what will be sent, they pass while the server answers the join. */
  #makeAhead(): Peer | undefined {
    if (this.#config.outgoing().length === 0) return undefined;
    try {
      return this.#makePeer({ iceServers: [], videoCodec: "VP8", pairs: 1 });
    } catch {
      return undefined; // the server's answer comes first; made after it, the same error is told
    }
  }

  /** Takes a fresh place in the session, with the PeerConnection that was made ahead for it or with a new one. */
  async #connect({ iceServers, videoCodec, pairs, rights }: JoinResult, ahead?: Peer): Promise<void> {
    const wanted = rights?.subscribe === false ? 0 : Math.max(1, pairs);
    const facts = { iceServers: this.#config.options.iceServers?.(iceServers) ?? iceServers, videoCodec, pairs: wanted };
    const fits = ahead && ahead.pairCount <= wanted ? ahead : undefined;
    await fits?.complete(facts, this.#config.outgoing());
    if (this.#closed) throw new ParleyError("CLOSED", "The session is closed.");
    this.#peer?.close();
    if (ahead !== fits) ahead?.close();
    const peer = fits ?? this.#makePeer(facts);
    this.#peer = peer;
    this.#iceServersAt = Date.now();
    this.#stopListening();
    this.#stopListening = listen(peer, () => this.#silent(peer));
    this.#growth = new Growth(peer, () => {
      this.#config.renewed();
      this.#offer(peer).catch(() => {});
    });
    this.#publicationIds.clear();
    if (this.#recovery) this.#recovery.rejoined(Date.now());
    else this.#recovery = new Recovery(Date.now());
    this.#arm();
    this.#data.moveTo(peer);
    peer.connection.onconnectionstatechange = () => this.#stateChanged(peer);
    this.#config.renewed();
    await peer.negotiate();
    await this.syncTracks();
  }

  /** Nothing comes in any more. The socket goes the same way as a rule, and nothing can be repaired without it. */
  #silent(peer: Peer): void {
    if (peer !== this.#peer) return;
    this.#config.probe();
    this.#steps(this.#recovery?.silent(Date.now()) ?? []);
  }

  #stateChanged(peer: Peer): void {
    if (peer !== this.#peer || !this.#recovery) return;
    const state = peer.connection.connectionState;
    this.#steps(this.#recovery.transport(Date.now(), state));
    if (state !== "connected") return;
    this.#config.connected();
    this.#growth?.connected();
  }

  /** Offers, and joins again if the server has lost us. */
  async #offer(peer: Peer, options: { iceRestart?: boolean } = {}): Promise<void> {
    try {
      await peer.negotiate(options);
    } catch (error) {
      if (peer === this.#peer && codeOf(error) === "ERR_SESSION_NOT_JOINED") this.rejoin();
      throw error;
    }
  }

  async #sendOffer(body: OfferBody): Promise<OfferAnswer> {
    const { sessionId, request } = this.#config;
    const answer = await sendOffer((b) => request<OfferAnswer>("session.offer", { sessionId, ...b }), body, () => this.#closed);
    if (answer.publications) this.ownPublications(answer.publications);
    return answer;
  }

  async #mute(peer: Peer, source: Source, muted: boolean): Promise<void> {
    const publicationId = this.#publicationIds.get(source);
    // Without the server's name for it, an offer tells the same.
    if (!publicationId) return this.#offer(peer);
    try {
      await this.#config.request("session.mute", { sessionId: this.#config.sessionId, publicationId, muted });
    } catch (error) {
      if (codeOf(error) === "ERR_SESSION_NOT_JOINED") return this.rejoin();
      if (codeOf(error) !== "ERR_PUBLICATION_NOT_FOUND") throw error;
      await this.#offer(peer);
    }
  }

  #steps(steps: RecoveryStep[]): void {
    for (const step of steps) {
      if (step === "lost") this.#config.lost(this.#peer?.connection.connectionState ?? "");
      else if (step === "restored") this.#config.restored();
      else if (step === "restartIce") void this.#restartIce();
      else void this.#rejoin();
    }
    this.#arm();
  }

  /** Wakes at Recovery's deadline. While signaling is away nothing can be repaired, and the time does not count. */
  #arm(): void {
    clearTimeout(this.#timer);
    const deadline = this.#recovery?.deadline;
    if (deadline === undefined || this.#closed) return;
    const due = () => {
      if (this.#config.online()) this.#steps(this.#recovery?.advance(Date.now()) ?? []);
      else this.#timer = setTimeout(due, 500);
    };
    this.#timer = setTimeout(due, Math.max(0, deadline - Date.now()));
  }

  async #restartIce(): Promise<void> {
    const peer = this.#peer;
    if (!peer) return;
    this.#restarts++;
    try {
      if (Date.now() - this.#iceServersAt > FRESH_MS) await this.#renewIceServers(peer);
      if (peer !== this.#peer) return;
      await this.#offer(peer, { iceRestart: true });
      // A connection that stayed up through the restart raises no event.
      if (peer.connection.connectionState === "connected") this.#stateChanged(peer);
    } catch (error) {
      // A timeout is left to Recovery's own deadline; a refusal is final for this PeerConnection.
      if (peer === this.#peer && !this.#closed && codeOf(error) !== "TIMEOUT") this.rejoin();
    } finally {
      this.#restarts--;
    }
  }

  async #renewIceServers(peer: Peer): Promise<void> {
    const { sessionId, options } = this.#config;
    const { iceServers } = await this.#config.request<{ iceServers: RTCIceServer[] }>("session.iceServers", { sessionId });
    if (peer !== this.#peer) return;
    peer.setIceServers(options.iceServers?.(iceServers) ?? iceServers);
    this.#iceServersAt = Date.now();
  }

  async #rejoin(): Promise<void> {
    if (this.#rejoining) return;
    this.#rejoining = true;
    this.#data.close(); // what is sent from now on waits for the next PeerConnection
    try {
      for (let attempt = 0; !this.#closed; attempt++) {
        try {
          return await this.#connect(await this.#config.join());
        } catch (error) {
          if (this.#closed) return;
          if (isFinal(error)) return this.#config.failed(error);
          await sleep(backoff(attempt, Math.random()));
        }
      }
    } finally {
      this.#rejoining = false;
    }
  }
}
