import { degradationOf, encodingsOf, shouldRun, sizingOf, type Watched } from "./encodings.js";
import { ParleyError } from "./errors.js";
import type { Outgoing } from "./local-media.js";
import { narrow, withOpusNack, withoutUdpCandidates, withoutUdpServers } from "./sdp.js";
import type { PairReceivers } from "./stage.js";
import type { Source } from "./types.js";

/** The body of `session.offer`, less the session. */
export interface OfferBody {
  sdp: string;
  publications: { mid: string; source: Source; muted: boolean }[];
  slots: { pair: number; audioMid: string; videoMid: string }[];
  iceRestart?: boolean;
}

/** What the server says when it is joined. */
export interface PeerFacts {
  iceServers: RTCIceServer[];
  videoCodec: string;
  pairs: number;
}

interface PeerConfig extends PeerFacts {
  iceTransportPolicy?: RTCIceTransportPolicy;
  forceTcp?: boolean;
  /** Sends videos in several sizes. */
  simulcast: boolean;
  /** Sends an offer and resolves with the answer. */
  offer(body: OfferBody): Promise<{ sdp: string }>;
}

interface Publishing {
  transceiver: RTCRtpTransceiver;
  muted: boolean;
  active: boolean;
  /** What the server said last of who receives it. */
  watched?: Watched;
  /** Changes of the sender's parameters, one after the other. */
  tuning: Promise<void>;
  /** They have been set once; a browser without a choice of degradation never shows the one it was given. */
  tuned?: boolean;
}

const kindOf = (source: Source): "audio" | "video" => (source === "camera" || source === "screen" ? "video" : "audio");

/**
 * One PeerConnection of a session, in the shape of docs/protocol.md, section 5: what is published, the pairs of slots, the
 * data channel if there is one; and its offers, strictly one at a time.
 */
export class Peer {
  readonly connection: RTCPeerConnection;
  #config: PeerConfig;
  #publishing = new Map<Source, Publishing>();
  #pairs: { audio: RTCRtpTransceiver; video: RTCRtpTransceiver }[] = [];
  #ownStreams = new Map<string, MediaStream>();
  #channel: RTCDataChannel | null = null;
  #videoCodec: string;
  #queue: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(config: PeerConfig, tracks: readonly Outgoing[]) {
    this.#config = config;
    this.#videoCodec = config.videoCodec;
    this.connection = new RTCPeerConnection({
      bundlePolicy: "max-bundle",
      iceServers: config.forceTcp ? withoutUdpServers(config.iceServers) : config.iceServers,
      iceTransportPolicy: config.iceTransportPolicy ?? "all",
    });
    // Sending m-lines first, then the pairs: the order of the protocol.
    for (const { source, track, muted } of tracks) this.publish(source, track, muted);
    this.grow(config.pairs);
  }

  /** Takes what was not known when it was made, before the first offer. */
  async complete({ iceServers, videoCodec, pairs }: PeerFacts, tracks: readonly Outgoing[]): Promise<void> {
    if (this.#closed) return;
    this.setIceServers(iceServers);
    if (videoCodec !== this.#videoCodec) this.setVideoCodec(videoCodec);
    this.grow(pairs);
    for (const { source, track, muted } of tracks) {
      if (!this.publishes(source)) this.publish(source, track, muted);
      await this.replace(source, track);
      this.setMuted(source, muted);
    }
  }

  get closed(): boolean {
    return this.#closed;
  }

  get pairCount(): number {
    return this.#pairs.length;
  }

  /** The receivers of a pair. */
  receivers(pair: number): PairReceivers | undefined {
    const found = this.#pairs[pair];
    return found && { audio: found.audio.receiver, video: found.video.receiver };
  }

  /** The pair that a received track belongs to. */
  pairOf(trackId: string): number | undefined {
    const pair = this.#pairs.findIndex(({ audio, video }) => audio.receiver.track.id === trackId || video.receiver.track.id === trackId);
    return pair < 0 ? undefined : pair;
  }

  /** Whether a source has an m-line of its own that is in use. */
  publishes(source: Source): boolean {
    return this.#publishing.get(source)?.active ?? false;
  }

  /** Adds a source, or takes its old m-line up again. An offer has to follow. */
  publish(source: Source, track: MediaStreamTrack | null, muted: boolean): void {
    const old = this.#publishing.get(source);
    if (old) {
      old.active = true;
      old.watched = undefined;
      old.muted = muted;
      old.transceiver.direction = "sendonly";
      void this.#send(old, track);
      return;
    }
    const transceiver = this.#addSender(source, track);
    this.#publishing.set(source, { transceiver, muted, active: true, tuning: Promise.resolve() });
    this.#prefer(transceiver, kindOf(source));
  }

  /** Ends a source; its m-line becomes inactive with the next offer. */
  unpublish(source: Source): void {
    const publishing = this.#publishing.get(source);
    if (!publishing) return;
    publishing.active = false;
    publishing.transceiver.direction = "inactive";
    void publishing.transceiver.sender.replaceTrack(null);
  }

  /** Sends another track, or none, where this source was sent. No offer is needed. */
  async replace(source: Source, track: MediaStreamTrack | null): Promise<void> {
    const publishing = this.#publishing.get(source);
    if (publishing) await this.#send(publishing, track);
  }

  /** Stops encoding what nobody receives, and starts again what somebody does. Mute has no part in it. */
  watched(list: readonly Watched[]): void {
    for (const publishing of this.#publishing.values()) {
      const watched = list.find(({ mid }) => mid === publishing.transceiver.mid);
      if (!watched) continue;
      publishing.watched = watched;
      this.#tune(publishing);
    }
  }

  /** Remembers mute for the next offer. */
  setMuted(source: Source, muted: boolean): void {
    const publishing = this.#publishing.get(source);
    if (publishing) publishing.muted = muted;
  }

  isMuted(source: Source): boolean {
    return this.#publishing.get(source)?.muted ?? true;
  }

  /** The source on a sending m-line. */
  sourceOf(mid: string): Source | undefined {
    for (const [source, { transceiver }] of this.#publishing) if (transceiver.mid === mid) return source;
    return undefined;
  }

  /** Makes the pool at least this many pairs. An offer has to follow. */
  grow(pairs: number): void {
    while (this.#pairs.length < pairs) {
      const audio = this.connection.addTransceiver("audio", { direction: "recvonly" });
      const video = this.connection.addTransceiver("video", { direction: "recvonly" });
      this.#prefer(audio, "audio");
      this.#prefer(video, "video");
      this.#pairs.push({ audio, video });
    }
  }

  /** The data channel, made when there is none that could be used. An offer has to follow. */
  openChannel(): RTCDataChannel {
    const old = this.#channel;
    if (old && (old.readyState === "connecting" || old.readyState === "open")) return old;
    return (this.#channel = this.connection.createDataChannel("parley", { ordered: true }));
  }

  /** Puts another codec first. An offer has to follow. */
  setVideoCodec(codec: string): void {
    this.#videoCodec = codec;
    for (const { transceiver } of this.#publishing.values()) {
      if (transceiver.sender.track?.kind === "video" || transceiver.receiver.track.kind === "video") this.#prefer(transceiver, "video");
    }
    for (const { video } of this.#pairs) this.#prefer(video, "video");
  }

  /** Replaces the TURN credentials, for a restart. */
  setIceServers(servers: RTCIceServer[]): void {
    const iceServers = this.#config.forceTcp ? withoutUdpServers(servers) : servers;
    this.connection.setConfiguration({ ...this.connection.getConfiguration(), iceServers });
  }

  /** Offers what there is now, after the offers that are under way. */
  negotiate(options: { iceRestart?: boolean } = {}): Promise<void> {
    const turn = this.#queue.then(() => this.#negotiate(options.iceRestart ?? false));
    this.#queue = turn.catch(() => {});
    return turn;
  }

  close(): void {
    this.#closed = true;
    this.connection.onconnectionstatechange = null;
    this.connection.close();
  }

  async #negotiate(iceRestart: boolean): Promise<void> {
    if (this.#closed) throw new ParleyError("CLOSED", "The session is closed.");
    const offer = await this.connection.createOffer({ iceRestart });
    const sdp = await this.#setOffer(offer.sdp ?? "");
    let answer: { sdp: string };
    try {
      answer = await this.#config.offer({ sdp, ...this.#layout(), iceRestart: iceRestart || undefined });
    } catch (error) {
      if (!this.#closed) await this.connection.setLocalDescription({ type: "rollback" }).catch(() => {});
      throw error;
    }
    if (this.#closed) return;
    const tcpOnly = this.#config.forceTcp && this.#config.iceTransportPolicy !== "relay";
    await this.connection.setRemoteDescription({ type: "answer", sdp: tcpOnly ? withoutUdpCandidates(answer.sdp) : answer.sdp });
    for (const publishing of this.#publishing.values()) this.#tune(publishing);
  }

  /** Adds a sending m-line, with as much of the wanted encodings as the browser takes. */
  #addSender(source: Source, track: MediaStreamTrack | null): RTCRtpTransceiver {
    const streams = [this.#ownStream(source === "screen" || source === "screenAudio" ? "screen" : "camera")];
    const add = (temporal: boolean) =>
      this.connection.addTransceiver(track ?? kindOf(source), {
        direction: "sendonly",
        streams,
        sendEncodings: encodingsOf(source, this.#config.simulcast, temporal),
      });
    try {
      return add(true);
    } catch {
      return add(false); // none of its codecs has temporal layers
    }
  }

  /** Another track may have another size. */
  async #send(publishing: Publishing, track: MediaStreamTrack | null): Promise<void> {
    const { sender } = publishing.transceiver;
    if (sender.track === track) return;
    await sender.replaceTrack(track);
    this.#tune(publishing);
  }

  /** What one encoding of a sender should be now. */
  #wanted({ watched, transceiver }: Publishing, source: Source | undefined, index: number, count: number, rid: string | undefined) {
    const running = shouldRun(watched, rid);
    if (!source || kindOf(source) === "audio") return { active: running };
    const { width, height } = transceiver.sender.track?.getSettings() ?? {};
    const { unused, ...size } = sizingOf(source, count, index, width && height ? width * height : undefined);
    return { active: running && !unused, ...size };
  }

  /** Brings a sender's parameters in line with what is known now. */
  #tune(publishing: Publishing): void {
    publishing.tuning = publishing.tuning.then(async () => {
      const { sender } = publishing.transceiver;
      const source = this.sourceOf(publishing.transceiver.mid ?? "");
      const parameters = sender.getParameters() as RTCRtpSendParameters & { degradationPreference?: string };
      let changed = false;
      if (source && kindOf(source) === "video" && parameters.degradationPreference !== degradationOf(source)) {
        parameters.degradationPreference = degradationOf(source);
        changed = !publishing.tuned;
      }
      for (const [index, encoding] of parameters.encodings.entries()) {
        const wanted = this.#wanted(publishing, source, index, parameters.encodings.length, encoding.rid);
        changed ||= Object.entries(wanted).some(([name, value]) => encoding[name as keyof typeof wanted] !== value);
        Object.assign(encoding, wanted);
      }
      if (this.#closed || !changed || parameters.encodings.length === 0) return;
      await sender.setParameters(parameters);
      publishing.tuned = true;
    }).catch(() => {
      // A negotiation came between: it tunes anew when it is done.
    });
  }

  /** Prefers the offer with NACK for Opus; a browser that does not take it gets its own words. */
  async #setOffer(sdp: string): Promise<string> {
    const wanted = withOpusNack(sdp);
    try {
      await this.connection.setLocalDescription({ type: "offer", sdp: wanted });
      return wanted;
    } catch {
      await this.connection.setLocalDescription({ type: "offer", sdp });
      return sdp;
    }
  }

  /** Names the m-lines of the offer that was just set. */
  #layout(): Pick<OfferBody, "publications" | "slots"> {
    const publications: OfferBody["publications"] = [];
    for (const [source, { transceiver, muted, active }] of this.#publishing) {
      if (active && transceiver.mid !== null) publications.push({ mid: transceiver.mid, source, muted });
    }
    const slots = this.#pairs.map(({ audio, video }, pair) => ({ pair, audioMid: audio.mid ?? "", videoMid: video.mid ?? "" }));
    return { publications, slots };
  }

  #ownStream(name: string): MediaStream {
    let stream = this.#ownStreams.get(name);
    if (!stream) this.#ownStreams.set(name, (stream = new MediaStream()));
    return stream;
  }

  #prefer(transceiver: RTCRtpTransceiver, kind: "audio" | "video"): void {
    const codecs = narrow(RTCRtpReceiver.getCapabilities?.(kind)?.codecs ?? [], kind === "video" ? this.#videoCodec : "opus");
    if (codecs.length === 0) return;
    try {
      transceiver.setCodecPreferences?.(codecs);
    } catch {
      // A browser that does not like the choice offers all that it has, which the server answers as well.
    }
  }
}
