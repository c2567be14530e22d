/**
 * The shape of production: processes with a role each, on one Postgres and one NATS. They see each
 * other's events, keys and endpoints at once, and a push process that dies is replaced.
 */

import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, type Client, type ReadEvent } from "../support/client.ts";
import { natsUrl } from "../support/nats.ts";
import { createTestDatabase } from "../support/postgres.ts";
import {
  createDirectory,
  productionEnvironment,
  startGatewayProcess,
  type GatewayProcess,
} from "../support/process.ts";
import { startReceiver } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

/** A dead process's leases run out after 4 s and are claimed within one; the rest is a busy machine. */
const takeoverMs = 10_000;

/** Enough that each of two push processes surely has some. */
const tenants = Array.from({ length: 12 }, (_, n) => `tenant_${n}`);

const opened = new AsyncDisposableStack();
const ending = new AbortController();
let api: [GatewayProcess, GatewayProcess];
let push: [GatewayProcess, GatewayProcess];
let here: Client;
let there: Client;

beforeAll(async () => {
  const database = opened.use(await createTestDatabase());
  const nats = await natsUrl();
  opened.defer(() => nats.stop());
  const directory = opened.use(await createDirectory());
  const env = { ...productionEnvironment(database.url), NATS_URL: nats.url };
  const start = async (roles: string) =>
    opened.use(
      await startGatewayProcess({
        directory: directory.path,
        env: { ...env, TIDEGATE_ROLES: roles },
      }),
    );
  // All at once, on an empty database, as an orchestrator does it.
  const [a, b, c, d] = await Promise.all(["api", "api", "push", "push"].map(start));
  if (!a || !b || !c || !d) throw new Error("four were started");
  api = [a, b];
  push = [c, d];
  [here, there] = [createClient(a.url, a.operatorKey), createClient(b.url, b.operatorKey)];
});

afterAll(async () => {
  ending.abort();
  await opened.disposeAsync();
});

test("every process is ready, and serves what its roles are", async () => {
  for (const { url } of [...api, ...push]) {
    const ready = await fetch(`${url}/readyz`);
    expect(await ready.json()).toMatchObject({ components: { database: "up", fanout: "up" } });
  }
  for (const { url } of push) expect((await fetch(`${url}/events`)).status).toBe(404);
});

test("what one process appends, another one streams, hands out and pushes", async () => {
  await here.tenant("acme");
  const key = await here.tenantKey("acme");
  const consumer = createClient(api[1].url, key);
  const streamed: ReadEvent[] = [];
  const streaming = (async () => {
    for await (const event of consumer.stream("acme", ending.signal)) streamed.push(event);
  })().catch((error: unknown) => {
    if (!ending.signal.aborted) throw error;
  });
  const waiting = consumer.page("acme", { wait: "10" });
  await using receiver = await startReceiver();
  await there.createEndpoint("acme", { url: receiver.url });

  const ids: string[] = [];
  for (let n = 0; n < 20; n += 1) ids.push((await here.append("acme", n)).id);
  expect((await waiting).events.length).toBeGreaterThan(0);
  // Shards may still be changing hands, so some may come twice.
  const pushed = () => new Set(receiver.requests.map(({ headers }) => headers["webhook-id"]));
  await waitUntil(() => pushed().size >= ids.length, { what: "the pushes" });
  expect(pushed()).toEqual(new Set(ids));
  await waitUntil(() => streamed.length >= ids.length, { what: "the stream of the other process" });
  expect(streamed.map(({ id }) => id)).toEqual(ids);
  ending.abort();
  await streaming;
});

test("a change of an endpoint reaches the process that pushes to it", async () => {
  await here.tenant("moving");
  await using before = await startReceiver();
  await using after = await startReceiver();
  const { id } = await here.createEndpoint("moving", { url: before.url });
  await here.append("moving", 1);
  await before.received(1);
  await there.expectOk("PATCH", `/endpoints/${id}`, { url: after.url });
  // The change is told like events are: soon, but to others not before it is answered.
  await waitUntil(async () => {
    await here.append("moving", "again");
    return after.requests.length > 0;
  });
});

test("when a push process is killed the other one takes over, and nothing is lost", async () => {
  await using receiver = await startReceiver();
  for (const tenant of tenants) {
    await here.tenant(tenant);
    await here.createEndpoint(tenant, { url: receiver.url });
    await here.append(tenant, "before");
  }
  await receiver.received(tenants.length);
  await push[0].kill();
  const ids = new Set<string>();
  for (const tenant of tenants) ids.add((await here.append(tenant, "after")).id);
  await waitUntil(
    () => {
      const pushed = new Set(receiver.requests.map(({ headers }) => headers["webhook-id"]));
      return [...ids].every((id) => pushed.has(id));
    },
    { deadlineMs: takeoverMs, what: "the delivery by the other process" },
  );
});

test("SIGTERM ends each of them with 0", async () => {
  for (const gateway of [...api, push[1]]) {
    const { code, stderr } = await gateway.terminate();
    expect(code, `it said ${stderr}`).toBe(0);
  }
});
