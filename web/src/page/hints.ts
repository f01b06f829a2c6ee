// Why a call may not get its media, where that can be known.

/** After this long without media something is in the way, and it is time to say so. */
export const patienceMilliseconds = 10_000;

/**
 * What to tell somebody whose call does not connect. sdp is the server's answer, with the addresses that it offers; url is
 * the page's address.
 */
export function connectHint(userAgent: string, url: URL, sdp: string): string {
  const addresses = [...sdp.matchAll(/^a=candidate:\S+ \d+ \S+ \d+ (\S+)/gm)].map((match) => match[1]!);
  const loopback = addresses.length > 0 && addresses.every((address) => /^(127\.|::1$)/.test(address));
  // Firefox gathers no loopback addresses of its own, and pairs no others with them.
  if (loopback && /Firefox\//.test(userAgent) && /^(localhost|127\.|\[::1\])/.test(url.hostname)) {
    return `Firefox does not use loopback for calls. Start the server with --bind 0.0.0.0, then open this page as http://localhost:${url.port || "80"} again.`;
  }
  return "Audio and video still cannot connect. A firewall may be in the way; we keep trying.";
}
