/** What became of deliveries, as the database keeps it: who may write it, and what never undoes. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { openDatabase, type Database } from "../../src/db/database.ts";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import {
  createLedger,
  type AttemptDetail,
  type DeliveryRecord,
  type Fence,
  type Ledger,
  type SettledTo,
} from "../../src/deliveries/ledger.ts";
import type { TenantId } from "../../src/log/event.ts";
import { createPartitions } from "../../src/log/partitions.ts";
import { fixShards } from "../../src/log/settings.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createClient } from "../support/client.ts";
import { startTestGateway } from "../support/gateway.ts";
import { changeOwner, raiseEpoch, raiseGeneration } from "../support/leases.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { upTo } from "../support/pushes.ts";
import { startReceiver } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

const today = new Date().toISOString().slice(0, 10);
const tomorrow = new Date(Date.now() + 24 * 3_600_000).toISOString().slice(0, 10);

/** A whole second, so that Postgres gives back the milliseconds that it was given. */
const startedAt = Math.floor(Date.now() / 1_000) * 1_000;

const process = randomUUID();

/** Above what one statement takes. */
const manyOutcomes = 2_500;

let opened: AsyncDisposableStack;
let database: Database;
let ledger: Ledger;
let refused: Fence[];
let statements: number;
let shards = 0;

beforeAll(async () => {
  opened = new AsyncDisposableStack();
  const { url } = opened.use(await createTestDatabase());
  database = openDatabase(url, { connections: 4, name: "test" });
  opened.defer(() => database.stop());
  await fixShards(database.sql, 256);
  await createPartitions(database.sql);
});

afterAll(() => opened.disposeAsync());

beforeEach(() => {
  refused = [];
  statements = 0;
  ledger = createLedger({
    sql: database.sql,
    log: createLogger({ level: "silent" }),
    process,
    refused: (fence) => refused.push(fence),
    written: () => (statements += 1),
  });
});

describe("a writer whose claims are out of date", () => {
  test.each([
    { what: "lease epoch", outdate: raiseEpoch },
    { what: "lease, which another process took over under the same epoch", outdate: changeOwner },
    { what: "generation", outdate: raiseGeneration },
  ])("changes nothing and is told so: the $what", async ({ outdate }) => {
    const fence = await newEndpoint();
    await write(fence, 1, delivered(1));
    expect(refused).toEqual([]);
    const before = await stored(fence);
    await outdate(database.sql, fence);
    await write(fence, 4, delivered(2), retrying(3, 1), { ...dead(4), detail });
    expect(await stored(fence)).toEqual(before);
    expect(refused).toEqual([fence]);
  });

  test("writes again under claims that are new", async () => {
    const old = await newEndpoint();
    await raiseEpoch(database.sql, old);
    await raiseGeneration(database.sql, old);
    const fence = { ...old, epoch: old.epoch + 1, generation: old.generation + 1 };
    await write(fence, 1, delivered(1));
    expect((await stored(fence)).deliveries).toEqual([[1, "delivered", 1]]);
    expect(refused).toEqual([]);
  });

  test("is left out of a statement that writes what others bring", async () => {
    const good = [await newEndpoint(), await newEndpoint()];
    const sibling = await newEndpoint(good[0]);
    const late = await newEndpoint(good[0]);
    const lost = await newEndpoint();
    await raiseGeneration(database.sql, late);
    await raiseEpoch(database.sql, lost);
    const all = [good[0], late, sibling, lost, good[1]].filter((fence) => fence !== undefined);
    for (const sequence of [1, 2]) {
      for (const fence of all) record(fence, sequence, delivered(sequence));
      for (const fence of all) record(fence, sequence, retrying(sequence + 2, 1));
    }
    await ledger.drain();
    expect(statements).toBe(1);
    for (const fence of [...good, sibling]) {
      expect(await stored(fence)).toMatchObject({
        position: [2, 2],
        deliveries: [
          [1, "delivered", 1],
          [2, "delivered", 1],
        ],
        retries: [
          [3, 1],
          [4, 1],
        ],
      });
    }
    for (const fence of [late, lost]) expect(await stored(fence)).toEqual(nothing);
    expect(new Set(refused)).toEqual(new Set([late, lost]));
  });
});

describe("a settled delivery", () => {
  test.each([
    { first: delivered(1), second: dead(1), last: [1, "delivered", 1] },
    { first: delivered(1), second: expired(1), last: [1, "delivered", 1] },
    { first: dead(1), second: expired(1), last: [1, "dead", 3] },
    { first: dead(1), second: delivered(1, 4), last: [1, "delivered", 4] },
    { first: expired(1), second: delivered(1, 4), last: [1, "delivered", 4] },
  ])("that is $first.kind and then $second.kind stays $last.1", async ({ first, second, last }) => {
    const fence = await newEndpoint();
    await write(fence, 1, first);
    await write(fence, 1, second);
    expect((await stored(fence)).deliveries).toEqual([last]);
    expect(refused).toEqual([]);
  });
});

describe("a retry", () => {
  test("is kept in one row until it settles, and each attempt is told", async () => {
    const fence = await newEndpoint();
    await write(fence, 1, { ...retrying(1, 1), detail });
    expect(await stored(fence)).toMatchObject({ retries: [[1, 1]], deliveries: [] });
    const second = { ...retrying(1, 2), statusCode: 502, detail };
    await write(fence, 1, second);
    expect((await stored(fence)).retries).toEqual([[1, 2]]);
    const [row] = await database.sql`
      select (extract(epoch from due_at) * 1000)::bigint as due, previous, status_code as code
      from retries where endpoint = ${fence.endpoint}`;
    expect(row).toEqual({ due: second.dueAt, previous: 0, code: 502 });
    await write(fence, 1, { ...delivered(1, 3), detail: { ...detail, errorClass: null } });
    expect(await stored(fence)).toMatchObject({
      retries: [],
      deliveries: [[1, "delivered", 3]],
      attempts: [
        [1, 1, "http"],
        [1, 2, "http"],
        [1, 3, null],
      ],
    });
  });

  test.each([delivered(1, 2), dead(1), expired(1)])("is over once it is $kind", async (settled) => {
    const fence = await newEndpoint();
    await write(fence, 2, retrying(1, 1), retrying(2, 1));
    await write(fence, 2, settled);
    expect((await stored(fence)).retries).toEqual([[2, 1]]);
  });

  test("is not set back by an outcome that is written twice", async () => {
    const fence = await newEndpoint();
    const first = { ...retrying(1, 1), detail };
    await write(fence, 1, first);
    await write(fence, 1, { ...retrying(1, 2), detail });
    const before = await stored(fence);
    await write(fence, 1, first);
    expect(await stored(fence)).toEqual(before);
  });

  test("expires when retention takes its event", async () => {
    await using gateway = await startTestGateway({ LOG_LEVEL: "fatal" });
    await using receiver = await startReceiver({ kind: "answer", status: 500 });
    const client = createClient(gateway.url, gateway.operatorKey);
    await client.tenant("acme");
    const settings = { url: receiver.url, retry_schedule: ["1s", "1s", "1s"] };
    const { id } = await client.createEndpoint("acme", settings);
    await client.append("acme", {});
    await client.endpointWhen(id, ({ retrying: count }) => count === 1);

    const beside = openDatabase(gateway.databaseUrl, { connections: 1, name: "test" });
    try {
      await beside.sql`update log_settings set oldest_day = ${tomorrow}::date`;
      const shown = await client.endpointWhen(id, ({ retrying: count }) => count === 0);
      expect(shown).toMatchObject({ dead: 0, status: "active" });
      expect(shown.last_failure?.error).toBe("retention took the event before it was delivered");
      const left = await beside.sql`
        select sequence from retries where endpoint = ${endpointUuid(id) ?? null}`;
      expect([...left]).toEqual([]);
    } finally {
      await beside.stop();
    }
  });
});

describe("what a receipt says of an attempt under way", () => {
  test.each([
    { agoSeconds: 30, left: { deliveries: [], retries: [[1, 1]] } },
    { agoSeconds: 90, left: { deliveries: [[1, "delivered", 1]], retries: [] } },
  ])("counts by its age, with a clock that is ahead: $agoSeconds s", async (given) => {
    const fence = await newEndpoint();
    const { tenant, endpoint } = fence;
    await database.sql`update positions set receipts = 1 where consumer = ${endpoint}`;
    await database.sql`
      insert into attempts (tenant, endpoint, day, sequence, attempt, at, queue_ms, latency_ms,
        truncated)
      values (${tenant}, ${endpoint}, ${today}, 1, 0,
        clock_timestamp() - interval '1 second' * ${given.agoSeconds}::int, 0, 0, false)`;
    const realNow = Date.now.bind(Date);
    const clock = vi.spyOn(Date, "now").mockImplementation(() => realNow() + 600_000);
    try {
      await write(fence, 1, { ...delivered(1), at: Date.now() - 60_000 });
    } finally {
      clock.mockRestore();
    }
    expect(await stored(fence)).toMatchObject(given.left);
  });

  test("holds its subject in the same statement, whatever move comes with it", async () => {
    const fence = await newEndpoint();
    const { tenant, endpoint } = fence;
    const { sql } = database;
    await sql`update positions set receipts = 1 where consumer = ${endpoint}`;
    await sql`
      insert into endpoints (tenant, id, url, metadata, headers, header_names, secrets, timeout_ms,
        max_in_flight, format, ordering)
      values (${tenant}, ${endpoint}, 'http://localhost', '{}', '', '{}', '', 1, 1, 'json',
        'subject')`;
    await sql`
      insert into events (tenant, day, sequence, appended_at, type, subject, envelope)
      select ${tenant}::uuid, ${today}::date, n, now(), 'a', 'one', '{}' from generate_series(1, 3) n`;
    await sql`
      insert into attempts (tenant, endpoint, day, sequence, attempt, at, queue_ms, latency_ms,
        truncated)
      values (${tenant}, ${endpoint}, ${today}, 2, 0, now(), 0, 60000, false)`;
    const subject = { subject: "one", settled: settledTo(2) };
    record(fence, 1, delivered(1));
    const outcome = delivered(2);
    ledger.record({ fence, settledTo: settledTo(2), inFlight: 0, record: outcome, subject });
    await ledger.drain();
    expect(await stored(fence)).toMatchObject({ position: [2, 2], retries: [[2, 1]] });
    const blocked = await sql`
      select subject, sequence from blocked_subjects where endpoint = ${endpoint}`;
    expect([...blocked]).toEqual([{ subject: "one", sequence: 1 }]);
  });
});

describe("a position", () => {
  test("becomes visible together with the outcomes that it rests on", async () => {
    const fence = await newEndpoint();
    const { tenant, endpoint } = fence;
    const holding = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    // A row under the same key, not yet committed, holds up the statement amid its writes.
    const blocker = database.sql.begin(async (transaction) => {
      await transaction`
        insert into deliveries (tenant, endpoint, day, sequence, status, attempts, previous,
          first_attempt_at, last_attempt_at, queue_ms, latency_ms)
        values (${tenant}, ${endpoint}, ${today}, 2, 'dead', 1, 0, now(), now(), 0, 0)`;
      holding.resolve();
      await release.promise;
      await transaction`delete from deliveries where endpoint = ${endpoint}`;
    });
    await holding.promise;
    const writing = write(fence, 3, delivered(1), delivered(2), retrying(3, 1));
    await waitUntil(async () => (await statementsThatWait()) > 0, { what: "waiting for the row" });
    expect(await stored(fence)).toEqual(nothing);
    release.resolve();
    await Promise.all([blocker, writing]);
    expect(await stored(fence)).toMatchObject({
      position: [3, 3],
      deliveries: [
        [1, "delivered", 1],
        [2, "delivered", 1],
      ],
      retries: [[3, 1]],
    });
  });

  test("never claims more than is there, whenever somebody looks", async () => {
    const fence = await newEndpoint();
    let writing = true;
    const watching = (async () => {
      const seen = new Set<number>();
      while (writing) {
        const [row] = await database.sql<{ position: number; outcomes: number }[]>`
          select sequence as position,
            (select count(*) from deliveries d where d.endpoint = p.consumer) as outcomes
          from positions p where consumer = ${fence.endpoint}`;
        expect(row?.outcomes).toBe(row?.position);
        seen.add(row?.position ?? -1);
      }
      return seen;
    })();
    for (let first = 1; first <= 400; first += 20) {
      for (const sequence of upTo(first + 19, first)) record(fence, sequence, delivered(sequence));
      await ledger.drain();
    }
    writing = false;
    expect((await watching).size).toBeGreaterThan(2);
  });

  test("moves without outcomes, and never back", async () => {
    const fence = await newEndpoint();
    tell(fence, { ...settledTo(7), matched: 3 }, null);
    await ledger.drain();
    await write(fence, 5, delivered(5));
    const after = await stored(fence);
    expect(after).toMatchObject({ position: [7, 5], deliveries: [[5, "delivered", 1]] });
    expect(refused).toEqual([]);
  });
});

describe("the ledger", () => {
  test("is not held up by an outcome that the database can never take", async () => {
    const poisoned = await newEndpoint();
    const others = [await newEndpoint(), await newEndpoint(), await newEndpoint()];
    for (const fence of others.slice(0, 2)) record(fence, 1, delivered(1));
    record(poisoned, 1, delivered(1));
    record(poisoned, 2, { ...retrying(2, 1), error: "a\0b" });
    record(poisoned, 3, delivered(3));
    for (const fence of others) record(fence, 2, delivered(2));
    await ledger.drain();
    expect(refused).toEqual([poisoned]);
    for (const fence of others) expect((await stored(fence)).position).toEqual([2, 2]);
    // Nothing that rests on the lost one: whoever begins anew has to come past it again.
    const { position, retries } = await stored(poisoned);
    expect(position[0]).toBeLessThan(2);
    expect(retries).toEqual([]);
    expect(ledger.pending()).toBe(0);
  });

  test("keeps an outcome whose details the database can never take", async () => {
    const [fence, other] = [await newEndpoint(), await newEndpoint()];
    record(fence, 1, { ...retrying(1, 1), detail: { ...detail, responseBody: "a\0b" } });
    record(other, 1, { ...retrying(1, 1), detail });
    await ledger.drain();
    expect(await stored(fence)).toMatchObject({ position: [1, 1], retries: [[1, 1]] });
    expect(await stored(other)).toMatchObject({ position: [1, 1], attempts: [[1, 1, "http"]] });
    expect(refused).toEqual([]);
  });

  test("has written all that was recorded once it is drained", async () => {
    const fence = await newEndpoint();
    let told = 0;
    for (const sequence of upTo(manyOutcomes)) {
      tell(fence, settledTo(sequence), delivered(sequence), () => (told += 1));
    }
    expect(ledger.pending()).toBe(manyOutcomes);
    await ledger.drain();
    expect([ledger.pending(), told]).toEqual([0, manyOutcomes]);
    const { position, deliveries } = await stored(fence);
    expect(position).toEqual([manyOutcomes, manyOutcomes]);
    expect(deliveries.map(([sequence]) => sequence)).toEqual(upTo(manyOutcomes));
    expect(statements).toBeGreaterThan(1);
  });

  test("drains although more is recorded all the time", async () => {
    const fence = await newEndpoint();
    let next = 1;
    let stopping = false;
    const recordNext = () => {
      if (!stopping) tell(fence, settledTo(next), delivered(next++), recordNext);
    };
    recordNext();
    await waitUntil(() => statements > 2);
    const recorded = next - 1;
    await ledger.drain();
    expect((await stored(fence)).position[0]).toBeGreaterThanOrEqual(recorded);
    expect(ledger.pending()).toBeGreaterThan(0);
    stopping = true;
    await ledger.drain();
    expect(ledger.pending()).toBe(0);
  });

  test("writes by itself, without being asked", async () => {
    const fence = await newEndpoint();
    await new Promise<void>((resolve) => {
      tell(fence, settledTo(1), delivered(1), resolve);
    });
    expect((await stored(fence)).position).toEqual([1, 1]);
  });
});

const detail: AttemptDetail = {
  trigger: "event",
  url: "https://example.com/hook",
  errorClass: "http",
  responseHeaders: '{"server":"x"}',
  responseBody: "é 🎈",
  truncated: false,
};

/** What is stored of an endpoint that nothing was written for. */
const nothing = { position: [0, 0], deliveries: [], retries: [], attempts: [] };

function outcome(
  kind: DeliveryRecord["kind"],
  sequence: number,
  attempts: number,
  rest: Partial<DeliveryRecord>,
): DeliveryRecord {
  return {
    ...{ retried: attempts > 1 || kind === "expired", requeued: false },
    ...{ kind, sequence, attempts, day: today, previous: sequence - 1, firstAt: startedAt },
    ...{ at: startedAt + attempts, queueMs: 1, latencyMs: 2, dueAt: null, detail: null },
    ...{ statusCode: null, error: null },
    ...rest,
  };
}

function delivered(sequence: number, attempts = 1): DeliveryRecord {
  return outcome("delivered", sequence, attempts, { statusCode: 200 });
}

function dead(sequence: number): DeliveryRecord {
  return outcome("dead", sequence, 3, { statusCode: 500, error: "http: status 500" });
}

/** After one attempt: the retry that it left behind has to go, although it was the first. */
function expired(sequence: number): DeliveryRecord {
  return outcome("expired", sequence, 1, { error: "retention took the event" });
}

function retrying(sequence: number, attempts: number): DeliveryRecord {
  const dueAt = startedAt + attempts * 60_000;
  return outcome("retrying", sequence, attempts, { dueAt, statusCode: 503, error: "http" });
}

function settledTo(sequence: number): SettledTo {
  return { sequence, day: today, matched: sequence };
}

function record(fence: Fence, sequence: number, outcome: DeliveryRecord): void {
  tell(fence, settledTo(sequence), outcome);
}

function tell(
  fence: Fence,
  settledTo: SettledTo,
  record: DeliveryRecord | null,
  written?: () => void,
): void {
  ledger.record({ fence, settledTo, inFlight: 0, record, written });
}

/** Records these outcomes, all below one position, and waits until they are written or refused. */
async function write(fence: Fence, sequence: number, ...outcomes: DeliveryRecord[]): Promise<void> {
  for (const outcome of outcomes) record(fence, sequence, outcome);
  await ledger.drain();
}

/** Of the same tenant and shard, where another endpoint is given. */
async function newEndpoint(beside?: Fence): Promise<Fence> {
  const { sql } = database;
  const endpoint = randomUUID();
  const tenant = beside?.tenant ?? (randomUUID() as TenantId);
  const shard = beside?.shard ?? (shards += 1);
  await sql`insert into shard_leases (shard, owner, epoch) values (${shard}, ${process}, 3)
    on conflict do nothing`;
  await sql`
    insert into positions (tenant, consumer, shard, sequence, day, last_matched, status, generation)
    values (${tenant}, ${endpoint}, ${shard}, 0, ${today}, 0, 'active', 5)`;
  return { tenant, endpoint, shard, epoch: 3, generation: 5 };
}

/** All that the ledger has written of one endpoint, as short rows in order. */
async function stored({ tenant, endpoint }: Fence) {
  const { sql } = database;
  const [position = []] = await sql`select sequence, last_matched from positions
    where tenant = ${tenant} and consumer = ${endpoint}`.values();
  const deliveries = await sql`select sequence, status, attempts from deliveries
    where tenant = ${tenant} and endpoint = ${endpoint} order by sequence`.values();
  const retries = await sql`select sequence, attempts from retries
    where tenant = ${tenant} and endpoint = ${endpoint} order by sequence`.values();
  const attempts = await sql`select sequence, attempt, error_class from attempts
    where tenant = ${tenant} and endpoint = ${endpoint} order by sequence, attempt`.values();
  return {
    position: [...position],
    deliveries: [...deliveries],
    retries: [...retries],
    attempts: [...attempts],
  };
}

async function statementsThatWait(): Promise<number> {
  const [row] = await database.sql<[{ count: number }]>`
    select count(*) from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;
  return row.count;
}
