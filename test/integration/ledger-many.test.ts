/**
 * What it costs to write the outcomes of many endpoints: as much for each in one statement as in
 * many. Goal: nothing in the statement goes through all endpoints for each of them, whatever the
 * planner believes. Method: as many outcomes are written in a few large batches and in many small
 * ones, in turns, and the quickest of each is compared, so that a busy machine slows both.
 */
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { openDatabase, type Sql } from "../../src/db/database.ts";
import { createLedger, type Fence } from "../../src/deliveries/ledger.ts";
import type { TenantId } from "../../src/log/event.ts";
import { createPartitions } from "../../src/log/partitions.ts";
import { fixShards } from "../../src/log/settings.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createTestDatabase } from "../support/postgres.ts";

const endpoints = 2_500;
/** Fewer than are written without waiting for more. */
const few = 250;
const rounds = 3;

const today = new Date().toISOString().slice(0, 10);

test("many endpoints in one statement cost each of them no more than few do", async () => {
  await using opened = new AsyncDisposableStack();
  const { url } = opened.use(await createTestDatabase());
  const database = openDatabase(url, { connections: 1, name: "test" });
  opened.defer(() => database.stop());
  await fixShards(database.sql, 256);
  await createPartitions(database.sql);
  const process = randomUUID();
  const fences = await newEndpoints(database.sql, process);
  let statements = 0;
  const ledger = createLedger({
    sql: database.sql,
    log: createLogger({ level: "silent" }),
    process,
    refused: ({ endpoint }) => expect.unreachable(`${endpoint} was refused`),
    written: () => (statements += 1),
  });
  opened.defer(() => ledger.close());

  let sequence = 0;
  const quickest = { many: Infinity, few: Infinity };
  for (let round = 0; round < rounds; round += 1) {
    quickest.few = Math.min(quickest.few, await write(few));
    expect(statements).toBe(endpoints / few);
    quickest.many = Math.min(quickest.many, await write(endpoints));
    expect(statements).toBe(2);
  }
  const [row] = await database.sql<{ positions: number; deliveries: number }[]>`
    select (select count(*) from positions where sequence = ${sequence}) as positions,
      (select count(*) from deliveries) as deliveries`;
  expect(row).toEqual({ positions: endpoints, deliveries: endpoints * sequence });
  // 6 when each endpoint was looked for in all of the others.
  expect(quickest.many / quickest.few).toBeLessThan(3);

  /** One outcome of each endpoint, so many at a time; tells how long it took. */
  async function write(atOnce: number): Promise<number> {
    sequence += 1;
    statements = 0;
    const startedAt = performance.now();
    for (let from = 0; from < fences.length; from += atOnce) {
      for (const fence of fences.slice(from, from + atOnce)) record(fence);
      await ledger.drain();
    }
    return performance.now() - startedAt;
  }

  function record(fence: Fence): void {
    const at = Date.now();
    ledger.record({
      ...{ fence, settledTo: { sequence, day: today, matched: sequence }, inFlight: 0 },
      record: {
        ...{ kind: "delivered", day: today, sequence, previous: sequence - 1, attempts: 1 },
        ...{ retried: false, requeued: false, firstAt: at, at, queueMs: 1, latencyMs: 1 },
        ...{ statusCode: 200, error: null, dueAt: null, detail: null },
      },
    });
  }
});

/** Each of another tenant. */
async function newEndpoints(sql: Sql, process: string): Promise<Fence[]> {
  await sql`insert into shard_leases (shard, owner, epoch) values (1, ${process}, 3)
    on conflict (shard) do update set owner = excluded.owner, epoch = excluded.epoch`;
  const rows = await sql<{ tenant: TenantId; endpoint: string }[]>`
    insert into positions (tenant, consumer, shard, sequence, day, last_matched, status, generation)
    select gen_random_uuid(), gen_random_uuid(), 1, 0, ${today}, 0, 'active', 5
    from generate_series(1, ${endpoints}::int)
    returning tenant, consumer as endpoint`;
  return rows.map((row) => ({ ...row, shard: 1, epoch: 3, generation: 5 }));
}
