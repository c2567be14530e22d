/** How deliveries went over time: counted where attempts are made, and read as a series. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase, type Database } from "../../src/db/database.ts";
import { createSeriesReader } from "../../src/deliveries/series.ts";
import { startStatistics } from "../../src/deliveries/statistics.ts";
import { countAttempt } from "../../src/deliveries/tally.ts";
import type { TenantId } from "../../src/log/event.ts";
import { spanOf } from "../../src/stats/steps.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { startTestGateway, succeed, type TestGateway } from "../support/gateway.ts";
import { readMetrics } from "../support/metrics.ts";
import { startReceiver, type Receiver } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

type Summary = {
  count: number;
  failures: number;
  retries: number;
  queue_ms: Record<"p50" | "p95" | "p99", number | null>;
  latency_ms: Record<"p50" | "p95" | "p99", number | null>;
};

type Series = {
  window_seconds: number;
  step_seconds: number;
  from: string;
  to: string;
  totals: Summary;
  series: (Summary & { at: string })[];
};

const all = new AsyncDisposableStack();
const log = createLogger({ level: "silent" });
const slowMs = 150;

/** Takes requests; the push processes beside it have ended when the tests begin. */
let gateway: TestGateway;
let database: Database;
let healthy: Receiver;
let failing: Receiver;
let slow: Receiver;
const ids: Record<string, string> = {};

beforeAll(async () => {
  gateway = all.use(await startTestGateway({ TIDEGATE_ROLES: "api", TIDEGATE_SHARDS: "8" }));
  database = openDatabase(gateway.databaseUrl, { connections: 3, name: "test" });
  all.defer(() => database.stop());
  healthy = all.use(await startReceiver());
  failing = all.use(await startReceiver({ kind: "answer", status: 400 }));
  slow = all.use(await startReceiver({ kind: "answer", afterMs: slowMs }));
  const push = { ...gateway.environment, TIDEGATE_ROLES: "push" };
  const pushers = await Promise.all([startTestGateway(push), startTestGateway(push)]);
  // A shard that changes hands may have its attempts repeated.
  for (const pusher of pushers) {
    await waitUntil(
      async () => {
        const samples = readMetrics((await pusher.call("GET", "/metrics")).text);
        return samples.get("tidegate_shards_held") === 4;
      },
      { deadlineMs: 30_000, what: "shards are shared evenly" },
    );
  }
  for (const tenant of ["acme", "other"]) await gateway.createTenant(tenant);
  for (const [name, tenant, receiver, settings] of [
    ["healthy", "acme", healthy, {}],
    ["failing", "acme", failing, { types: ["order.created"], retry_schedule: ["1s"] }],
    ["slow", "acme", slow, { types: ["invoice.paid"] }],
    ["others", "other", healthy, {}],
  ] as const) {
    const body = { tenant, url: receiver.url, ...settings };
    ids[name] = String((await succeed(gateway.call("POST", "/endpoints", { body })))["id"]);
  }
  await gateway.append("acme", ...repeated("order.created", 10), ...repeated("order.paid", 5));
  await gateway.append("acme", ...repeated("invoice.paid", 5));
  await gateway.append("other", ...repeated("order.created", 3));
  await waitUntil(
    () =>
      healthy.requests.length === 23 &&
      failing.requests.length === 20 &&
      slow.requests.length === 5,
    { deadlineMs: 60_000, what: "all attempts" },
  );
  // What they have counted is written when they stop.
  await Promise.all(pushers.map(({ stop }) => stop()));
}, 120_000);

afterAll(() => all.disposeAsync());

function repeated(type: string, times: number): { type: string }[] {
  return Array.from({ length: times }, () => ({ type }));
}

async function series(query: string, key?: string): Promise<Series> {
  const options = key === undefined ? {} : { key };
  return (await succeed(gateway.call("GET", `/stats/deliveries${query}`, options))) as Series;
}

async function totalsOf(query: string, key?: string): Promise<[number, number, number]> {
  const { totals, series: steps } = await series(query, key);
  for (const member of ["count", "failures", "retries"] as const) {
    expect(steps.reduce((sum, step) => sum + step[member], 0)).toBe(totals[member]);
  }
  return [totals.count, totals.failures, totals.retries];
}

describe("a series", () => {
  test("counts every attempt of a tenant once, by minutes and by hours", async () => {
    for (const window of ["", "&window=1h", "&window=2d&step=1h", "&window=30d"]) {
      expect(await totalsOf(`?tenant=acme${window}`)).toEqual([45, 20, 10]);
    }
    const key = await gateway.createKey("other");
    expect(await totalsOf("", key)).toEqual([3, 0, 0]);
  });

  test("counts those of all tenants for an operator who names none", async () => {
    expect(await totalsOf("")).toEqual([48, 20, 10]);
    expect(await totalsOf("?type=order.created")).toEqual([33, 20, 10]);
  });

  test("counts those of one endpoint, and of a type or all types below a name", async () => {
    const { failing: failed, slow: late } = ids;
    expect(await totalsOf(`?endpoint=${failed}`)).toEqual([20, 20, 10]);
    expect(await totalsOf(`?tenant=acme&endpoint=${failed}&type=invoice.*`)).toEqual([0, 0, 0]);
    expect(await totalsOf("?tenant=acme&type=invoice.paid")).toEqual([10, 0, 0]);
    expect(await totalsOf("?tenant=acme&type=order.*")).toEqual([35, 20, 10]);
    expect(await totalsOf("?tenant=acme&type=invoice")).toEqual([0, 0, 0]);
    const { totals } = await series(`?tenant=acme&endpoint=${late}`);
    expect(totals.latency_ms.p50).toBeGreaterThan(slowMs * (2 - Math.SQRT2));
    expect(totals.count).toBe(5);
  });

  test("has every step of its window, aligned, with nothing where nothing was", async () => {
    const given = await series("?tenant=acme&window=1h&step=5m");
    expect(given).toMatchObject({ window_seconds: 3_600, step_seconds: 300 });
    const starts = given.series.map(({ at }) => Date.parse(at));
    const to = Date.parse(given.to);
    expect(starts).toEqual(Array.from({ length: 12 }, (_, n) => to - (12 - n) * 300_000));
    expect(Date.parse(given.from)).toBe(starts[0]);
    expect(to % 300_000).toBe(0);
    expect(to).toBeGreaterThan(Date.now() - 1_000);
    expect(given.series.filter(({ count }) => count > 0).length).toBeLessThan(3);
    const none = { p50: null, p95: null, p99: null };
    const nothing = { count: 0, failures: 0, retries: 0, queue_ms: none, latency_ms: none };
    expect(given.series[0]).toEqual({ at: given.from, ...nothing });
    expect(Object.values(given.totals.queue_ms)).not.toContain(null);
  });

  test("is not shown of another tenant's endpoint, nor of none", async () => {
    const key = await gateway.createKey("other");
    for (const [id, options] of [
      [ids["healthy"], { key }],
      [`ep_${"0".repeat(32)}`, {}],
      ["ep_none", {}],
    ] as const) {
      const { status, slug } = await gateway.call(
        "GET",
        `/stats/deliveries?endpoint=${id}`,
        options,
      );
      expect([status, slug]).toEqual([404, "not-found"]);
    }
    expect(await totalsOf(`?endpoint=${ids["others"]}`, key)).toEqual([3, 0, 0]);
  });

  test.each([
    ["window=31d", "window"],
    ["window=90s", "window"],
    ["window=1w", "window"],
    ["window=3d&step=30m", "step"],
    ["window=2d&step=1m", "step"],
    ["type=order*", "type"],
  ])("is refused for %s", async (query, parameter) => {
    const { status, slug, json } = await gateway.call("GET", `/stats/deliveries?${query}`);
    expect([status, slug, json?.["parameter"]]).toEqual([400, "invalid-parameter", parameter]);
  });
});

describe("what processes write", () => {
  const attempt = { failed: false, retry: false, queueMs: 2, latencyMs: 30 };

  async function newTenant(): Promise<{ name: string; tenant: TenantId; id: string }> {
    const name = await gateway.createTenant(`writes-${randomUUID()}`);
    const [row] = await database.sql<[{ id: TenantId }]>`
      select id from tenants where name = ${name}`;
    return { name, tenant: row.id, id: randomUUID() };
  }

  async function counted(tenant: TenantId, endpoint?: string) {
    const read = createSeriesReader(database.sql);
    const span = spanOf(3_600_000, 60_000, Date.now());
    const { totals } = await read({ tenant, endpoint, type: undefined, span });
    return [totals.attempts, totals.latencyMs.p50];
  }

  test("adds up, also when they write the same rows in the same moment", async () => {
    const owner = await newTenant();
    const writers = [1, 2, 3].map(() => startStatistics({ sql: database.sql, log }));
    for (let round = 0; round < 5; round += 1) {
      for (const [index, { countsOf }] of writers.entries()) {
        for (let n = 0; n < 400; n += 1) {
          const type = `order.type_${(n * (index + 1)) % 200}`;
          // Some of these write longer histograms than others.
          const latencyMs = 31 * 2 ** index;
          countAttempt(countsOf(owner, type), { ...attempt, latencyMs });
        }
      }
      await Promise.all(writers.map(({ write }) => write()));
    }
    await Promise.all(writers.map(({ stop }) => stop()));
    expect((await counted(owner.tenant))[0]).toBe(6_000);
    expect((await counted(owner.tenant, owner.id))[0]).toBe(6_000);
  });

  test("is tried again when the database was sure to have refused it", async () => {
    const owner = await newTenant();
    const own = openDatabase(gateway.databaseUrl, { connections: 1, name: "test" });
    const writer = startStatistics({ sql: own.sql, log });
    countAttempt(writer.countsOf(owner, "order.created"), attempt);
    await own.sql`set default_transaction_read_only = on`;
    await writer.write();
    expect(await counted(owner.tenant)).toEqual([0, null]);
    countAttempt(writer.countsOf(owner, "order.created"), attempt);
    await own.sql`set default_transaction_read_only = off`;
    await writer.stop();
    await own.stop();
    expect((await counted(owner.tenant))[0]).toBe(2);
  });

  test("brings nothing back of a tenant whose erasure has begun", async () => {
    const owner = await newTenant();
    const writer = startStatistics({ sql: database.sql, log });
    const [before] = await totalsOf("");
    countAttempt(writer.countsOf(owner, "order.created"), attempt);
    await writer.write();
    countAttempt(writer.countsOf(owner, "order.created"), attempt);
    await succeed(gateway.call("DELETE", `/tenants/${owner.name}`));
    await writer.write();
    countAttempt(writer.countsOf(owner, "order.created"), attempt);
    await waitUntil(
      async () => (await gateway.call("GET", `/tenants/${owner.name}`)).status === 404,
      { deadlineMs: 25_000, what: "the end of the tenant" },
    );
    await writer.stop();
    expect(await counted(owner.tenant)).toEqual([0, null]);
    expect((await totalsOf(""))[0]).toBe((before ?? 0) + 3);
  });
});
