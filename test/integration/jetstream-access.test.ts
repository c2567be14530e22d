/**
 * How a gateway proves to a broker who it is, and knows the broker: with real files and a real
 * server for each way. The files are read at each connection, so what is renewed is used.
 */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { BrokerAccess } from "../../src/config.ts";
import type { Fanout } from "../../src/fanout/fanout.ts";
import { connectJetStream } from "../../src/fanout/jetstream.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createAuthority } from "../support/certificate.ts";
import { framesFlow, isUp, recoveryMs } from "../support/fanout.ts";
import { createNatsAccounts, createNkeyUser } from "../support/nats-accounts.ts";
import { type NatsServer, startNats } from "../support/nats.ts";

const lines: string[] = [];
const log = createLogger({ level: "info", destination: { write: (line) => lines.push(line) } });
const opened: (() => Promise<unknown>)[] = [];
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nats-access-"));
  opened.push(() => rm(folder, { recursive: true }));
});

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
  lines.length = 0;
});

async function startServer(args: readonly string[]): Promise<NatsServer> {
  const server = await startNats({ args });
  opened.push(() => server.stop());
  return server;
}

async function save(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

async function open(server: string, access: BrokerAccess): Promise<Fanout> {
  const fanout = await connectJetStream({ servers: [server], shards: 256, log, ...access });
  opened.push(() => fanout.stop());
  return fanout;
}

async function stateWith(server: string, access: BrokerAccess): Promise<string> {
  const fanout = await open(server, access);
  return fanout.status().state;
}

test("connects with a .creds file, and with its successor when the first has expired", async () => {
  const accounts = createNatsAccounts();
  const server = await startServer(["-c", await save("server.conf", accounts.config)]);
  // Long enough for a busy machine to connect with it.
  const credsFile = await save("user.creds", accounts.createCreds(5));
  const here = await open(server.url, { credsFile });
  await isUp(here);
  const { since } = here.status();
  await save("user.creds", accounts.createCreds());
  const there = await open(server.url, { credsFile });
  // The server ends a session whose user has expired.
  await expect.poll(() => here.status().since, { timeout: recoveryMs }).toBeGreaterThan(since);
  await framesFlow(here, there, 1);
  const stranger = await save("stranger.creds", createNatsAccounts().createCreds());
  expect(await stateWith(server.url, { credsFile: stranger })).toBe("reconnecting");
  expect(lines.join("")).not.toMatch(/SU[A-Z2-7]{50}|eyJ/);
});

test("connects with an nkey, and not with another", async () => {
  const [user, stranger] = [createNkeyUser(), createNkeyUser()];
  const config = `authorization { users: [ { nkey: ${user.publicKey} } ] }`;
  const server = await startServer(["-c", await save("server.conf", config)]);
  const nkeyFile = await save("user.nk", `${user.seed}\n`);
  await isUp(await open(server.url, { nkeyFile }));
  const wrong = await save("stranger.nk", stranger.seed);
  expect(await stateWith(server.url, { nkeyFile: wrong })).toBe("reconnecting");
  expect(lines.join("")).not.toContain(user.seed);
  expect(lines.join("")).not.toContain(stranger.seed);
});

test.each([
  ["a user and a password", ["--user", "tide", "--pass", "s3cr3t"], { password: "s3cr3t" }],
  ["a token", ["--auth", "tide"], {}],
])("connects with %s apart from the URL", async (_, args, password) => {
  const server = await startServer(args);
  await isUp(await open(server.url, { user: "tide", ...password }));
  expect(await stateWith(server.url, { user: "tide", password: "wr0ng" })).toBe("reconnecting");
  expect(lines.join("")).not.toMatch(/s3cr3t|wr0ng/);
});

test("needs no more permissions than README.md says", async () => {
  const permissions = [
    `publish: ["tidegate.feed.*", "$JS.API.>", "$JS.FC.>"]`,
    `subscribe: ["_INBOX.>"]`,
  ];
  const user = `{ user: u, password: p, permissions: { ${permissions.join(", ")} } }`;
  const config = `authorization { users: [ ${user} ] }`;
  const server = await startServer(["-c", await save("server.conf", config)]);
  const access = { user: "u", password: "p" };
  const [here, there] = [await open(server.url, access), await open(server.url, access)];
  await framesFlow(here, there, 1);
  expect(lines.join("")).not.toContain("ermission");
});

test("shows a client certificate where the server asks for one, to its own authority", async () => {
  const authority = createAuthority();
  const [served, own] = ["localhost", "gateway"].map((host) => authority.issue({ host }));
  if (served === undefined || own === undefined) throw new Error("two were issued");
  const caFile = await save("ca.pem", authority.cert);
  const certificate = ["--tlscert", await save("server.pem", served.cert)];
  const key = ["--tlskey", await save("server.key", served.key)];
  const args = ["--tlsverify", "--tlscacert", caFile, ...certificate, ...key];
  const { port } = await startServer(args);
  const url = `nats://localhost:${port}`;
  const certFile = await save("own.pem", own.cert);
  const keyFile = await save("own.key", own.key);

  await isUp(await open(url, { caFile, certFile, keyFile }));
  expect(await stateWith(url, { caFile })).toBe("reconnecting");
  // The system knows nothing of this authority.
  expect(await stateWith(url, { certFile, keyFile })).toBe("reconnecting");
  const other = await save("other.pem", createAuthority().cert);
  expect(await stateWith(url, { caFile: other, certFile, keyFile })).toBe("reconnecting");
});

test("an authority that is named is no help against a server without TLS", async () => {
  const server = await startServer([]);
  const caFile = await save("ca.pem", createAuthority().cert);
  expect(await stateWith(server.url, { caFile })).toBe("reconnecting");
});

test("what cannot be used stops the start, named by its variable alone", async () => {
  const { cert, key } = createAuthority().issue({ host: "gateway" });
  const other = createAuthority().issue({ host: "gateway" });
  const certFile = await save("own.pem", cert);
  const keyFile = await save("own.key", key);
  const junk = await save("junk", "s3cr3t");
  const missing = join(folder, "missing");
  const cases: [BrokerAccess, RegExp][] = [
    [{ credsFile: missing }, /^NATS_CREDS: the file cannot be read \(ENOENT\)$/],
    [{ credsFile: junk }, /^NATS_CREDS: the file does not hold what it should$/],
    [{ nkeyFile: folder }, /^NATS_NKEY: the file cannot be read \(EISDIR\)$/],
    [{ nkeyFile: junk }, /^NATS_NKEY: the file does not hold what it should$/],
    [{ caFile: missing }, /^NATS_CA: the file cannot be read \(ENOENT\)$/],
    [{ caFile: junk }, /^NATS_CA, NATS_CERT, NATS_KEY: not PEM/],
    [{ certFile, keyFile: missing }, /^NATS_KEY: the file cannot be read \(ENOENT\)$/],
    [{ certFile: junk, keyFile }, /^NATS_CA, NATS_CERT, NATS_KEY: not PEM/],
    [{ certFile, keyFile: await save("other.key", other.key) }, /NATS_KEY: .* do not fit$/],
  ];
  for (const [access, message] of cases) {
    await expect(open("nats://127.0.0.1:1", access)).rejects.toThrow(message);
  }
});
