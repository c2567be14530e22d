/**
 * What the JetStream fan-out does when the broker fails it: it comes back by itself, and meanwhile
 * holds nothing. Every test breaks a nats-server of its own. That frames flow means that what is
 * published from now on arrives; what was published before may be lost, which is the promise.
 */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type JetStreamManager } from "nats";
import { afterEach, expect, test } from "vitest";
import type { Fanout } from "../../src/fanout/fanout.ts";
import { connectJetStream } from "../../src/fanout/jetstream.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import {
  collect,
  eventsFrame,
  framesFlow,
  isUp,
  newTenant,
  recoveryMs,
} from "../support/fanout.ts";
import { type NatsServer, startNats } from "../support/nats.ts";

const timeout = 60_000;
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

async function open(url: string): Promise<Fanout> {
  const fanout = await connectJetStream({ servers: [url], shards: 256, log });
  opened.push(() => fanout.stop());
  return fanout;
}

async function openPair(server: NatsServer): Promise<{ here: Fanout; there: Fanout }> {
  const [here, there] = await Promise.all([open(server.url), open(server.url)]);
  return { here, there };
}

/** What an operator can do to the broker meanwhile. */
async function operate(server: NatsServer): Promise<JetStreamManager> {
  const connection = await connect({ servers: server.url });
  opened.push(() => connection.close());
  return connection.jetstreamManager();
}

async function countConsumers(manager: JetStreamManager): Promise<number> {
  const info = await manager.streams.info("TIDEGATE").catch(() => undefined);
  return info?.state.consumer_count ?? 0;
}

test("starts while the broker is down, and works when it comes", { timeout }, async () => {
  const server = await startServer();
  await server.kill();
  const before = performance.now();
  const { here, there } = await openPair(server);
  expect(performance.now() - before).toBeLessThan(2_000);
  expect(here.status().state).toBe("reconnecting");
  const there1 = collect(there, 1, tenant);
  const own = collect(here, 1, tenant);
  const frame = eventsFrame(tenant, 1, 1, ["{}"]);
  here.publish([frame]);
  expect(own.frames).toEqual([frame]);
  expect(here.status().counts.dropped).toBe(1);

  await server.restart();
  await framesFlow(here, there, 1);
  await isUp(here, there);
  expect(there1.frames).toEqual([]);
});

test("starts quickly when the broker's host accepts and then says nothing", async () => {
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  opened.push(async () => silent.close());
  await expect.poll(() => silent.listening).toBe(true);
  const address = silent.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const before = performance.now();
  const fanout = await open(`nats://127.0.0.1:${address.port}`);
  expect(performance.now() - before).toBeLessThan(2_000);
  expect(fanout.status().state).toBe("reconnecting");
});

test("frames flow again after kill -9 and restart", { timeout }, async () => {
  const server = await startServer();
  const { here, there } = await openPair(server);
  there.subscribe(2, () => {});
  await framesFlow(here, there, 2);
  const { since } = here.status();
  await server.kill();
  await expect.poll(() => here.status().state).toBe("reconnecting");
  await server.restart();
  await framesFlow(here, there, 2);
  expect(here.status().state).toBe("up");
  expect(here.status().since).toBeGreaterThan(since);
});

test("frames published while a subscription reconnects arrive afterwards", async () => {
  const server = await startServer();
  const { here, there } = await openPair(server);
  const received = collect(there, 3, tenant);
  await framesFlow(here, there, 3);
  await here.stop();
  await server.kill();
  // By now `there` waits longer between its attempts, so the publisher is there before it.
  await expect.poll(() => Date.now() - there.status().since).toBeGreaterThan(700);
  await server.restart();
  const publisher = await open(server.url);
  await isUp(publisher);
  const frame = eventsFrame(tenant, 3, 1, ["{}"]);
  publisher.publish([frame]);
  await expect.poll(() => received.frames, { timeout: recoveryMs }).toEqual([frame]);
});

test("frames flow again after the stream was deleted", { timeout }, async () => {
  const server = await startServer();
  const { here, there } = await openPair(server);
  there.subscribe(4, () => {});
  await framesFlow(here, there, 4);
  await (await operate(server)).streams.delete("TIDEGATE");
  await framesFlow(here, there, 4);
});

test("frames flow again when somebody changed what the stream takes", { timeout }, async () => {
  const server = await startServer();
  const { here, there } = await openPair(server);
  there.subscribe(14, () => {});
  await framesFlow(here, there, 14);
  const manager = await operate(server);
  const { created } = await manager.streams.info("TIDEGATE");
  await manager.streams.update("TIDEGATE", { subjects: ["elsewhere.*"] });
  await framesFlow(here, there, 14);
  await manager.streams.update("TIDEGATE", { max_msg_size: 10, no_ack: true });
  await framesFlow(here, there, 14);
  const { config, ...stream } = await manager.streams.info("TIDEGATE");
  expect(stream.created).toBe(created);
  expect(config).toMatchObject({ subjects: ["tidegate.feed.*"], max_msg_size: -1 });
  expect(here.status().state).toBe("up");
  expect(lines.join("")).toContain("stream was changed by somebody");
});

test(
  "frames flow again when another stream of the name was put in place",
  { timeout },
  async () => {
    const server = await startServer();
    const { here, there } = await openPair(server);
    there.subscribe(15, () => {});
    await framesFlow(here, there, 15);
    const manager = await operate(server);
    await manager.streams.delete("TIDEGATE");
    await manager.streams
      .add({ name: "TIDEGATE", subjects: ["elsewhere.*"] })
      // One of the processes was faster.
      .catch(() => manager.streams.update("TIDEGATE", { subjects: ["elsewhere.*"] }));
    await framesFlow(here, there, 15);
  },
);

test("without room for the stream it is not up, says why, and is when there is", async () => {
  const folder = await mkdtemp(join(tmpdir(), "nats-limits-"));
  opened.push(() => rm(folder, { recursive: true }));
  const conf = join(folder, "server.conf");
  const limitTo = (bytes: string): Promise<void> =>
    writeFile(
      conf,
      `accounts { app { jetstream { max_file: ${bytes} }, users: [ { user: u, password: p } ] } }`,
    );
  await limitTo("1M");
  const server = await startServer(["-c", conf]);
  const fanout = await open(server.url.replace("//", "//u:p@"));
  const own = collect(fanout, 16, tenant);
  fanout.publish([eventsFrame(tenant, 16, 1, ["{}"])]);
  expect(own.frames).toHaveLength(1);
  expect(fanout.status().state).toBe("reconnecting");
  await expect.poll(() => lines.join("")).toContain("broker not usable");
  expect(lines.join("")).toContain("insufficient storage resources");
  await limitTo("1G");
  await server.restart();
  await isUp(fanout);
});

test("a shard that cannot be received makes it partial, and is told", { timeout }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "nats-limits-"));
  opened.push(() => rm(folder, { recursive: true }));
  const conf = join(folder, "server.conf");
  const jetstream = "jetstream { max_file: 1G, max_mem: 1G, max_consumers: 1 }";
  await writeFile(conf, `accounts { app { ${jetstream}, users: [ { user: u, password: p } ] } }`);
  const server = await startServer(["-c", conf]);
  const fanout = await open(server.url.replace("//", "//u:p@"));
  const release = [1, 2].map((shard) => fanout.subscribe(shard, () => {}));
  await expect.poll(() => fanout.status().state, { timeout: recoveryMs }).toBe("partial");
  expect(lines.join("")).toContain("shard not receivable");
  for (const end of release) end();
  await isUp(fanout);
});

test("a process that only listens makes a deleted stream anew", { timeout }, async () => {
  const server = await startServer();
  const there = await open(server.url);
  there.subscribe(5, () => {});
  const manager = await operate(server);
  await expect.poll(() => countConsumers(manager), { timeout: recoveryMs }).toBe(1);
  await manager.streams.delete("TIDEGATE");
  await expect.poll(() => countConsumers(manager), { timeout: recoveryMs }).toBe(1);
});

test("a consumer that was deleted is opened again", { timeout }, async () => {
  const server = await startServer();
  const { here, there } = await openPair(server);
  there.subscribe(6, () => {});
  await framesFlow(here, there, 6);
  const manager = await operate(server);
  for (const { name } of await manager.consumers.list("TIDEGATE").next()) {
    await manager.consumers.delete("TIDEGATE", name);
  }
  await framesFlow(here, there, 6);
});

test("frames flow again after the store was wiped", { timeout }, async () => {
  const server = await startServer();
  const { here, there } = await openPair(server);
  there.subscribe(7, () => {});
  await framesFlow(here, there, 7);
  await server.kill();
  await server.wipe();
  await server.restart();
  await framesFlow(here, there, 7);
});

test("a broker that freezes is left, and used again when it goes on", { timeout }, async () => {
  const server = await startServer();
  const { here, there } = await openPair(server);
  there.subscribe(8, () => {});
  await framesFlow(here, there, 8);
  server.freeze();
  // 80 MB, ten times what may be under way: the rest must be dropped, not gathered.
  const before = process.memoryUsage().rss;
  for (let sent = 0; sent < 400; sent += 10) {
    const envelope = "x".repeat(200_000);
    here.publish(
      Array.from({ length: 10 }, (_, n) => eventsFrame(tenant, 8, sent + n + 1, [envelope])),
    );
    await new Promise(setImmediate);
  }
  expect(here.status().counts.dropped).toBeGreaterThan(300);
  expect(process.memoryUsage().rss - before).toBeLessThan(60e6);
  await expect.poll(() => here.status().state, { timeout: 15_000 }).toBe("reconnecting");
  server.thaw();
  await framesFlow(here, there, 8);
});

test("memory does not grow with what is published while the broker is down", async () => {
  const server = await startServer();
  const here = await open(server.url);
  await isUp(here);
  await server.kill();
  // 100,000 frames of 2 kB are 200 MB.
  const batch = Array.from({ length: 1_000 }, (_, n) =>
    eventsFrame(tenant, 9, n + 1, ["x".repeat(2_000)]),
  );
  const before = process.memoryUsage().rss;
  for (let round = 0; round < 100; round += 1) {
    here.publish(batch);
    if (round % 10 === 0) await new Promise(setImmediate);
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(60e6);
  const { dropped, failed } = here.status().counts;
  expect(dropped + failed).toBe(100_000);
  // Thousands of faults of a kind make one line.
  expect(lines.filter((line) => line.includes('"fault":"dropped"'))).toHaveLength(1);
});

test(
  "one process serves all 256 shards, and does so again after a restart",
  { timeout },
  async () => {
    const server = await startServer();
    const { here, there } = await openPair(server);
    const shards = Array.from({ length: 256 }, (_, shard) => shard);
    const heard = new Set<number>();
    for (const shard of shards) there.subscribe(shard, () => heard.add(shard));
    const hearAll = async (): Promise<void> => {
      heard.clear();
      await expect
        .poll(
          () => {
            here.publish(shards.map((shard) => eventsFrame(tenant, shard, 1, ["{}"])));
            return heard.size;
          },
          { timeout: recoveryMs },
        )
        .toBe(256);
    };
    await hearAll();
    await server.restart();
    await hearAll();
    expect(await countConsumers(await operate(server))).toBe(256);
  },
);

test("a broker without JetStream is not up, and does not disturb the process", async () => {
  const server = await startServer(["-js=false"]);
  const fanout = await open(server.url);
  const own = collect(fanout, 10, tenant);
  fanout.publish([eventsFrame(tenant, 10, 1, ["{}"])]);
  expect(own.frames).toHaveLength(1);
  expect(fanout.status().state).toBe("reconnecting");
});

test("a process that ends leaves no consumers behind for long", { timeout }, async () => {
  const server = await startServer();
  const there = await open(server.url);
  there.subscribe(11, () => {});
  const manager = await operate(server);
  await expect.poll(() => countConsumers(manager)).toBe(1);
  await there.stop();
  await expect.poll(() => countConsumers(manager), { timeout: recoveryMs }).toBe(0);
});

test("stops within bounded time while the broker is frozen", async () => {
  const server = await startServer();
  const fanout = await open(server.url);
  await isUp(fanout);
  server.freeze();
  const envelope = "x".repeat(200_000);
  fanout.publish(Array.from({ length: 50 }, (_, n) => eventsFrame(tenant, 12, n + 1, [envelope])));
  const before = performance.now();
  await fanout.stop();
  expect(performance.now() - before).toBeLessThan(3_500);
});
