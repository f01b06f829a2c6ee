// Runs in a page before its own scripts: leads its media to another address than the server says, and through nothing else.

/** Puts an address ("127.0.0.1:4000") in the place of the server's candidates, and leaves TCP and TURN out. */
export function through(address) {
  if (!address) return;
  const [host, port] = address.split(":");
  const Native = window.RTCPeerConnection;
  const led = (sdp) =>
    sdp
      .split("\r\n")
      .filter((line) => !line.startsWith("a=candidate:") || /^\S+ \d+ udp /i.test(line))
      .map((line) => line.replace(/^(a=candidate:\S+ \d+ \S+ \d+) \S+ \d+/, `$1 ${host} ${port}`))
      .join("\r\n");
  window.RTCPeerConnection = class extends Native {
    constructor(configuration, ...rest) {
      super({ ...configuration, iceServers: [] }, ...rest);
    }
    setConfiguration(configuration) {
      super.setConfiguration({ ...configuration, iceServers: [] });
    }
    setRemoteDescription({ type, sdp }) {
      return super.setRemoteDescription({ type, sdp: led(sdp) });
    }
  };
}
