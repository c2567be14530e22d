/**
 * A window of time as the log has it, for one transaction that sees one state of all tables: which
 * tenants have events in it, from which on, and where their endpoints stand.
 */
import { sql as template, type SQL } from "drizzle-orm";
import { statementTimeoutMs, type OrmTransaction } from "../db/database.ts";
import type { Day, Sequence, TenantId } from "../log/event.ts";
import type { Circuit, Status } from "./positions.ts";

export type Execute = Pick<OrmTransaction, "execute">;

/** Events with an append time after `since`; undefined for all tenants. */
export type Window = {
  readonly tenant: TenantId | undefined;
  /** Too many tenants to read the indexes of each apart. */
  readonly many: boolean;
  /** Every row tells when its event was appended: none is left of a version that kept no times. */
  readonly dated: boolean;
  /** As Postgres writes it, in microseconds. */
  readonly since: string;
  readonly sinceDay: Day;
  /** Milliseconds since 1970. */
  readonly asOf: number;
  /** Of the tables, as another transaction can name it. */
  readonly state: string;
};

/** Events to either side of a guess, in one look: each is somewhere else. */
const guessReach = 2;

/** Fixes the state that all statements of the transaction see. */
export async function openWindow(
  orm: Execute,
  tenant: TenantId | undefined,
  { seconds, manyTenants }: { seconds: number; manyTenants: number },
): Promise<Window> {
  const [row] = await orm.execute<Omit<Window, "tenant">>(template`
    select (extract(epoch from as_of) * 1000)::bigint as "asOf", since::text,
      ((since at time zone 'UTC')::date)::text as "sinceDay", pg_export_snapshot() as state,
      ${tenant === undefined}::boolean and (
        select count(*) from heads where at > since) > ${manyTenants}::int as many,
      not exists (select from retries where appended_at is null) and not exists (
        select from deliveries d
        where d.appended_at is null and d.day >= (since at time zone 'UTC')::date
          and d.status in ('dead', 'expired')) as dated
    from (select clock_timestamp() as as_of) a,
      lateral (select as_of - ${seconds} * interval '1 second' as since) b`);
  if (row === undefined) throw new Error("the database told no time");
  return { tenant, ...row };
}

/** To see what the transaction of the window sees, as the first statement of another one. */
export async function seeSame(orm: Execute, { state }: Window): Promise<void> {
  // Not a parameter: the grammar wants a literal.
  if (!/^[\da-f-]+$/i.test(state)) throw new Error(`not the name of a snapshot: ${state}`);
  await orm.execute(template`set transaction snapshot ${template.raw(`'${state}'`)}`);
}

/** What plans may use, until the transaction ends. */
export async function limitPlans(orm: Execute, { rowByRow }: { rowByRow: boolean }): Promise<void> {
  await orm.execute(template`
    select
      -- To compile the plan takes longer than to follow it, and its sets fit into this.
      set_config('jit', 'off', true), set_config('work_mem', '32MB', true),
      -- Of the size of its sets nothing is known: to join two by comparing each row of the one with
      -- each of the other can take minutes. What is looked up row by row is, whatever this says.
      set_config('enable_nestloop', ${rowByRow ? "on" : "off"}, true),
      -- While it waits for what is read beside it, which ends as every statement does.
      set_config('idle_in_transaction_session_timeout', ${`${2 * statementTimeoutMs}ms`}, true)`);
}

/** What is shown of an endpoint besides its counts. */
export type EndpointView = {
  /** Its name. */
  readonly tenant: string;
  readonly url: string;
  readonly status: Status;
  readonly circuit: Circuit;
  /** Milliseconds since 1970. */
  readonly oldestAt: number | null;
};

/** In the order of the places, which are of endpoints that are there. */
export async function show(
  orm: Execute,
  { sinceDay }: Window,
  places: readonly { tenant: TenantId; endpoint: string; oldest: Sequence | undefined }[],
): Promise<EndpointView[]> {
  const asked = JSON.stringify(places.map((place, n) => ({ n, ...place })));
  return orm.execute<EndpointView>(template`
    select t.name as tenant, e.url, p.status, p.circuit, (
        select (extract(epoch from v.appended_at) * 1000)::bigint from events v
        where v.tenant = a.tenant and v.day >= ${sinceDay}::date and v.sequence = a.oldest
          and v.day = (
            select d.day from log_days d
            where d.tenant = a.tenant and d.first_sequence <= a.oldest order by d.day desc limit 1
          )
      ) as "oldestAt"
    from jsonb_to_recordset(${asked}::jsonb) as a(n int, tenant uuid, endpoint uuid, oldest bigint)
      join tenants t on t.id = a.tenant
      join endpoints e on e.tenant = a.tenant and e.id = a.endpoint
      join positions p on p.tenant = a.tenant and p.consumer = a.endpoint
    order by a.n`);
}

/** All that may be undelivered, or only what waits. */
export type Sought = "all" | "waiting";

/**
 * Of many tenants few may have anything that waits. Where there are not so many it costs less to look
 * for all than to leave some out.
 */
function picks({ tenant, many }: Window, sought: Sought): boolean {
  return tenant === undefined && (many || sought === "waiting");
}

/** Tenants of which the first event of the window has to be known. */
function picked(window: Window, sought: Sought): SQL {
  if (!picks(window, sought)) return template``;
  return template`
    picked as materialized (
      select p.tenant from positions p join heads b on b.tenant = p.tenant
      where p.sequence < b.head
      union all
      select tenant from blocked_subjects
      ${sought === "all" && !window.dated ? template`union all ${undated(window)}` : template``}
    ),`;
}

/** Tenants of rows that tell no time. */
function undated({ sinceDay }: Window): SQL {
  return template`
    select tenant from retries where appended_at is null
    union all
    select d.tenant from deliveries d
    where d.appended_at is null and d.day >= ${sinceDay}::date and d.status in ('dead', 'expired')`;
}

/** The others are behind with nothing: all their rows that count tell when their event was. */
function others({ since, many }: Window, sought: Sought): SQL {
  if (!many || sought === "waiting") return template``;
  return template`
    union all
    select h.tenant, h.head, 1 from heads h
    where h.at > ${since}::timestamptz and h.tenant not in (select tenant from picked)`;
}

/**
 * The tenants to which something was appended in the window, and their first event of it. Append
 * times never decrease along a log: so the last one before the window is looked for where it would
 * lie if they grew evenly, twice, then in steps that double from there, and by halves; of all
 * tenants at once, and only on the day on which the window begins.
 */
export function scope(window: Window, sought: Sought): SQL {
  const { since, sinceDay } = window;
  return template`
    ${picked(window, sought)} ${begun(window, sought)}, ${guessed(window)},
    halves(tenant, low, high, step) as (
      select tenant, case when found is null then first else found end,
        case when found is null then greatest(first, low - 1)
          when found = high then last else found end,
        case when found is null then -${guessReach}::bigint else ${guessReach}::bigint end
      from guessed
      union all
      select tenant, case when before then middle else low end,
        case when before then high else middle - 1 end,
        case when abs(step) > high - low then step else step * 2 end
      from (
        select h.*, coalesce((
            select e.appended_at <= ${since}::timestamptz from events e
            where e.tenant = h.tenant and e.day = ${sinceDay}::date and e.sequence = h.middle
          ), false) as before
        from (
          -- In the middle, or nearer to where the guess was.
          select *, case when step > 0 then least(low + step, (low + high + 1) / 2)
              else greatest(high + 1 + step, (low + high + 1) / 2) end as middle
          from halves where low < high
        ) h
        -- So that each event is looked at once.
        offset 0
      ) as looked
    ), scope as materialized (
      select b.tenant, b.head, case when b.cut then h.low + 1 else b.first end as first
      from begun b left join halves h on h.tenant = b.tenant and h.low = h.high
      ${others(window, sought)}
    )`;
}

/** Their logs from the first day of the window on, and whether the window begins on that day. */
function begun(window: Window, sought: Sought): SQL {
  const { tenant, since, sinceDay } = window;
  const owned = (column: SQL) =>
    tenant !== undefined
      ? template`and ${column} = ${tenant}`
      : picks(window, sought)
        ? template`and ${column} in (select tenant from picked)`
        : template``;
  return template`
    begun as materialized (
      select h.tenant, h.head, d.first, coalesce(d.last, h.head) as last,
        d.day = ${sinceDay}::date and d.first_at <= ${since}::timestamptz as cut,
        d.first_at, coalesce(d.last_at, h.at) as last_at
      from heads h join (
        select d.tenant, min(d.day) as day, min(d.first_sequence) as first,
          min(d.first_at) as first_at,
          min(d.first_sequence) filter (where d.day > ${sinceDay}::date) - 1 as last,
          min(d.first_at) filter (where d.day > ${sinceDay}::date) as last_at
        from log_days d
        where d.day >= ${sinceDay}::date and d.day >= (select oldest_day from log_settings)
          ${owned(template`d.tenant`)}
        group by d.tenant
      ) d on d.tenant = h.tenant
      where h.at > ${since}::timestamptz ${owned(template`h.tenant`)}
    )`;
}

/** Twice, since they seldom grow evenly; `found` is the last event before the window in reach. */
function guessed({ since, sinceDay }: Window): SQL {
  return template`
    aimed as materialized (
      select *, (
          select e.appended_at from events e
          where e.tenant = a.tenant and e.day = ${sinceDay}::date and e.sequence = a.middle
        ) as middle_at
      from (
        select *, first + (per_second
            * extract(epoch from ${since}::timestamptz - first_at)::float8)::bigint as middle
        from (
          select *, (last - first) / greatest(0.001,
              extract(epoch from greatest(last_at, ${since}::timestamptz) - first_at)::float8
            ) as per_second
          from begun where cut
        ) as even
      ) a
    ), guessed as materialized (
      select *, (
          select e.sequence from events e
          where e.tenant = g.tenant and e.day = ${sinceDay}::date
            and e.sequence >= g.low and e.sequence <= g.high
            and e.appended_at <= ${since}::timestamptz
          order by e.sequence desc limit 1
        ) as found
      from (
        select tenant, first, last,
          greatest(first, least(last, near) - ${guessReach}::int) as low,
          least(last, greatest(first, near) + ${guessReach}::int) as high
        from (
          -- Put right by how far the first guess was out.
          select *, middle + (per_second * coalesce(
              extract(epoch from ${since}::timestamptz - middle_at)::float8, 0))::bigint as near
          from aimed
        ) as corrected
      ) g
    )`;
}

/** Where their endpoints stand. Nothing up to `floor` waits, but what blocked subjects hold. */
export function placed({ tenant, sinceDay }: Window): SQL {
  const owned = tenant === undefined ? template`` : template`where p.tenant = ${tenant}`;
  return template`
    places as materialized (
      select *, greatest(sequence, confirmed, first - 1) as floor
      from (
        select s.tenant, s.head, s.first, p.consumer as endpoint, p.sequence,
          greatest(p.day, ${sinceDay}::date) as day,
          e.types is null and e.subjects is null as takes_all,
          -- Elsewhere an event has an outcome or a retry, and not both.
          p.receipts > 0 or p.resumed_at is not null or (p.tenant, p.consumer) in (
            select tenant, endpoint from replays) as mixed,
          ${confirmed(template`p`)} as confirmed
        from scope s
          join positions p on p.tenant = s.tenant
          join endpoints e on e.tenant = p.tenant and e.id = p.consumer
        ${owned}
        -- So that each receipt is looked for once.
        offset 0
      ) as stands
    )`;
}

/** All up to here is settled, by receipts of the position of this alias. */
export function confirmed(position: SQL): SQL {
  return template`case when ${position}.receipts = 0 then 0 else coalesce((
    select g.through from receipt_ranges g
    where g.tenant = ${position}.tenant and g.endpoint = ${position}.consumer
      and g.at >= coalesce(${position}.resumed_at, '-infinity')
    order by g.through desc limit 1), 0) end`;
}
