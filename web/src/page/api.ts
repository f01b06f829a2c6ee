// The few REST requests of the page: signing in and the directory. Everything about calls goes through the SDK.

import type { Group, User } from "../sdk/index.js";

/** What the server tells everybody: whether this is a development server, and then the key that signs anybody in. */
export interface ServerConfig {
  dev: boolean;
  authKey?: string;
  version: string;
  /** What a browser subscribes to Web Push with; absent when this server sends none. */
  vapidPublicKey?: string;
}

/** A refused request; status is the HTTP status. */
export class RequestError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** Reads the server's public configuration. */
export function getConfig(): Promise<ServerConfig> {
  return request("GET", "/v1/config");
}

/** Gets a token for a uid; only a development server answers. */
export async function login(uid: string, authKey: string): Promise<{ token: string; user: User }> {
  return request("POST", "/v1/auth/login", undefined, { uid, authKey });
}

/** Everyone the server knows. */
export async function listUsers(token: string): Promise<User[]> {
  return (await request<{ users: User[] }>("GET", "/v1/users", token)).users ?? [];
}

/** The groups of the signed-in user. */
export async function listGroups(token: string): Promise<Group[]> {
  return (await request<{ groups: Group[] }>("GET", "/v1/groups", token)).groups ?? [];
}

/** Creates a group and puts the members into it. */
export async function createGroup(token: string, guid: string, name: string, members: string[]): Promise<void> {
  await request("PUT", `/v1/groups/${encodeURIComponent(guid)}`, token, { name });
  for (const uid of members) {
    await request("PUT", `/v1/groups/${encodeURIComponent(guid)}/members/${encodeURIComponent(uid)}`, token, {});
  }
}

/** Makes an invitation of guests to a named session; a development server does so for any user. */
export async function invite(token: string, session: string, ttlSeconds: number, watchOnly: boolean): Promise<{ invitation: string; expiresAt: number }> {
  return request("POST", `/v1/sessions/${encodeURIComponent(session)}/invitations`, token, { ttlSeconds, ...(watchOnly && { publish: [] }) });
}

async function request<T>(method: string, path: string, token?: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await response.text();
  const parsed = parse(text);
  if (!response.ok) {
    const { code, detail, title } = parsed as { code?: string; detail?: string; title?: string };
    throw new RequestError(response.status, code ?? "", detail || title || `The server answered ${response.status}.`);
  }
  return parsed as T;
}

function parse(text: string): unknown {
  try {
    return text ? JSON.parse(text) : {};
  } catch {
    return {};
  }
}
