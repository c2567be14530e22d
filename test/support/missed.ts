/** Endpoints that nobody drives, in whatever state pushes may have left them, over several days. */
import { randomUUID } from "node:crypto";
import type { Sql } from "../../src/db/database.ts";
import { endpointName } from "../../src/deliveries/endpoint.ts";
import type { Tenant } from "../../src/http/auth.ts";
import { compileFilter, type Filter } from "../../src/log/filter.ts";
import { keyOf } from "./feed.ts";
import type { Answer, PullApi } from "./pull.ts";

export type Lane = { readonly tenant: Tenant; readonly uuid: string; readonly name: string };

export type LaneState = {
  readonly filter?: Partial<Filter>;
  readonly position?: number;
  readonly status?: "active" | "paused" | "polling" | "disabled";
  readonly circuit?: "closed" | "open" | "half_open";
};

/** Of the events of `giveLog`, by their sequence. */
export const typeOf = (sequence: number) => `kind_${sequence % 3}.made`;
export const subjectOf = (sequence: number) => (sequence % 5 === 0 ? null : `s${sequence % 5}`);

/**
 * Events of so many days, the last of them today's. All are older than a minute but the last
 * `young`, which were appended now.
 */
export async function giveLog(
  sql: Sql,
  { id: tenant }: Tenant,
  { days = 1, perDay, young = 0, bytes = 10 }: Wanted,
): Promise<void> {
  const last = days * perDay;
  await sql`select create_partitions(current_date - ${days - 1}::int, current_date)`;
  await sql`
    with days as (
      select current_date - ${days - 1}::int + n as day, n * ${perDay}::int + 1 as first
      from generate_series(0, ${days - 1}::int) as n
    ), begun as (
      insert into log_days (tenant, day, first_sequence, first_at)
      select ${tenant}, day, first, now() - interval '1 hour' from days
    ), ended as (
      update heads set head = ${last}, day = current_date, at = now() where tenant = ${tenant}
    )
    insert into events (tenant, day, sequence, appended_at, type, subject, envelope)
    select ${tenant}, day, n,
      now() - case when n > ${last - young}::int then interval '0' else interval '1 hour' end,
      'kind_' || n % 3 || '.made', case when n % 5 > 0 then 's' || n % 5 end,
      '{"specversion":"1.0","id":"evt_' || day || '_' || left(replace(${tenant}, '-', ''), 16)
        || to_hex(n) || 'abcdef01","source":"/x","type":"kind_' || n % 3
        || '.made","time":"2026-11-23T12:00:00.000Z","datacontenttype":"application/json",'
        || '"dataversion":"1","tenant":"x","sequence":"' || lpad(n::text, 20, '0')
        || '","data":"' || repeat('x', ${bytes}::int) || '"}'
    from days, generate_series(first, first + ${perDay}::int - 1) as n`;
}

type Wanted = {
  readonly days?: number;
  readonly perDay: number;
  readonly young?: number;
  /** Of each event's data. */
  readonly bytes?: number;
};

/** Stands at the beginning, paused, unless it is told otherwise. */
export async function giveLane(sql: Sql, tenant: Tenant, state: LaneState = {}): Promise<Lane> {
  const uuid = randomUUID();
  const { types = null, subjects = null } = state.filter ?? {};
  const { position = 0, status = "paused", circuit = "closed" } = state;
  await sql`
    insert into endpoints (tenant, id, url, types, subjects, metadata, headers, header_names,
      secrets, timeout_ms, max_in_flight, format)
    values (${tenant.id}, ${uuid}, 'http://127.0.0.1:1/', ${listOf(types)}::text[],
      ${listOf(subjects)}::text[], '{}', '', '{}', '', 5000, 1, 'json')`;
  await sql`
    insert into positions (tenant, consumer, shard, sequence, day, last_matched, status, circuit)
    select ${tenant.id}, ${uuid}, ${tenant.shard}, ${position}, coalesce((
      select max(day) from log_days where tenant = ${tenant.id} and first_sequence <= ${position}
    ), '1970-01-01'), 0, ${status}, ${circuit}`;
  return { tenant, uuid, name: endpointName(uuid) };
}

export async function giveDeliveries(
  sql: Sql,
  { tenant, uuid }: Lane,
  status: "delivered" | "settled" | "dead" | "expired" | "skipped",
  sequences: readonly number[],
): Promise<void> {
  await sql`
    insert into deliveries (tenant, endpoint, day, sequence, status, attempts, previous,
      first_attempt_at, last_attempt_at, queue_ms, latency_ms)
    select e.tenant, ${uuid}, e.day, e.sequence, ${status}, 1, 0, now(), now(), 1, 1
    from events e where e.tenant = ${tenant.id} and e.sequence = any(${listOf(sequences)}::bigint[])`;
}

/** `due`: in so many seconds, of those that were accepted and wait for their receipt. */
export async function giveRetries(
  sql: Sql,
  { tenant, uuid }: Lane,
  sequences: readonly number[],
  { awaiting = false, due = 60 }: { awaiting?: boolean; due?: number } = {},
): Promise<void> {
  await sql`
    insert into retries (tenant, endpoint, day, sequence, attempts, previous, due_at,
      first_attempt_at, last_attempt_at, awaiting)
    select e.tenant, ${uuid}, e.day, e.sequence, 1, 0, now() + ${due} * interval '1 second',
      now(), now(), ${awaiting}
    from events e where e.tenant = ${tenant.id} and e.sequence = any(${listOf(sequences)}::bigint[])`;
}

export async function block(
  sql: Sql,
  { tenant, uuid }: Lane,
  subject: string,
  sequence: number,
): Promise<void> {
  await sql`
    insert into blocked_subjects (tenant, endpoint, key, subject, sequence, day, matched)
    select ${tenant.id}, ${uuid}, md5(${subject})::uuid, ${subject}, ${sequence}, coalesce((
      select max(day) from log_days where tenant = ${tenant.id} and first_sequence <= ${sequence}
    ), '1970-01-01'), 0`;
}

/** What the pages of a walk show, with a place that is found where the one before ended. */
export async function walk(
  api: PullApi,
  lane: Lane,
  { limit = 100, cursor }: { limit?: number; cursor?: string } = {},
) {
  const seen: number[] = [];
  let at = cursor;
  for (;;) {
    const answer = await page(api, lane, { limit: String(limit), ...(at && { cursor: at }) });
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    seen.push(...answer.json.events.map(({ sequence }) => Number(sequence)));
    at = answer.json.cursor;
    if (!answer.json.has_more) return { seen, cursor: at };
  }
}

export function page(
  api: PullApi,
  { tenant, name }: Lane,
  query: Record<string, string> = {},
  by = tenant,
): Promise<Answer> {
  const target = `/endpoints/${name}/missed?${new URLSearchParams(query).toString()}`;
  return api.get(by, target, { authorization: `Bearer ${keyOf(by, "receive")}` });
}

/** By one look at all there is, statement by statement of what the contract says. */
export async function missedBy(sql: Sql, { tenant, uuid }: Lane): Promise<number[]> {
  const [lane] = await sql<[Filter & { served: boolean; position: number }]>`
    select e.types, e.subjects, p.sequence as position,
      p.status = 'active' and p.circuit = 'closed' as served
    from endpoints e join positions p on p.tenant = e.tenant and p.consumer = e.id
    where e.id = ${uuid}`;
  const filter = compileFilter(lane);
  const rows = await sql<ReferenceRow[]>`
    select e.sequence, e.type, e.subject, e.appended_at > now() - interval '1 minute' as young,
      d.status, r.sequence is not null as retried, r.awaiting and r.due_at > now() as accepted,
      b.sequence as blocked
    from events e
    left join deliveries d on d.tenant = e.tenant and d.endpoint = ${uuid}
      and d.sequence = e.sequence
    left join retries r on r.tenant = e.tenant and r.endpoint = ${uuid}
      and r.sequence = e.sequence
    left join blocked_subjects b on b.tenant = e.tenant and b.endpoint = ${uuid}
      and b.subject = e.subject
    where e.tenant = ${tenant.id} order by e.sequence`;
  const missed: number[] = [];
  for (const row of rows) {
    const { sequence, status, retried } = row;
    const isSettled = status !== null && status !== "skipped";
    const isBeyond = sequence > lane.position;
    const isHeld = !isBeyond && row.blocked !== null && sequence > row.blocked;
    const waits = !isSettled && !retried && filter.matches(row) && (isBeyond || isHeld);
    if (waits && isBeyond && lane.served && row.young) break;
    const fails =
      retried && row.accepted !== true && status !== "delivered" && status !== "settled";
    const isDead = status === "dead" && row.accepted !== true;
    if (waits || fails || isDead) missed.push(sequence);
  }
  return missed;
}

type ReferenceRow = {
  sequence: number;
  type: string;
  subject: string | null;
  young: boolean;
  status: string | null;
  retried: boolean;
  accepted: boolean | null;
  blocked: number | null;
};

function listOf(values: readonly (string | number)[] | null): string | null {
  return values && `{${values.join(",")}}`;
}
