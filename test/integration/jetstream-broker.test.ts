/** What the JetStream fan-out asks of a broker that works: its connection, its stream, its frames. */

import { setDefaultCACertificates } from "node:tls";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, nanos, type NatsConnection } from "nats";
import { afterEach, expect, test } from "vitest";
import type { Fanout } from "../../src/fanout/fanout.ts";
import { connectJetStream } from "../../src/fanout/jetstream.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createAuthority } from "../support/certificate.ts";
import { collect, eventsFrame, framesFlow, isUp, newTenant } from "../support/fanout.ts";
import { type NatsServer, startNats } from "../support/nats.ts";

const tenant = newTenant();
const lines: string[] = [];
const log = createLogger({ level: "info", destination: { write: (line) => lines.push(line) } });
const opened: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
  lines.length = 0;
});

async function startServer(args: readonly string[] = []): Promise<NatsServer> {
  const server = await startNats({ args });
  opened.push(() => server.stop());
  return server;
}

async function open(url: string, options: { maxBytes?: number } = {}): Promise<Fanout> {
  const fanout = await connectJetStream({ servers: [url], shards: 256, log, ...options });
  opened.push(() => fanout.stop());
  return fanout;
}

async function operate(server: NatsServer): Promise<NatsConnection> {
  const connection = await connect({ servers: server.url });
  opened.push(() => connection.close());
  return connection;
}

test("a frame too large to carry arrives as numbers only", async () => {
  const server = await startServer();
  const [here, there] = [await open(server.url), await open(server.url)];
  const received = collect(there, 1, tenant);
  await framesFlow(here, there, 1);
  const frame = eventsFrame(tenant, 1, 1, ["x".repeat(300_000)]);
  here.publish([frame]);
  await expect.poll(() => received.frames).toEqual([{ ...frame, events: null }]);
});

test("a run too large for one frame arrives in pieces that continue each other", async () => {
  const server = await startServer();
  const [here, there] = [await open(server.url), await open(server.url)];
  const received = collect(there, 1, tenant);
  await framesFlow(here, there, 1);
  const texts = Array.from({ length: 10 }, (_, index) => String(index).repeat(100_000));
  const frame = eventsFrame(tenant, 1, 1, texts);
  here.publish([frame]);
  await expect
    .poll(() => received.frames.flatMap((got) => (got.kind === "events" && got.events) || []))
    .toEqual(frame.events);
});

test("junk on a subject is dropped, counted and logged, and frames flow on", async () => {
  const server = await startServer();
  const [here, there] = [await open(server.url), await open(server.url)];
  there.subscribe(2, () => {});
  await framesFlow(here, there, 2);
  const connection = await operate(server);
  for (const junk of ["", "junk", "\u0002newer", "\u0001\u0000\u0000\u0000\u0002{}"]) {
    connection.publish("tidegate.feed.2", junk);
  }
  await expect.poll(() => there.status().counts.unreadable).toBe(4);
  expect(lines.join("")).toContain("unreadable frame ignored");
  await framesFlow(here, there, 2);
});

test("a process does not get its own frames a second time", async () => {
  const server = await startServer();
  const [here, there] = [await open(server.url), await open(server.url)];
  const own = collect(here, 3, tenant);
  await framesFlow(there, here, 3);
  const [mine, theirs] = [1, 2].map((first) => eventsFrame(tenant, 3, first, ["{}"]));
  if (mine === undefined || theirs === undefined) throw new Error("unreachable");
  here.publish([mine]);
  await expect.poll(() => here.status().counts.carried).toBe(1);
  // The stream brings frames in order, so mine would have come before theirs.
  there.publish([theirs]);
  await expect.poll(() => own.frames.at(-1)).toEqual(theirs);
  expect(own.frames).toEqual([mine, theirs]);
});

test("the stream is made as documented, and an operator's change of size is kept", async () => {
  const server = await startServer();
  await isUp(await open(server.url));
  const manager = await (await operate(server)).jetstreamManager();
  const { config } = await manager.streams.info("TIDEGATE");
  expect(config).toMatchObject({
    subjects: ["tidegate.feed.*"],
    retention: "limits",
    discard: "old",
    storage: "file",
    num_replicas: 1,
    max_age: nanos(10 * 60_000),
    duplicate_window: nanos(1_000),
    max_bytes: 256 * 1024 * 1024,
  });
  await manager.streams.update("TIDEGATE", { max_bytes: 1e6, max_age: nanos(60_000) });
  await isUp(await open(server.url));
  const kept = await manager.streams.info("TIDEGATE");
  expect(kept.config).toMatchObject({ max_bytes: 1e6, max_age: nanos(10 * 60_000) });
  await isUp(await open(server.url, { maxBytes: 2e6 }));
  expect((await manager.streams.info("TIDEGATE")).config.max_bytes).toBe(2e6);
});

test.each([
  ["user and password", ["--user", "tide", "--pass", "p@ss:w/rd"], "tide:p%40ss%3Aw%2Frd@"],
  ["a token", ["--auth", "s3cr3t"], "s3cr3t@"],
])("connects with %s from the URL", async (_, args, userinfo) => {
  const server = await startServer(args);
  const fanout = await open(server.url.replace("//", `//${userinfo}`));
  expect(fanout.status().state).toBe("up");
  expect(lines.join("")).not.toContain("s3cr3t");
});

test("goes on trying with credentials that are refused, and logs no secret", async () => {
  const server = await startServer(["--user", "tide", "--pass", "right"]);
  const fanout = await open(server.url.replace("//", "//tide:wr0ng-secret@"));
  expect(fanout.status().state).toBe("reconnecting");
  await expect.poll(() => lines.join("")).toContain("broker not usable");
  expect(lines.join("")).not.toContain("wr0ng-secret");
});

test("connects over TLS, and only to who has a certificate for the name", async () => {
  const authority = createAuthority();
  setDefaultCACertificates([authority.cert]);
  const folder = await mkdtemp(join(tmpdir(), "nats-tls-"));
  opened.push(() => rm(folder, { recursive: true }));
  const start = async (host: string): Promise<string> => {
    const { cert, key } = authority.issue({ host });
    const paths = { cert: join(folder, `${host}.pem`), key: join(folder, `${host}.key`) };
    await Promise.all([writeFile(paths.cert, cert), writeFile(paths.key, key)]);
    const args = ["--tls", "--tlscert", paths.cert, "--tlskey", paths.key];
    const { port } = await startServer(args);
    return `tls://localhost:${port}`;
  };
  expect((await open(await start("localhost"))).status().state).toBe("up");
  expect((await open(await start("elsewhere.example"))).status().state).toBe("reconnecting");
  const plain = await startServer();
  const refused = await open(`tls://localhost:${plain.port}`);
  expect(refused.status().state).toBe("reconnecting");
});

test("uses another server of the list when one is down", async () => {
  const [gone, alive] = await Promise.all([startServer(), startServer()]);
  await gone.kill();
  await isUp(await open(`${gone.url},${alive.url}`));
});
