/** Where this script came from, which is where its server is. Only readable while the script is being loaded. */
export const scriptOrigin: string | undefined = originOf(
  (globalThis.document?.currentScript as HTMLScriptElement | null | undefined)?.src || import.meta.url,
);

function originOf(url: string | undefined): string | undefined {
  try {
    const { protocol, origin } = new URL(url ?? "");
    return protocol === "http:" || protocol === "https:" ? origin : undefined;
  } catch {
    return undefined;
  }
}
