/**
 * The JetStream fan-out on a cluster of three: how many replicas the stream gets, and that frames
 * flow on when a server is lost, whatever its cluster can place meanwhile.
 */

import { connect, type JetStreamManager, type StreamInfo } from "nats";
import { afterEach, expect, test } from "vitest";
import type { Fanout } from "../../src/fanout/fanout.ts";
import { connectJetStream } from "../../src/fanout/jetstream.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { framesFlow, isUp, recoveryMs } from "../support/fanout.ts";
import { type NatsServer, startNats, startNatsCluster } from "../support/nats.ts";

/** Elections take seconds, and a test has some of them. */
const timeout = 120_000;
const lines: string[] = [];
const log = createLogger({ level: "info", destination: { write: (line) => lines.push(line) } });
const opened: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
  lines.length = 0;
});

async function startCluster(): Promise<[NatsServer, NatsServer, NatsServer]> {
  const servers = await startNatsCluster();
  for (const server of servers) opened.push(() => server.stop());
  const [first, second, third] = servers;
  if (!first || !second || !third) throw new Error("three were started");
  return [first, second, third];
}

async function open(
  servers: readonly NatsServer[],
  options: { replicas?: number } = {},
): Promise<Fanout> {
  const urls = servers.map(({ url }) => url);
  const fanout = await connectJetStream({ servers: urls, shards: 256, log, ...options });
  opened.push(() => fanout.stop());
  return fanout;
}

/** What an operator can do, over a server that goes on. */
async function operate(server: NatsServer): Promise<JetStreamManager> {
  const connection = await connect({ servers: server.url });
  opened.push(() => connection.close());
  return connection.jetstreamManager({ checkAPI: false });
}

/** Undefined while the cluster elects. */
function look(manager: JetStreamManager): Promise<StreamInfo | undefined> {
  return manager.streams.info("TIDEGATE").catch(() => undefined);
}

async function hasReplicas(manager: JetStreamManager, count: number): Promise<void> {
  await expect
    .poll(
      async () => {
        const info = await look(manager);
        const peers = info?.cluster?.replicas ?? [];
        const inSync = peers.filter(({ current, offline }) => current && offline !== true);
        return { wanted: info?.config.num_replicas, inSync: inSync.length + 1 };
      },
      { timeout: recoveryMs },
    )
    .toEqual({ wanted: count, inSync: count });
}

/** Asked again while the cluster elects, which may also lose the answer. */
async function remove(manager: JetStreamManager, created: string): Promise<void> {
  const isGone = async (): Promise<boolean> => {
    const deleted = await manager.streams.delete("TIDEGATE").catch(() => false);
    return deleted || ((await look(manager))?.created ?? created) !== created;
  };
  await expect.poll(isGone, { timeout: recoveryMs }).toBe(true);
}

test("a process that knows one server of a cluster outlives that server", { timeout }, async () => {
  const [first, second] = await startCluster();
  const [here, there] = await Promise.all([open([first]), open([second])]);
  there.subscribe(13, () => {});
  await framesFlow(here, there, 13);
  await first.kill();
  await framesFlow(here, there, 13);
});

test(
  "a new stream has three replicas, and keeps what its operator makes of them",
  async () => {
    const servers = await startCluster();
    const fanout = await open(servers);
    await isUp(fanout);
    const manager = await operate(servers[0]);
    await hasReplicas(manager, 3);
    await manager.streams.update("TIDEGATE", { num_replicas: 1 });
    await fanout.stop();
    await isUp(await open(servers));
    await hasReplicas(manager, 1);
  },
  timeout,
);

test("an existing stream is brought to the number that is asked for", { timeout }, async () => {
  const servers = await startCluster();
  const one = await open(servers, { replicas: 1 });
  await isUp(one);
  const manager = await operate(servers[0]);
  await hasReplicas(manager, 1);
  await one.stop();
  const [here, there] = [await open(servers, { replicas: 3 }), await open(servers)];
  await hasReplicas(manager, 3);
  await framesFlow(here, there, 1);
});

test("a server that was killed and wiped comes back as a replica", { timeout }, async () => {
  const servers = await startCluster();
  const [here, there] = [await open(servers), await open(servers)];
  there.subscribe(2, () => {});
  await framesFlow(here, there, 2);
  const manager = await operate(servers[0]);
  await hasReplicas(manager, 3);
  await servers[2].kill();
  await servers[2].wipe();
  await framesFlow(here, there, 2);
  await servers[2].restart();
  await framesFlow(here, there, 2);
  await hasReplicas(manager, 3);
});

test("frames flow again when the only replica was wiped", { timeout }, async () => {
  const servers = await startCluster();
  const [here, there] = [await open(servers, { replicas: 1 }), await open(servers)];
  there.subscribe(4, () => {});
  await framesFlow(here, there, 4);
  const before = await (await operate(servers[0])).streams.info("TIDEGATE");
  const holder = servers.find((_, index) => before.cluster?.leader === `server-${index}`);
  const other = servers.find((server) => server !== holder);
  if (holder === undefined || other === undefined) throw new Error("no server has the stream");
  await holder.kill();
  await holder.wipe();
  await holder.restart();
  await framesFlow(here, there, 4);
  // The cluster remembers the stream, so its date alone does not tell that it is empty.
  const after = await (await operate(other)).streams.info("TIDEGATE");
  expect(after.created).toBe(before.created);
});

test(
  "a stream deleted while a server is away is made smaller, later raised",
  { timeout },
  async () => {
    const servers = await startCluster();
    const [here, there] = [await open(servers.slice(0, 2)), await open(servers.slice(0, 2))];
    there.subscribe(3, () => {});
    await framesFlow(here, there, 3);
    const manager = await operate(servers[0]);
    const { created } = await manager.streams.info("TIDEGATE");
    await servers[2].shutDown();
    await remove(manager, created);
    await framesFlow(here, there, 3);
    await hasReplicas(manager, 1);
    expect(lines.filter((line) => line.includes("all its replicas"))).not.toHaveLength(0);
    await servers[2].restart();
    await hasReplicas(manager, 3);
    await framesFlow(here, there, 3);
  },
);

test("a server that stands alone has one replica, whatever is asked for", async () => {
  const server = await startNats();
  opened.push(() => server.stop());
  await isUp(await open([server], { replicas: 3 }));
  const manager = await operate(server);
  expect((await manager.streams.info("TIDEGATE")).config.num_replicas).toBe(1);
  expect(lines.join("")).toContain("all its replicas");
});
