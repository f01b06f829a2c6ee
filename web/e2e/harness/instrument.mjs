// Runs in every page before its own scripts: remembers the PeerConnections, so that tests read what a browser really
// received, whatever the page shows.
export function instrument() {
  const connections = new Set();
  let made = 0;
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...args) {
      super(...args);
      this.number = ++made;
      connections.add(this);
    }
    close() {
      connections.delete(this);
      super.close();
    }
  };

  window.e2e = {
    connections,
    /** What every open PeerConnection has received: one entry per inbound stream. The id tells those of other connections apart. */
    async inbound() {
      const found = [];
      for (const connection of connections) {
        for (const report of (await connection.getStats()).values()) {
          if (report.type !== "inbound-rtp") continue;
          const { mid, kind, framesDecoded = 0, frameWidth = 0, frameHeight = 0, totalAudioEnergy = 0, packetsReceived = 0, freezeCount = 0 } = report;
          found.push({ id: `${connection.number}/${mid}`, kind, framesDecoded, frameWidth, frameHeight, totalAudioEnergy, packetsReceived, freezeCount });
        }
      }
      return found;
    },
    /** The candidate pairs in use. */
    async pairs() {
      const found = [];
      for (const connection of connections) {
        const stats = await connection.getStats();
        for (const report of stats.values()) {
          if (report.type !== "transport" || !report.selectedCandidatePairId) continue;
          const pair = stats.get(report.selectedCandidatePairId);
          const local = stats.get(pair.localCandidateId);
          found.push({ type: local.candidateType, protocol: local.protocol, relayProtocol: local.relayProtocol ?? "" });
        }
      }
      return found;
    },
    /** The picture that a video element shows now: its size, mean colour and a value that changes with its content. */
    picture(selector) {
      const video = typeof selector === "string" ? document.querySelector(selector) : selector;
      if (!video || !video.videoWidth || video.readyState < 2) return null;
      const canvas = document.createElement("canvas");
      canvas.width = 64;
      canvas.height = 48;
      const context = canvas.getContext("2d", { willReadFrequently: true });
      context.drawImage(video, 0, 0, 64, 48);
      const { data } = context.getImageData(0, 0, 64, 48);
      const mean = [0, 0, 0];
      let print = 0;
      for (let at = 0; at < data.length; at += 4) {
        for (let channel = 0; channel < 3; channel++) mean[channel] += data[at + channel];
        print = (Math.imul(print, 31) + (data[at] >> 4) * 256 + (data[at + 1] >> 4) * 16 + (data[at + 2] >> 4)) | 0;
      }
      return { width: video.videoWidth, height: video.videoHeight, mean: mean.map((sum) => Math.round(sum / (64 * 48))), print };
    },
  };
}
