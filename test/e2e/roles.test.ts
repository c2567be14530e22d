/**
 * Two api and two push processes on one Postgres and one NATS server: what happens in one is seen in
 * the others, at once while the fan-out is up, and a recheck later while it is down. The same steps
 * are taken in both states, so the second is what the first is compared with.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient, type Client } from "../support/client.ts";
import { startNats, type NatsServer } from "../support/nats.ts";
import { createTestDatabase } from "../support/postgres.ts";
import {
  createDirectory,
  productionEnvironment,
  startGatewayProcess,
  type GatewayProcess,
} from "../support/process.ts";
import { appendMany, eventOf } from "../support/pushes.ts";
import { startReceiver } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

const timeout = 180_000;

/** Rechecks come after one to five seconds; the rest is a busy machine. */
const deadlineMs = 30_000;

/** Appends whose way to the other process is timed. */
const timedAppends = 9;

type State = "up" | "down";

const opened = new AsyncDisposableStack();
/** Median times from an answered append to the event's arrival in the other process. */
const medianMs: Partial<Record<State, { stream: number; poll: number }>> = {};
let nats: NatsServer;
let api: [GatewayProcess, GatewayProcess];
let here: Client;
let there: Client;

beforeAll(async () => {
  const database = opened.use(await createTestDatabase());
  nats = await startNats();
  opened.defer(() => nats.stop());
  const directory = opened.use(await createDirectory());
  const env = { ...productionEnvironment(database.url), NATS_URL: nats.url };
  const start = async (TIDEGATE_ROLES: string) =>
    opened.use(
      await startGatewayProcess({ directory: directory.path, env: { ...env, TIDEGATE_ROLES } }),
    );
  const [a, b] = await Promise.all(["api", "api", "push", "push"].map(start));
  if (!a || !b) throw new Error("four were started");
  api = [a, b];
  [here, there] = [createClient(a.url, a.operatorKey), createClient(b.url, b.operatorKey)];
}, timeout);

afterAll(() => opened.disposeAsync());

for (const state of ["up", "down"] as const) {
  test(
    `with the fan-out ${state}, the other process hands out what was appended`,
    { timeout },
    async () => {
      if (state === "down") await nats.kill();
      const tenant = `feed-${state}`;
      await here.tenant(tenant);
      medianMs[state] = { stream: await timeStream(tenant), poll: await timePolls(tenant) };
    },
  );

  test(
    `with the fan-out ${state}, the other processes do as is said in one`,
    { timeout },
    async () => {
      const tenant = `control-${state}`;
      await here.tenant(tenant);
      await keysAreKnownAndRevoked(tenant);
      await schemaHolds(tenant, `checked.${state}`);
      await limitsHold(tenant);
      await endpointsFollow(tenant);
    },
  );
}

test("what the fan-out tells comes sooner than what a recheck finds", () => {
  const { up, down } = medianMs;
  if (up === undefined || down === undefined) throw new Error("both were timed");
  expect(up.stream).toBeLessThan(down.stream);
  expect(up.poll).toBeLessThan(down.poll);
});

async function timeStream(tenant: string): Promise<number> {
  const ending = new AbortController();
  const seenAt = new Map<string, number>();
  const reading = (async () => {
    for await (const { id } of there.stream(tenant, ending.signal)) {
      seenAt.set(id, performance.now());
    }
  })().catch((error: unknown) => {
    if (!ending.signal.aborted) throw error;
  });
  // Until it has brought one it may not have begun.
  const { id: first } = await here.append(tenant, 0);
  await waitUntil(() => seenAt.has(first), { deadlineMs, what: "the first event" });
  const times: number[] = [];
  for (let n = 0; n < timedAppends; n += 1) {
    const { id } = await here.append(tenant, n);
    const answeredAt = performance.now();
    const at = await waitUntil(() => seenAt.get(id), { deadlineMs, what: "an event" });
    times.push(at - answeredAt);
  }
  ending.abort();
  await reading;
  return median(times);
}

async function timePolls(tenant: string): Promise<number> {
  const times: number[] = [];
  let { cursor } = await there.page(tenant, { limit: "1000" });
  for (let n = 0; n < timedAppends; n += 1) {
    const waiting = there.page(tenant, { cursor, wait: "25" });
    // It waits when another process's request, sent after it, has been answered.
    await there.page(tenant, { cursor });
    const { id } = await here.append(tenant, n);
    const answeredAt = performance.now();
    const page = await waiting;
    times.push(performance.now() - answeredAt);
    expect(page.events.map((event) => event.id)).toEqual([id]);
    ({ cursor } = page);
  }
  return median(times);
}

async function keysAreKnownAndRevoked(tenant: string): Promise<void> {
  const body = { tenant, scopes: ["read"] };
  const { id, key } = await here.expectOk("POST", "/keys", body);
  const reader = createClient(api[1].url, String(key));
  expect((await reader.call("GET", "/events")).status).toBe(200);
  await here.expectOk("DELETE", `/keys/${String(id)}`);
  await waitUntil(async () => (await reader.call("GET", "/events")).status === 401, {
    deadlineMs,
    what: "the refusal of a revoked key",
  });
}

async function schemaHolds(tenant: string, type: string): Promise<void> {
  await there.append(tenant, {}, type);
  await here.expectOk("PUT", `/event-types/${type}`, { schema: { required: ["amount"] } });
  const event = { tenant, type, data: {} };
  await waitUntil(async () => (await there.call("POST", "/events", event)).status === 422, {
    deadlineMs,
    what: "the refusal by the new schema",
  });
}

async function limitsHold(tenant: string): Promise<void> {
  const limits = (perSecond: number | null) =>
    here.expectOk("PATCH", `/tenants/${tenant}`, { limits: { appends_per_second: perSecond } });
  const isLimited = async () => {
    const event = { tenant, type: "a", data: {} };
    return (await there.call("POST", "/events", event)).headers.has("ratelimit");
  };
  await limits(1_000);
  await waitUntil(isLimited, { deadlineMs, what: "the limit" });
  await limits(null);
  await waitUntil(async () => !(await isLimited()), { deadlineMs, what: "the end of the limit" });
}

/** Each change is followed by events until one shows that the push process has heard of it. */
async function endpointsFollow(tenant: string): Promise<void> {
  await using before = await startReceiver();
  await using after = await startReceiver();
  const { id } = await here.createEndpoint(tenant, { url: before.url });
  const append = () => appendMany(there, tenant, ["a"]);
  await append();
  await before.received(1, deadlineMs);
  await here.expectOk("PATCH", `/endpoints/${id}`, { url: after.url });
  await waitUntil(async () => (await append()) && after.requests.length > 0, { deadlineMs });
  await here.act(id, "pause");
  await waitUntil(() => silent(), { deadlineMs, what: "the pause" });
  await here.act(id, "resume");
  const resumedAt = after.requests.length;
  await append();
  await after.received(resumedAt + 1, deadlineMs);
  await here.expectOk("DELETE", `/endpoints/${id}`);
  await waitUntil(() => silent(), { deadlineMs, what: "the end of the endpoint" });

  /** An event has come to another endpoint of the tenant and not to this one. */
  async function silent(): Promise<boolean> {
    await using witness = await startReceiver();
    const { id: other } = await here.createEndpoint(tenant, { url: witness.url });
    const [event = ""] = await append();
    await waitUntil(() => witness.requests.map(eventOf).includes(event), { deadlineMs });
    await here.expectOk("DELETE", `/endpoints/${other}`);
    return !after.requests.map(eventOf).includes(event);
  }
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1] ?? Infinity;
}
