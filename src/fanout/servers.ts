/**
 * Where the NATS servers are, from URLs such as `nats://user:secret@host:4222`, `nats://token@host`
 * or `tls://host`. The client library takes addresses and credentials apart, and one set of
 * credentials for all servers of a cluster. Errors never quote a URL: it may hold a secret.
 */

export type Servers = {
  /** `host:port` each. */
  readonly addresses: readonly string[];
  readonly encrypted: boolean;
  readonly credentials:
    | Readonly<Record<string, never>>
    | { readonly token: string }
    | { readonly user: string; readonly pass: string };
};

const defaultPort = 4222;

/** Each text may itself be a list with commas. Throws when they cannot mean one cluster. */
export function parseServers(texts: readonly string[]): Servers {
  const list = texts.flatMap((text) => text.split(","));
  const urls = list
    .map((text) => text.trim())
    .filter((text) => text !== "")
    .map(parseUrl);
  if (urls.length === 0) throw new Error("NATS: no server is given");
  const schemes = new Set(urls.map((url) => url.protocol));
  if (schemes.size > 1) throw new Error("NATS: nats:// and tls:// cannot be mixed");
  const credentials = urls.filter((url) => url.username !== "").map(readCredentials);
  if (new Set(credentials.map((entry) => JSON.stringify(entry))).size > 1) {
    throw new Error("NATS: all servers must be given the same credentials");
  }
  return {
    addresses: urls.map((url) => `${url.hostname}:${url.port || defaultPort}`),
    encrypted: schemes.has("tls:"),
    credentials: credentials[0] ?? {},
  };
}

function parseUrl(text: string): URL {
  const url = URL.parse(text.includes("://") ? text : `nats://${text}`);
  if (url === null || url.hostname === "") throw new Error("NATS: a server is not a valid URL");
  if (url.protocol !== "nats:" && url.protocol !== "tls:") {
    throw new Error(`NATS: ${url.protocol}// is not supported, use nats:// or tls://`);
  }
  return url;
}

function readCredentials(url: URL): Servers["credentials"] {
  const name = decodePart(url.username);
  return url.password === "" ? { token: name } : { user: name, pass: decodePart(url.password) };
}

/** A `%` that starts no escape stands for itself, as people paste secrets unescaped. */
function decodePart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
