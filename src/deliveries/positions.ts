/**
 * Where consumers stand: how far each has come in its tenant's log, and whether it is served. Only
 * this module, consumers.ts and the SQL functions of ledger.ts, circuits.ts and receipts.ts write
 * positions.
 *
 * What changes how a consumer is served bumps its generation in the same transaction. A writer
 * that still holds the older one is late, and what it brings is left out.
 *
 * Locks are taken from the consumer's own row to its position to its retries, never the other way.
 * Outcomes of many endpoints are recorded together and wait for a locked position, so change a
 * position last in a transaction.
 */
import { and, eq, sql as template } from "drizzle-orm";
import { arrayText, type OrmTransaction, type Sql } from "../db/database.ts";
import { positions } from "../db/delivery-schema.ts";
import type { Position, Sequence, TenantId } from "../log/event.ts";
import type { Fence } from "./ledger.ts";

/** `consumer` is a uuid: of an endpoint, or of a named consumer. */
export type Consumer = { readonly tenant: TenantId; readonly consumer: string };

export type Status = (typeof positions.$inferSelect)["status"];

export type Circuit = (typeof positions.$inferSelect)["circuit"];

export type PositionView = {
  readonly position: Position;
  readonly status: Status;
  readonly statusReason: string | null;
  /** What the log holds beyond the position: how many events, and how old the first of them is. */
  readonly lag: { readonly events: number; readonly seconds: number };
  /** Attempts under way, as of the last outcome. */
  readonly inFlight: number;
  readonly retrying: number;
  readonly dead: number;
  /** Times in milliseconds since 1970. */
  readonly circuit: {
    readonly state: Circuit;
    readonly since: number | null;
    readonly nextProbeAt: number | null;
  };
  readonly lastSuccessAt: number | null;
  readonly lastFailure: { readonly at: number; readonly error: string } | null;
};

/** A consumer on its way to another place in the log. */
export type Moved = Consumer & {
  /** Where it is to go on. */
  readonly sequence: Sequence;
  /** What tells this move from others: a time as text, since a Date holds no microseconds. */
  readonly movedAt: string;
};

/** Shown to whoever looks in that moment, or after a crash in it. */
const moving = "being resumed from another position; should this stay, resume it again";

/**
 * Starts a consumer right after `start`, and tells where that is; `latest` is where the log ends now.
 * It is served unless another status is given.
 */
export async function createPosition(
  transaction: OrmTransaction,
  of: Consumer & { shard: number; start: Position | "latest"; status?: Status },
): Promise<{ sequence: Sequence }> {
  const { tenant, consumer, shard, start, status = "active" } = of;
  if (start !== "latest") {
    const { sequence, day } = start;
    const row = { tenant, consumer, shard, sequence, day, lastMatched: 0 };
    await transaction.insert(positions).values({ ...row, status });
    return { sequence };
  }
  // The head is read by the statement that stores it. All that was acknowledged before is below
  // it, and all that is appended once the caller has its answer is above.
  const [made] = await transaction.execute<{ sequence: Sequence }>(template`
    insert into positions (tenant, consumer, shard, sequence, day, last_matched, status)
    select tenant, ${consumer}::uuid, ${shard}::smallint, head, day, 0, ${status}
    from heads where tenant = ${tenant}
    returning sequence`);
  if (made === undefined) throw new Error(`tenant ${tenant} has no log`);
  return made;
}

/** Makes the work in flight void: whoever serves the consumer has to read it anew. */
export async function bumpGeneration(transaction: OrmTransaction, of: Consumer): Promise<void> {
  await transaction.update(positions).set(nextGeneration).where(isOf(of));
}

/**
 * The same for settings that decide how it is served: what went wrong under those before says
 * nothing about those that hold now, so an open circuit does not wait for its next probe.
 */
export async function beginAnew(transaction: OrmTransaction, of: Consumer): Promise<void> {
  await transaction
    .update(positions)
    .set({ ...nextGeneration, ...probedNow })
    .where(isOf(of));
}

/**
 * Stops serving an endpoint for what its receiver answered. Does nothing, and tells so, when the
 * fence holds no longer: another process drives it now, or somebody has changed it since, who knows
 * better. Its circuit stays as it was, for whoever wants to know how it came to this.
 */
export async function disable(
  sql: Sql,
  { process, reason, ...fence }: Fence & { process: string; reason: string },
): Promise<boolean> {
  const { tenant, endpoint, shard, epoch, generation } = fence;
  const [row] = await sql<{ disabled: boolean }[]>`
    select disable_lane(${process}, ${tenant}, ${endpoint}, ${shard}, ${epoch}, ${generation},
      ${reason}) as disabled`;
  return row?.disabled === true;
}

/**
 * Stops pushing to a consumer, or leaves it to poll; its position stays. What is under way is not
 * void: it may have been delivered, and its outcome should be told. False when there is none.
 */
export async function stopServing(
  transaction: OrmTransaction,
  { status, reason, ...of }: Consumer & { status: "paused" | "polling"; reason: string | null },
): Promise<boolean> {
  const stopped = await transaction
    .update(positions)
    .set({ status, statusReason: reason })
    .where(isOf(of))
    .returning({ consumer: positions.consumer });
  return stopped.length > 0;
}

/** Serves a consumer from where it stands, as if nothing had gone wrong. False when there is none. */
export async function serve(transaction: OrmTransaction, of: Consumer): Promise<boolean> {
  const served = await transaction
    .update(positions)
    .set({ ...nextGeneration, ...probedNow, status: "active", statusReason: null })
    .where(isOf(of))
    .returning({ consumer: positions.consumer });
  return served.length > 0;
}

/**
 * Puts a consumer elsewhere in the log, forwards or backwards: everything after `to` is for it, also
 * what it got before. It is not served until `serveMoved`, because what it owes belongs to where it
 * stood (owed.ts). Undefined when there is none.
 */
export async function movePosition(
  transaction: OrmTransaction,
  { to, lastMatched, ...of }: Consumer & { to: Position; lastMatched: Sequence },
): Promise<Moved | undefined> {
  const { sequence, day } = to;
  const place = { sequence, day, lastMatched, resumedAt: template`clock_timestamp()` };
  const [moved] = await transaction
    .update(positions)
    .set({ ...nextGeneration, ...probedNow, ...place, status: "paused", statusReason: moving })
    .where(isOf(of))
    .returning({ movedAt: template<string>`${positions.resumedAt}::text` });
  return moved && { ...of, ...moved, sequence };
}

/** Puts a consumer that nobody serves elsewhere in the log. */
export async function placePosition(
  transaction: OrmTransaction,
  { to, ...of }: Consumer & { to: Position },
): Promise<void> {
  const { sequence, day } = to;
  await transaction
    .update(positions)
    .set({ ...nextGeneration, sequence, day })
    .where(isOf(of));
}

/** Serves a consumer that was moved, unless somebody has done something else with it since. */
export async function serveMoved(transaction: OrmTransaction, moved: Moved): Promise<void> {
  await transaction
    .update(positions)
    .set({ status: "active", statusReason: null })
    .where(isMoving(moved));
}

/**
 * True of the position as long as nobody has paused, resumed or moved its consumer since it was
 * moved: nobody serves it. A change of its settings, which may come meanwhile, has no say in that.
 */
export function isMoving({ movedAt, ...of }: Moved) {
  return and(
    isOf(of),
    eq(positions.statusReason, moving),
    template`${positions.resumedAt} = ${movedAt}::timestamptz`,
  );
}

/**
 * Moves a consumer forward over events that are settled, unless it was changed or has moved itself
 * since it was read.
 */
export async function advancePosition(
  sql: Sql,
  { tenant, consumer }: Consumer,
  {
    from,
    to,
    lastMatched,
  }: {
    from: { readonly sequence: Sequence; readonly generation: number };
    to: Position;
    lastMatched: Sequence;
  },
): Promise<void> {
  await sql`
    update positions set sequence = ${to.sequence}, day = ${to.day},
      last_matched = greatest(last_matched, ${lastMatched}::bigint)
    where tenant = ${tenant} and consumer = ${consumer} and generation = ${from.generation}
      and sequence = ${from.sequence}`;
}

/** Where a consumer stands, and the last event there that matched. */
export async function readPosition(
  transaction: OrmTransaction,
  of: Consumer,
): Promise<{ sequence: Sequence; lastMatched: Sequence } | undefined> {
  const { sequence, lastMatched } = positions;
  const [row] = await transaction.select({ sequence, lastMatched }).from(positions).where(isOf(of));
  return row;
}

/** What became of deliveries stays in the ledger until retention takes it. */
export async function removePosition(transaction: OrmTransaction, of: Consumer): Promise<void> {
  await transaction.delete(positions).where(isOf(of));
}

/**
 * Removes the positions of a whole tenant, so that outcomes that come later change nothing.
 * Returns how many. They are locked in the order in which outcomes lock them: none waits for us
 * while we wait for it.
 */
export async function removePositions(
  transaction: OrmTransaction,
  tenant: TenantId,
): Promise<number> {
  const removed = await transaction.execute(template`
    with locked as materialized (
      select consumer from positions where tenant = ${tenant} order by consumer for update
    )
    delete from positions p using locked l
    where p.tenant = ${tenant} and p.consumer = l.consumer`);
  return removed.count;
}

type ViewRow = {
  consumer: string;
  sequence: number;
  day: string;
  status: Status;
  statusReason: string | null;
  events: number;
  seconds: number;
  retrying: number;
  dead: number;
  inFlight: number;
  circuit: Circuit;
  circuitSince: number | null;
  circuitProbeAt: number | null;
  lastSuccessAt: number | null;
  lastFailureAt: number | null;
  lastFailure: string | null;
};

/** How a tenant's consumers stand now, by consumer; those that do not exist are missing. */
export async function viewPositions(
  sql: Sql,
  tenant: TenantId,
  consumers: readonly string[],
): Promise<Map<string, PositionView>> {
  // The sub-selects are written so that each is one descent of an index, whatever the planner
  // knows of the partitions: the first event not yet scanned lies in the first day that ends
  // after the position.
  const rows = await sql<ViewRow[]>`
    with log as (
      select day, first_sequence as first,
        lead(first_sequence, 1, (select head + 1 from heads where tenant = ${tenant}))
          over (order by day) - 1 as last
      from log_days
      where tenant = ${tenant} and day >= (select oldest_day from log_settings)
    )
    select p.consumer, p.sequence, p.day::text, p.status, p.status_reason as "statusReason",
      greatest(h.head - p.sequence, 0) as events,
      coalesce(greatest(extract(epoch from clock_timestamp() - (
        select e.appended_at from events e
        where e.tenant = p.tenant and e.day = next.day and e.sequence = next.sequence
      )), 0), 0)::float8 as seconds,
      (select count(*) from retries r
        where r.tenant = p.tenant and r.endpoint = p.consumer and not r.awaiting) as retrying,
      (select count(*) from deliveries d
        where d.tenant = p.tenant and d.endpoint = p.consumer and d.status = 'dead') as dead,
      p.in_flight as "inFlight", p.circuit,
      (extract(epoch from p.circuit_since) * 1000)::bigint as "circuitSince",
      (extract(epoch from p.circuit_probe_at) * 1000)::bigint as "circuitProbeAt",
      (extract(epoch from p.last_success_at) * 1000)::bigint as "lastSuccessAt",
      (extract(epoch from p.last_failure_at) * 1000)::bigint as "lastFailureAt",
      p.last_failure as "lastFailure"
    from positions p
    join heads h on h.tenant = p.tenant
    left join lateral (
      select day, greatest(first, p.sequence + 1) as sequence
      from log where last > p.sequence order by day limit 1
    ) as next on true
    where p.tenant = ${tenant} and p.consumer = any(${arrayText(consumers)}::uuid[])`;
  return new Map(rows.map((row) => [row.consumer, toView(row)]));
}

function toView(row: ViewRow): PositionView {
  const { sequence, day, status, statusReason, retrying, dead, lastSuccessAt } = row;
  const lastFailure =
    row.lastFailureAt === null ? null : { at: row.lastFailureAt, error: row.lastFailure ?? "" };
  return {
    position: { sequence, day },
    status,
    statusReason,
    lag: { events: row.events, seconds: Math.round(row.seconds * 1000) / 1000 },
    inFlight: row.inFlight,
    retrying,
    dead,
    circuit: { state: row.circuit, since: row.circuitSince, nextProbeAt: row.circuitProbeAt },
    lastSuccessAt,
    lastFailure,
  };
}

/** Attempts of the older generation will not be told of any more. */
const nextGeneration = { generation: template`${positions.generation} + 1`, inFlight: 0 };

/**
 * A circuit that is not closed is probed at once, and closes if that succeeds: so the dead letters
 * of the outage are not forgotten.
 */
const probedNow = {
  circuit: template`case ${positions.circuit} when 'closed' then 'closed' else 'open' end`,
  circuitProbeAt: template`case ${positions.circuit} when 'closed' then null
    else clock_timestamp() end`,
  circuitProbes: 0,
  failingSince: null,
};

function isOf({ tenant, consumer }: Consumer) {
  return and(eq(positions.tenant, tenant), eq(positions.consumer, consumer));
}
