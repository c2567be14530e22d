/**
 * One attempt at a connection to the broker. Certificates and credentials are read from their files
 * each time, so that a session always begins with those that are in force now. Errors name the
 * variable that is at fault and never its value or what the file holds.
 */

import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import {
  type Authenticator,
  connect,
  type ConnectionOptions,
  credsAuthenticator,
  type NatsConnection,
  nkeyAuthenticator,
  type TlsOptions,
} from "nats";
import type { BrokerAccess } from "../config.ts";
import type { Servers } from "./servers.ts";

const connectTimeoutMs = 5_000;

/** Tries each server once. The library's own reconnecting is off, see jetstream.ts. */
export async function dial(
  servers: Servers,
  access: BrokerAccess,
  gossiped: readonly string[] = [],
): Promise<NatsConnection> {
  const addresses = new Set([...servers.addresses, ...gossiped]);
  const proofs = await readProofs(access);
  return connect({
    ...servers.credentials,
    ...(servers.encrypted ? { tls: {} } : {}),
    ...proofs,
    servers: [...addresses],
    name: "tidegate",
    timeout: connectTimeoutMs,
    reconnect: false,
    noAsyncTraces: true,
  });
}

/** Throws when a file cannot be read or does not hold what it should. */
export async function readProofs(access: BrokerAccess): Promise<ConnectionOptions> {
  const [creds, seed, ca, cert, key] = await Promise.all([
    readNamed("NATS_CREDS", access.credsFile),
    readNamed("NATS_NKEY", access.nkeyFile),
    readNamed("NATS_CA", access.caFile),
    readNamed("NATS_CERT", access.certFile),
    readNamed("NATS_KEY", access.keyFile),
  ]);
  return {
    ...userOptions(access),
    ...(creds && { authenticator: checked("NATS_CREDS", credsAuthenticator(creds)) }),
    ...(seed && { authenticator: checked("NATS_NKEY", nkeyAuthenticator(trimmed(seed))) }),
    // Whoever names an authority or a certificate does not want to speak in the clear.
    ...((ca ?? cert) && { tls: tlsOptions(text(ca), text(cert), text(key)) }),
  };
}

function userOptions({ user, password }: BrokerAccess): ConnectionOptions {
  if (user === undefined) return {};
  return password === undefined ? { token: user } : { user, pass: password };
}

async function readNamed(name: string, path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path);
  } catch (error) {
    // The message of the error itself holds the path.
    throw new Error(`${name}: the file cannot be read (${(error as { code?: string }).code})`);
  }
}

/** Signs once, which is what fails later when the file holds something else. */
function checked(name: string, authenticator: Authenticator): Authenticator {
  try {
    authenticator("probe");
  } catch {
    throw new Error(`${name}: the file does not hold what it should`);
  }
  return authenticator;
}

function tlsOptions(ca?: string, cert?: string, key?: string): TlsOptions {
  const options = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  try {
    createSecureContext(options);
    // The one that it takes silently, to trust nobody then.
    if (ca?.includes("-----BEGIN CERTIFICATE-----") === false) throw new Error("not PEM");
  } catch {
    throw new Error(
      "NATS_CA, NATS_CERT, NATS_KEY: not PEM, or the certificate and the key do not fit",
    );
  }
  return options;
}

function text(bytes: Buffer | undefined): string | undefined {
  return bytes?.toString("utf8");
}

/** Editors end a file with a line break, which is no part of a seed. */
function trimmed(seed: Buffer): Uint8Array {
  return Buffer.from(seed.toString("utf8").trim());
}
