// Who is signed in. Kept per tab, so that two tabs can be two people (or two devices of one).

const tokenKey = "parley.token";
const uidKey = "parley.lastUid";


/** The token this tab signed in with before it was reloaded. */
export function savedToken(): string | null {
  return sessionStorage.getItem(tokenKey);
}

/** Remembers the token for this tab and the name for the next sign-in of this browser. */
export function remember(token: string, uid: string): void {
  sessionStorage.setItem(tokenKey, token);
  try {
    localStorage.setItem(uidKey, uid);
  } catch {
    // Only a prefilled field is lost.
  }
}

/** Forgets the token: the next load shows the sign-in. */
export function forget(): void {
  sessionStorage.removeItem(tokenKey);
}

/** Who signed in last in this browser. */
export function lastUid(): string {
  try {
    return localStorage.getItem(uidKey) ?? "";
  } catch {
    return "";
  }
}

/** Whom a token names, read without checking it: the server does that. Undefined for what is no token. */
export function subjectOf(token: string): string | undefined {
  try {
    const payload = token.split(".")[1] ?? "";
    const bytes = Uint8Array.from(atob(payload.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
    const subject = JSON.parse(new TextDecoder().decode(bytes)).sub;
    return typeof subject === "string" ? subject : undefined;
  } catch {
    return undefined;
  }
}
