import { vi } from "vitest";

/** A track that is live until it is stopped. */
export class FakeTrack extends EventTarget {
  static count = 0;
  readonly id = `t${++FakeTrack.count}`;
  readyState = "live";
  enabled = true;
  onended: (() => void) | null = null;

  constructor(readonly kind: string) {
    super();
  }

  stop(): void {
    this.readyState = "ended";
  }

  getSettings(): object {
    return {};
  }
}

/** A stream that is a set of tracks. */
export class FakeStream {
  readonly #tracks = new Set<FakeTrack>();

  constructor(tracks: FakeTrack[] = []) {
    for (const track of tracks) this.#tracks.add(track);
  }

  addTrack(track: FakeTrack): void {
    this.#tracks.add(track);
  }

  removeTrack(track: FakeTrack): void {
    this.#tracks.delete(track);
  }

  getTracks(): FakeTrack[] {
    return [...this.#tracks];
  }

  getAudioTracks(): FakeTrack[] {
    return this.getTracks().filter((t) => t.kind === "audio");
  }

  getVideoTracks(): FakeTrack[] {
    return this.getTracks().filter((t) => t.kind === "video");
  }
}

/** A PeerConnection that negotiates anything and connects nothing. */
export class FakePeerConnection {
  connectionState = "new";
  onconnectionstatechange: (() => void) | null = null;
  readonly #transceivers: object[] = [];

  addTransceiver(trackOrKind: FakeTrack | string, { direction }: { direction: string }): object {
    const kind = typeof trackOrKind === "string" ? trackOrKind : trackOrKind.kind;
    const transceiver = {
      mid: String(this.#transceivers.length),
      direction,
      sender: {
        track: typeof trackOrKind === "string" ? null : trackOrKind,
        getParameters: () => ({ encodings: [] }),
        replaceTrack: async () => {},
      },
      receiver: { track: new FakeTrack(kind) },
    };
    this.#transceivers.push(transceiver);
    return transceiver;
  }

  async createOffer(): Promise<object> {
    return { sdp: "v=0\r\n" };
  }

  async setLocalDescription(): Promise<void> {}

  async setRemoteDescription(): Promise<void> {}

  async getStats(): Promise<Map<string, object>> {
    return new Map();
  }

  getReceivers(): object[] {
    return [];
  }

  close(): void {}
}

/** Puts these in the place of the browser's; gives the mock of getUserMedia. */
export function fakeMedia() {
  const getUserMedia = vi.fn(async ({ audio, video }: { audio?: unknown; video?: unknown }) => {
    return new FakeStream([...(audio ? [new FakeTrack("audio")] : []), ...(video ? [new FakeTrack("video")] : [])]);
  });
  vi.stubGlobal("MediaStream", FakeStream);
  vi.stubGlobal("RTCPeerConnection", FakePeerConnection);
  vi.stubGlobal("RTCRtpReceiver", class {});
  vi.stubGlobal("navigator", { mediaDevices: { getUserMedia, enumerateDevices: async () => [], getDisplayMedia: async () => new FakeStream([new FakeTrack("video"), new FakeTrack("audio")]) } });
  return getUserMedia;
}
