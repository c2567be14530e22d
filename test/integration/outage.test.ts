/** The database goes away and comes back: what callers see meanwhile, and that nothing is lost. */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import {
  hasTimeLimits,
  isUnavailable,
  openDatabase,
  type Database,
} from "../../src/db/database.ts";
import { createAppender } from "../../src/log/append.ts";
import type { TenantId } from "../../src/log/event.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { readAnswer, startTestGateway, type TestGateway } from "../support/gateway.ts";
import { newEvent } from "../support/log.ts";
import { startOwnPostgres, type OwnPostgres } from "../support/own-postgres.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { startProxy } from "../support/proxy.ts";
import { waitUntil } from "../support/wait.ts";

const numbers = (to: number) => Array.from({ length: to }, (_, index) => index + 1);

/** With it, a connection is dropped after 3.5 s of silence instead of 18. */
const statementTimeoutMs = 500;

async function openThroughProxy(connections: number) {
  await using opening = new AsyncDisposableStack();
  const created = opening.use(await createTestDatabase());
  const proxy = opening.use(await startProxy(created.url));
  const options = { connections, name: "silenced", statementTimeoutMs };
  const database = openDatabase(proxy.url, options);
  opening.defer(() => database.stop());
  const opened = opening.move();
  return { proxy, database, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

async function answered({ sql }: Database): Promise<number> {
  const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  return row?.pid ?? 0;
}

describe.concurrent("a network that carries nothing any more", () => {
  test("fails what is under way and what waits, and recovers by itself", async () => {
    await using opened = await openThroughProxy(2);
    const { proxy, database } = opened;
    await Promise.all(numbers(20).map(() => answered(database)));
    proxy.silence();
    // Far more than two connections take at a time.
    const failed = await Promise.all(
      numbers(500).map(() => answered(database).then(() => undefined, isUnavailable)),
    );
    expect(new Set(failed)).toEqual(new Set([true]));
    await proxy.restore();
    await waitUntil(() => answered(database).catch(() => false), { deadlineMs: 15_000 });
    await Promise.all(numbers(20).map(() => answered(database)));
  });

  test("is told from a connection that has nothing to say", async () => {
    await using opened = await openThroughProxy(1);
    const { database } = opened;
    const before = await answered(database);
    await delay(statementTimeoutMs + 3_500);
    expect(await answered(database)).toBe(before);
  });

  test("is told from a statement that takes long, which the server ends", async () => {
    await using opened = await openThroughProxy(1);
    const { sql } = opened.database;
    const before = await answered(opened.database);
    await expect(sql`select pg_sleep(10)`).rejects.toMatchObject({ code: "57014" });
    expect(await answered(opened.database)).toBe(before);
  });
});

test("a host that takes connections and closes them at once refuses appends", async () => {
  let accepted = 0;
  const server = createServer((socket) => {
    accepted += 1;
    socket.on("error", () => {}).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const url = `postgres://user:password@127.0.0.1:${port}/none`;
  const { sql, stop } = openDatabase(url, { connections: 2, name: "closed" });
  try {
    const log = createLogger({ level: "silent" });
    const { append } = createAppender({ sql, log, tell: () => {} });
    const answers = numbers(20).map(() =>
      append([newEvent({ id: randomUUID() as TenantId, shard: 0 }, "1")]),
    );
    const results = await Promise.race([Promise.all(answers), delay(5_000, [])]);
    expect(results.flat()).toEqual(numbers(20).map(() => ({ kind: "unavailable" })));
    expect(accepted).toBeLessThan(100);
  } finally {
    await stop();
    server.close();
  }
});

test("a database that ends no statement by itself is noticed", async () => {
  await using created = await createTestDatabase();
  for (const [query, limited] of [
    ["", true],
    ["?prepare=false", false],
  ] as const) {
    const database = openDatabase(`${created.url}${query}`, { connections: 1, name: "limits" });
    expect(await hasTimeLimits(database.sql)).toBe(limited);
    await database.stop();
  }
});

/** How long the server is away, and how many of each go on asking meanwhile. */
const awayMs = 3_000;
const producers = 8;

type Given = { status: number; retryAfter: string | null; count: number; sequence?: string };

/**
 * Goal: through an outage an answered append is in its log exactly once, a refused one is refused
 * in a way that tells when to come back, and all goes on afterwards without a restart. Method:
 * producers append numbered events without a pause while the server is killed or frozen for some
 * seconds and comes back; then the log is compared with what they were answered.
 */
describe.each([
  { how: "is killed and started again", leave: "crash", comeBack: "start", isRefused: true },
  { how: "is frozen and thawed", leave: "freeze", comeBack: "thaw", isRefused: false },
] as const)("a database that $how", ({ leave, comeBack, isRefused }) => {
  test("costs producers time, and no event", { timeout: 60_000 }, async () => {
    await using postgres = await startOwnPostgres();
    await using gateway = await startTestGateway({ DATABASE_URL: postgres.url });
    await gateway.createTenant("acme");
    await gateway.append("acme", { data: { count: 0 } });
    const given: Given[] = [];
    let last = 0;
    let producing = true;
    const work = numbers(producers).map(async () => {
      while (producing) {
        const count = (last += 1);
        const answer = await post(gateway, count);
        given.push(answer);
        if (answer.status === 503) await delay(20);
      }
    });
    await waitUntil(() => given.length > 100);
    await away(postgres, gateway);
    const cameBack = given.length;
    await waitUntil(() => given.slice(cameBack).filter(isTaken).length > 200, {
      deadlineMs: 20_000,
      what: "appends after the outage",
    });
    producing = false;
    await Promise.all(work);

    const refused = given.filter((answer) => !isTaken(answer));
    expect(refused.filter(({ status }) => status !== 503)).toEqual([]);
    expect(refused.filter(({ retryAfter }) => !(Number(retryAfter) >= 1))).toEqual([]);
    if (isRefused) expect(refused.length).toBeGreaterThan(producers);
    const stored = await storedCounts(gateway);
    for (const { count, sequence } of given.filter(isTaken)) {
      expect(stored[Number(sequence) - 1]).toBe(count);
    }
    expect(stored).toHaveLength(given.filter(isTaken).length + 1);
  });

  async function away(postgres: OwnPostgres, gateway: TestGateway): Promise<void> {
    await postgres[leave]();
    if (isRefused) {
      const read = await gateway.call("GET", "/events?tenant=acme");
      expect(read).toMatchObject({ status: 503, slug: "unavailable" });
      expect(Number(read.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
      const ready = await gateway.call("GET", "/readyz", { key: null });
      expect(ready.status).toBe(503);
      expect(Number(ready.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    }
    await delay(awayMs);
    await postgres[comeBack]();
  }
});

function isTaken({ status }: Given): boolean {
  return status === 201;
}

async function post({ url, operatorKey }: TestGateway, count: number): Promise<Given> {
  const response = await fetch(`${url}/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${operatorKey}`, "content-type": "application/json" },
    body: JSON.stringify({ tenant: "acme", type: "order.created", data: { count } }),
  });
  const { status, headers, json } = await readAnswer(response);
  const retryAfter = headers.get("retry-after");
  return { status, retryAfter, count, sequence: String(json?.["sequence"]) };
}

/** In the order of the log. */
async function storedCounts(gateway: TestGateway): Promise<number[]> {
  const counts: number[] = [];
  let query = "tenant=acme&limit=1000";
  for (;;) {
    const { json } = await gateway.call("GET", `/events?${query}`);
    const page = json as {
      events: { data: { count: number } }[];
      cursor: string;
      has_more: boolean;
    };
    counts.push(...page.events.map(({ data }) => data.count));
    if (!page.has_more) return counts;
    query = `tenant=acme&limit=1000&cursor=${page.cursor}`;
  }
}
