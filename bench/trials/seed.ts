/**
 * Fills logs by SQL, a day of many tenants in one statement: events in their final form, as the
 * append would have left them, only faster. The last day is yesterday, so appends may go on.
 */
import { createHash } from "node:crypto";
import postgres from "postgres";
import type { Tenant } from "../../src/http/auth.ts";
import type { Day } from "../../src/log/event.ts";
import { dataText, eventSubject, eventType } from "../payload.ts";
import { envelopeText } from "./envelope.ts";

export type SeededLogs = {
  /** Oldest first. */
  readonly days: readonly Day[];
  /** Events of each tenant on each day, numbered on from the day before. */
  readonly perDay: number;
};

/** One statement's share: seconds of work, and little to begin again. */
const statementMaxRows = 200_000;

/** One more gains nothing on two cores. */
const connections = 2;

const dayMs = 86_400_000;

/** For tenants whose logs are empty. */
export async function seedLogs(
  databaseUrl: string,
  given: {
    tenants: readonly Pick<Tenant, "id" | "name">[];
    days: number;
    perDay: number;
    /** Of every event, as JSON text. */
    data?: string;
  },
): Promise<SeededLogs> {
  const { tenants, perDay, data = dataText() } = given;
  const days = lastDays(given.days);
  // Apart from the gateway's way of connecting, whose time-outs are for statements of the gateway.
  const sql = postgres(databaseUrl, {
    max: connections,
    fetch_types: false,
    onnotice: () => {},
    connection: { application_name: "trial seed", synchronous_commit: "off" },
  });
  try {
    const ids = `{${tenants.map(({ id }) => id).join(",")}}`;
    const names = `{${tenants.map(({ name }) => name).join(",")}}`;
    await sql`select create_partitions(${days[0] ?? ""}::date, ${days.at(-1) ?? ""}::date)`;
    const step = Math.max(1, Math.floor(statementMaxRows / tenants.length));
    const [type, subject] = [sql`${eventType}::text`, sql`${eventSubject}::text`];
    const envelope = envelopeText(sql, { type, subject, data: sql`${data}::text` });
    const chunks = days.flatMap((day, index) =>
      Array.from({ length: Math.ceil(perDay / step) }, (_, chunk) => ({
        ...{ day, before: index * perDay },
        from: chunk * step + 1,
        to: Math.min(perDay, (chunk + 1) * step),
      })),
    );
    await inParallel(chunks, async ({ day, before, from, to }) => {
      await sql`
        insert into events (tenant, day, sequence, appended_at, type, subject, envelope)
        select t.id, ${day}::date, sequence, at, ${eventType}, ${eventSubject},
          ${envelope}
        from unnest(${ids}::uuid[], ${names}::text[]) as t(id, name)
          cross join generate_series(${from}::int, ${to}::int) as i
          cross join lateral (
            select ${before}::bigint + i as sequence,
              ${day}::timestamp at time zone 'UTC' + i * interval '24 hours' / ${perDay + 1} as at
          ) as made`;
    });
    await sql`
      insert into log_days (tenant, day, first_sequence, first_at)
      select tenant, day, min(sequence), min(appended_at) from (
        select tenant, day, sequence, appended_at from events
        where sequence % ${perDay}::int = ${1 % perDay}::int and tenant = any(${ids}::uuid[])
      ) as firsts group by tenant, day`;
    await sql`
      update heads set head = ${perDay * days.length}::bigint, day = ${days.at(-1) ?? ""}::date,
        at = ${days.at(-1) ?? ""}::timestamp at time zone 'UTC' + interval '24 hours'
      where tenant = any(${ids}::uuid[])`;
  } finally {
    await sql.end();
  }
  return { days, perDay };
}

/** Statistics, and nothing left for the background to do later. */
export async function settleDatabase(databaseUrl: string): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, fetch_types: false, onnotice: () => {} });
  await sql`vacuum (freeze, analyze)`;
  await sql`checkpoint`;
  await sql.end();
}

/** What the id of a seeded event ends with, as a number. */
export function seededFingerprint(sequence: number): number {
  return Number.parseInt(createHash("md5").update(String(sequence)).digest("hex").slice(0, 8), 16);
}

function lastDays(count: number): Day[] {
  const today = Math.floor(Date.now() / dayMs);
  return Array.from({ length: count }, (_, index) =>
    new Date((today - count + index) * dayMs).toISOString().slice(0, "2026-11-23".length),
  );
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items];
  await Promise.all(
    Array.from({ length: connections }, async () => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
    }),
  );
}
