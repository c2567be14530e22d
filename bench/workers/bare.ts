/**
 * The bare operations that the gateway is compared with: the same SQL straight through postgres.js,
 * the same requests straight through undici. One process, like the gateway.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { Pool } from "undici";
import { arrayText, openDatabase, separated, type Sql } from "../../src/db/database.ts";
import type { Tenant } from "../../src/http/auth.ts";
import { toNewEvent } from "../../src/ingest/event.ts";
import type { NewEvent } from "../../src/log/new-event.ts";
import { nowMs } from "../clock.ts";
import { dataText, eventSubject, eventType } from "../payload.ts";
import { serve } from "./serve.ts";

export type BareOperations = typeof operations;

const operations = { append, read, post };
serve(operations);

/**
 * Appends groups of this many events, one after the other, which is how the gateway does it; to
 * these tenants in turn.
 */
async function append(input: {
  databaseUrl: string;
  tenants: readonly Tenant[];
  group: number;
  bytes?: number;
  seconds: number;
}): Promise<{ rate: number }> {
  const { databaseUrl, group, seconds } = input;
  const data = dataText(undefined, input.bytes);
  const events = input.tenants.map((tenant) => newEvent(tenant, data));
  let appended = 0;
  await withDatabase(databaseUrl, 1, async (sql) => {
    const endAt = nowMs() + seconds * 1_000;
    for (let at = 0; nowMs() < endAt; at += group) {
      await appendGroup(sql, roundFrom(events, at, group));
      if (nowMs() <= endAt) appended += group;
    }
  });
  return { rate: appended / seconds };
}

function roundFrom<T>(items: readonly T[], at: number, count: number): T[] {
  return Array.from({ length: count }, (_, index) => items[(at + index) % items.length]).filter(
    (item) => item !== undefined,
  );
}

/** Reads pages as `Log.read` does, each reader from its own place to the end and again. */
async function read(input: {
  databaseUrl: string;
  tenant: Tenant;
  events: number;
  readers: number;
  pageEvents: number;
  seconds: number;
}): Promise<{ rate: number }> {
  const { databaseUrl, tenant, events, readers, pageEvents, seconds } = input;
  let found = 0;
  await withDatabase(databaseUrl, readers, async (sql) => {
    const [first] = await sql<{ day: string }[]>`
      select day::text from log_days where tenant = ${tenant.id} order by day limit 1`;
    const day = first?.day ?? "";
    const endAt = nowMs() + seconds * 1_000;
    await Promise.all(
      Array.from({ length: readers }, (_, reader) => readOn(sql, day, reader, endAt)),
    );
  });
  return { rate: found / seconds };

  async function readOn(sql: Sql, day: string, reader: number, endAt: number): Promise<void> {
    const pages = Math.floor(events / pageEvents);
    for (let page = Math.floor((reader * pages) / readers); nowMs() < endAt;) {
      const rows = await readPage(sql, tenant, day, page * pageEvents + 1, pageEvents);
      if (nowMs() <= endAt) found += rows;
      page = rows === pageEvents ? (page + 1) % pages : 0;
    }
  }
}

/**
 * Posts the same request again and again, this many at a time, and reads the answers; to these
 * addresses in turn.
 */
async function post(input: {
  urls: readonly string[];
  headers: Record<string, string>;
  body: Uint8Array;
  inFlight: number;
  seconds: number;
}): Promise<{ rate: number }> {
  const { headers, body, inFlight, seconds } = input;
  const urls = input.urls.map((url) => new URL(url));
  const origins = new Set(urls.map(({ origin }) => origin));
  const connections = Math.ceil(inFlight / origins.size);
  const pools = new Map(
    Array.from(origins, (origin) => [origin, new Pool(origin, { connections, pipelining: 1 })]),
  );
  let sent = 0;
  let answered = 0;
  const endAt = nowMs() + seconds * 1_000;
  await Promise.all(Array.from({ length: inFlight }, postUntilEnd));
  await Promise.all(Array.from(pools.values(), (pool) => pool.close()));
  return { rate: answered / seconds };

  async function postUntilEnd(): Promise<void> {
    while (nowMs() < endAt) {
      const url = urls[sent % urls.length];
      const pool = pools.get(url?.origin ?? "");
      if (url === undefined || pool === undefined) throw new Error("there is nowhere to post to");
      sent += 1;
      const answer = await pool.request({ path: url.pathname, method: "POST", headers, body });
      await answer.body.dump();
      if (answer.statusCode !== 200) throw new Error(`answered ${answer.statusCode}`);
      if (nowMs() <= endAt) answered += 1;
    }
  }
}

async function withDatabase(
  databaseUrl: string,
  connections: number,
  use: (sql: Sql) => Promise<void>,
): Promise<void> {
  const { sql, stop } = openDatabase(databaseUrl, { connections, name: "bench bare" });
  try {
    await Promise.all(Array.from({ length: connections }, () => sql`select 1`));
    await use(sql);
  } finally {
    await stop();
  }
}

function newEvent(tenant: Tenant, data: string): NewEvent {
  const raw = { text: data, depth: 4, repeated: false };
  const input = { type: eventType, subject: eventSubject };
  return toNewEvent(tenant, input, { kind: "json", raw, value: undefined });
}

/** The statement of `src/log/append.ts`. */
async function appendGroup(sql: Sql, group: readonly NewEvent[]): Promise<void> {
  const column = (of: (event: NewEvent) => string | null) => arrayText(group.map(of));
  const json = (of: (event: NewEvent) => string) => separated(group.map(of));
  const hex = randomBytes(4 * group.length).toString("hex");
  const nonces = group.map((_, index) => hex.slice(8 * index, 8 * index + 8));
  const rows = await sql<{ outcome: string }[]>`
    select ordinal, outcome, sequence, day::text,
      (date_part('epoch', appended_at) * 1000)::bigint as at, id, envelope
    from append_to_logs(${randomUUID()}, ${false},
      ${column((event) => event.tenant)}::uuid[], ${arrayText(nonces)}::text[],
      ${column((event) => event.type)}::text[], ${column((event) => event.subject)}::text[],
      ${column((event) => event.key)}::text[], ${column((event) => event.digest)}::text[],
      (string_to_array(${json((event) => event.start)}, chr(31)))[2:],
      ${column((event) => event.time)}::text[],
      (string_to_array(${json((event) => event.middle)}, chr(31)))[2:],
      (string_to_array(${json((event) => event.content)}, chr(31)))[2:])`;
  if (rows.length !== group.length || rows.some(({ outcome }) => outcome !== "appended")) {
    throw new Error("a group was not appended");
  }
}

/** The statement of `src/log/log.ts`, with its bound for a page's bytes. Tells how many came. */
async function readPage(sql: Sql, tenant: Tenant, day: string, from: number, limit: number) {
  const rows = await sql`
    select sequence, type, subject, envelope,
      (extract(epoch from appended_at) * 1000)::bigint as at
    from (
      select *, sum(octet_length(envelope)) over (order by sequence rows unbounded preceding)
        - octet_length(envelope) as bytes_before
      from (
        select sequence, type, subject, envelope, appended_at from events
        where tenant = ${tenant.id} and day = ${day} and sequence >= ${from}
          and day >= (select oldest_day from log_settings)
        order by sequence limit ${limit}
      ) as found
    ) as weighed
    where bytes_before < ${4 << 20}
    order by sequence`;
  return rows.length;
}
