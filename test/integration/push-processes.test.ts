/** The push role across processes: one after the other, and several at once. */

import { isDeepStrictEqual } from "node:util";
import { afterEach, expect, test } from "vitest";
import { openDatabase } from "../../src/db/database.ts";
import { createClient, type Client } from "../support/client.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startNats } from "../support/nats.ts";
import { createTestDatabase } from "../support/postgres.ts";
import {
  appendMany,
  eventOf,
  header,
  repeated,
  sequenceOf,
  sequencesOf,
  upTo,
} from "../support/pushes.ts";
import { startReceiver, type Behave, type Behaviour, type Receiver } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

const zeros = "0".repeat(20);

/** Stopped last first: gateways before the database and the broker that they use. */
let opened = new AsyncDisposableStack();

afterEach(async () => {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
});

async function receiverThat(behaviour?: Behaviour | Behave): Promise<Receiver> {
  return opened.use(await startReceiver(behaviour));
}

/** A gateway on a database that outlives it; `another` starts one more of the same system. */
async function startFirst(environment: Record<string, string> = {}) {
  const database = opened.use(await createTestDatabase());
  const first = await start({ DATABASE_URL: database.url, ...environment });
  return {
    ...first,
    databaseUrl: database.url,
    another: (more: Record<string, string> = {}) => start({ ...first.environment, ...more }),
  };
}

async function start(environment: Record<string, string>) {
  const gateway = opened.use(await startTestGateway(environment));
  const client = createClient(gateway.url, gateway.operatorKey);
  let stopping: Promise<void> | undefined;
  return {
    client,
    environment: gateway.environment,
    stop: () => (stopping ??= gateway.stop()),
  };
}

test("after a restart only what had no outcome comes again, and nothing is lost", async () => {
  const first = await startFirst();
  await first.client.tenant("acme");
  const hanging = new Set([3, 8, 15]);
  const receiver = await receiverThat((request) =>
    hanging.has(sequenceOf(request)) ? { kind: "hang" } : { kind: "answer" },
  );
  const { id } = await first.client.createEndpoint("acme", {
    url: receiver.url,
    max_in_flight: 5,
    timeout_ms: 30_000,
  });
  await appendMany(first.client, "acme", repeated("a", 20));
  await receiver.received(20);
  expect(Number((await first.client.endpoint(id)).position)).toBeLessThan(3);
  await first.stop();

  receiver.behave({ kind: "answer" });
  const second = await first.another();
  await receiver.received(23);
  await second.client.append("acme", {});
  await receiver.received(24);
  await second.client.endpointWhen(id, ({ position }) => Number(position) === 21);
  const again = receiver.requests.slice(20, 23);
  expect(new Set(again.map(sequenceOf))).toEqual(hanging);
  expect(again.map(header("tidegate-attempt"))).toEqual(["1", "1", "1"]);
  expect(sequencesOf(receiver.requests)).toEqual(
    [...upTo(21), ...hanging].toSorted((a, b) => a - b),
  );
});

test("retries go on after a restart, by the same schedule", async () => {
  const first = await startFirst();
  await first.client.tenant("acme");
  const receiver = await receiverThat({ kind: "answer", status: 500 });
  const { id } = await first.client.createEndpoint("acme", {
    url: receiver.url,
    types: ["b"],
    retry_schedule: ["1s", "1s"],
  });
  await appendMany(first.client, "acme", ["b", "a", "b"]);
  await first.client.endpointWhen(id, ({ retrying }) => retrying === 2);
  await first.stop();
  const before = receiver.requests.length;

  const second = await first.another();
  await second.client.endpointWhen(id, ({ dead }) => dead === 2);
  expect(sequencesOf(receiver.requests)).toEqual([1, 1, 1, 3, 3, 3]);
  for (const request of receiver.requests) {
    const previous = sequenceOf(request) === 1 ? zeros : `${zeros.slice(1)}1`;
    expect(header("tidegate-previous-sequence")(request)).toBe(previous);
  }
  const after = receiver.requests.slice(before).map(header("tidegate-attempt"));
  expect(after).not.toContain("1");
});

test("a second process gets its share of the shards in the middle of a load", async () => {
  const first = await startFirst({ TIDEGATE_SHARDS: "16" });
  const receiver = await receiverThat({ kind: "answer", afterMs: 5 });
  const tenants = Array.from({ length: 6 }, (_, n) => `tenant_${n}`);
  for (const tenant of tenants) {
    await first.client.tenant(tenant);
    await first.client.createEndpoint(tenant, { url: receiver.url });
  }
  const load = startLoad(first.client, tenants);
  await receiver.received(100);

  await first.another();
  // Handing over waits for what was recorded so far, not for a moment without any load.
  await sharesBecome(first.databaseUrl, [8, 8], 3_000);
  const ids = await load.stop();
  await waitUntil(() => new Set(receiver.requests.map(eventOf)).size === ids.length, {
    deadlineMs: 10_000,
    what: "the delivery of every event",
  });
});

test("three processes share evenly, and so do those that are left", async () => {
  const first = await startFirst();
  const second = await first.another();
  await first.another();
  await sharesBecome(first.databaseUrl, [86, 85, 85]);
  await second.stop();
  await sharesBecome(first.databaseUrl, [128, 128]);
});

async function sharesBecome(url: string, wanted: readonly number[], deadlineMs = 20_000) {
  const database = openDatabase(url, { connections: 1, name: "test" });
  opened.defer(() => database.stop());
  let found: readonly number[] = [];
  await waitUntil(
    async () => {
      const rows = await database.sql<{ shards: number }[]>`
        select count(*)::int as shards from shard_leases where owner is not null
        group by owner order by shards desc`;
      found = rows.map(({ shards }) => shards);
      return isDeepStrictEqual(found, wanted);
    },
    { deadlineMs, what: `shares of ${wanted.join(", ")}` },
  ).catch((cause: unknown) => {
    throw new Error(`the shares stayed ${found.join(", ")}`, { cause });
  });
}

function startLoad(client: Client, tenants: readonly string[]) {
  const ids: string[] = [];
  let over = false;
  const appending = tenants.map(async (tenant) => {
    while (!over) ids.push(...(await appendMany(client, tenant, repeated("a", 5))));
  });
  return {
    async stop(): Promise<string[]> {
      over = true;
      await Promise.all(appending);
      return ids;
    },
  };
}

test("while the fan-out is down a new endpoint gets its events all the same", async () => {
  const nats = await startNats();
  opened.defer(() => nats.stop());
  const api = await startFirst({ NATS_URL: nats.url, TIDEGATE_ROLES: "api" });
  await api.another({ TIDEGATE_ROLES: "push" });
  await api.client.tenant("acme");
  const old = await receiverThat();
  await api.client.createEndpoint("acme", { url: old.url });
  await api.client.append("acme", {});
  await old.received(1);
  await nats.kill();

  // Nobody tells the push process, which is busy with this tenant, of the endpoint.
  const receiver = await receiverThat();
  await api.client.createEndpoint("acme", { url: receiver.url });
  await api.client.append("acme", {});
  await old.received(2);
  await receiver.received(1, 15_000);
});
