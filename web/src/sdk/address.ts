/** The WebSocket address of a server given as `https://host`, `wss://host`, `host:port` or a full address. */
export function socketAddress(url: string | undefined, page: { protocol: string; host: string } | undefined): string {
  if (!url) {
    if (!page) throw new TypeError("Parley needs `url` outside a web page.");
    return `${page.protocol === "https:" ? "wss" : "ws"}://${page.host}/v1/ws`;
  }
  const full = new URL(/^[a-z]+:\/\//i.test(url) ? url : `https://${url}`);
  if (full.protocol === "https:") full.protocol = "wss:";
  if (full.protocol === "http:") full.protocol = "ws:";
  if (full.pathname === "/") full.pathname = "/v1/ws";
  return full.href;
}

/** The address of the same server for REST, without a slash at its end. */
export function httpAddress(url: string | undefined, page: { protocol: string; host: string } | undefined): string {
  const { protocol, host } = new URL(socketAddress(url, page));
  return `${protocol === "ws:" ? "http" : "https"}://${host}`;
}
