/**
 * A log on a database of its own. An appender with connections of its own is what another process
 * would be, so a test opens as many as it wants.
 */
import { randomUUID } from "node:crypto";
import { openDatabase, type Database } from "../../src/db/database.ts";
import type { EventsFrame } from "../../src/fanout/fanout.ts";
import { createAppender, type AppendedRun } from "../../src/log/append.ts";
import { beginning, type LogEvent, type TenantId } from "../../src/log/event.ts";
import type { Chore } from "../../src/log/housekeeping.ts";
import { createLog } from "../../src/log/log.ts";
import type { NewEvent } from "../../src/log/new-event.ts";
import { createPartitions } from "../../src/log/partitions.ts";
import { fixShards } from "../../src/log/settings.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { setClock } from "./clock.ts";
import { createTestDatabase } from "./postgres.ts";

export type LogTenant = { readonly id: TenantId; readonly shard: number };

export type TestLog = Awaited<ReturnType<typeof openTestLog>>;

/** Events per read: several pages even in small tests. */
const pageEvents = 400;

/** With a `clock` the database's clock is set to it first of all, and may be moved later. */
export async function openTestLog({ clock }: { clock?: Date } = {}) {
  const { url, drop } = await createTestDatabase();
  if (clock !== undefined) await setClock(url, clock);
  const logger = createLogger({ level: "silent" });
  const database = openDatabase(url, { connections: 4, name: "test" });
  const { sql } = database;
  const others: Database[] = [];
  await fixShards(sql, 256);
  await createPartitions(sql);
  const log = createLog(sql);
  const { append } = createAppender({ sql, log: logger, tell: () => {} });

  return {
    ...{
      url,
      sql,
      log,
      logger,
      createTenant,
      append,
      openAppender,
      openConnections,
      readAll,
      turnDay,
    },
    ...{ closeOthers, stop, [Symbol.asyncDispose]: stop },
  };

  /** Closes what was opened beside the log itself: the server of a test run has 100 connections. */
  async function closeOthers(): Promise<void> {
    // At once, since each may take two seconds when its connections were broken.
    await Promise.all(others.splice(0).map((other) => other.stop()));
  }

  async function stop(): Promise<void> {
    await Promise.all([closeOthers(), database.stop()]);
    await drop();
  }

  function openConnections(options: { url?: string; connections: number; name: string }) {
    const other = openDatabase(options.url ?? url, options);
    others.push(other);
    return other.sql;
  }

  /** With as many connections as the gateway gives to appends. */
  function openAppender(
    options: { url?: string; name?: string; tell?: (runs: AppendedRun[]) => void } = {},
  ) {
    const { name = "test append", tell = () => {} } = options;
    const appends = openConnections({ ...options, connections: 2, name });
    return createAppender({ sql: appends, log: logger, tell });
  }

  async function createTenant(shard = 0): Promise<LogTenant> {
    const id = randomUUID() as TenantId;
    await sql`insert into tenants (id, name, shard) values (${id}, ${id}, ${shard})`;
    await sql`insert into heads (tenant) values (${id})`;
    return { id, shard };
  }

  /**
   * What is appended from now on comes a day later than what came before. Partitions are there for
   * seven times.
   */
  async function turnDay({ id }: LogTenant): Promise<void> {
    await sql`
      with head as (
        update heads set day = greatest(day, (clock_timestamp() at time zone 'UTC')::date) + 1,
          at = date_trunc('milliseconds', greatest(at, clock_timestamp())) + interval '1 day'
        where tenant = ${id} returning *
      )
      insert into log_days (tenant, day, first_sequence, first_at)
      select tenant, day, head + 1, at from head`;
  }

  /** The whole log, as a reader sees it that starts at the beginning. */
  async function readAll({ id }: LogTenant): Promise<LogEvent[]> {
    const events: LogEvent[] = [];
    for (;;) {
      const page = await log.read(id, events.at(-1) ?? beginning, pageEvents);
      if (page.kind !== "events") throw new Error(`a read from the beginning was ${page.kind}`);
      events.push(...page.events);
      if (page.atHead) return events;
    }
  }
}

/** An event that carries `data` (JSON text); the rest is filled in. */
export function newEvent(
  { id, shard }: LogTenant,
  data: string,
  parts: Partial<NewEvent> = {},
): NewEvent {
  const plain = { type: "order.created", subject: null, key: null, digest: null, time: null };
  const text = { start: '"source":"/test","type":"order.created",', middle: "" };
  return { tenant: id, shard, ...plain, ...text, content: `,"data":${data}`, ...parts };
}

/** What an appender's `tell` publishes. */
export function framesOf(runs: readonly AppendedRun[]): EventsFrame[] {
  return runs.map(({ tenant, shard, events }) => {
    const first = events[0]?.sequence ?? 0;
    return { kind: "events", tenant, shard, first, last: first + events.length - 1, events };
  });
}

/** What the event carries. */
export function dataOf(event: Pick<LogEvent, "envelope">): unknown {
  return (JSON.parse(event.envelope) as { data: unknown }).data;
}

/** Runs a chore, as its house is kept, until nothing is left to do. */
export async function runChore({ run }: Chore): Promise<void> {
  while ((await run({ isHeld: () => true })) === "more");
}
