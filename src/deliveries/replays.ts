/**
 * Replay jobs, as those see them who ask for them: made, listed, shown and cancelled. A job is a
 * range of the tenant's log that is fixed when it is made, and which of an endpoint's deliveries in
 * it are to be sent again. It is done by whoever drives the endpoint (replay-ledger.ts, and
 * `push/replays.ts`), a piece at a time from the position that its row keeps, so neither its size
 * nor how often it is interrupted matters.
 *
 * Only this module and `record_replay` write jobs.
 */
import { sql as template } from "drizzle-orm";
import { arrayText, type OrmTransaction, type Sql } from "../db/database.ts";
import type { ReadSql } from "../db/read-within.ts";
import { timeOrderedUuid } from "../db/ids.ts";
import type { Position, Sequence, TenantId } from "../log/event.ts";
import type { Chore } from "../log/housekeeping.ts";
import { Problem } from "../problem.ts";
import type { Consumer } from "./positions.ts";

/** Dead letters, what was never delivered, or whatever there is. */
export const replayKinds = ["dead", "missing", "all"] as const;

export type ReplayKind = (typeof replayKinds)[number];

export const replayStatuses = ["running", "completed", "cancelled"] as const;

export type ReplayStatus = (typeof replayStatuses)[number];

/** What keeps a job that is running from going on; null for nothing. */
export type ReplayObstacle = "paused" | "polling" | "disabled" | "circuit" | null;

export type Replay = {
  readonly tenant: TenantId;
  readonly id: string;
  /** The uuid. */
  readonly endpoint: string;
  readonly kind: ReplayKind;
  readonly types: readonly string[] | null;
  /** What lies after `after`, up to and with `through`, of which all up to `sequence` is done. */
  readonly after: Sequence;
  readonly through: Sequence;
  readonly sequence: Sequence;
  readonly status: ReplayStatus;
  readonly total: number | null;
  readonly sent: number;
  readonly failed: number;
  /** Times in milliseconds since 1970. */
  readonly since: number | null;
  readonly until: number | null;
  readonly createdAt: number;
  readonly finishedAt: number | null;
  /** The id of the key that asked for it; null where that was not kept. */
  readonly requestedBy: string | null;
  readonly waitingFor: ReplayObstacle;
};

export type NewReplay = Pick<Replay, "kind" | "types" | "since" | "until" | "requestedBy"> & {
  readonly after: Position;
  readonly through: Sequence;
};

/** An endpoint that a job can be made for. */
export type Replayable = {
  readonly tenant: TenantId;
  /** The uuid. */
  readonly endpoint: string;
  readonly shard: number;
  /** The last event of which there may be a delivery: what lies beyond will be pushed anyway. */
  readonly reached: Sequence;
};

export type ReplayStore = ReturnType<typeof createReplayStore>;

/** Of an endpoint. Nobody has as many under way by hand, and all of them are counted for each. */
const runningMax = 1_000;

/** Counted before a job begins: some tens of milliseconds. Of more it is told when it is done. */
const countMax = 100_000;

/** All jobs are looked at: few, since each was asked for by a request. */
const pruneEveryMs = 3_600_000;
const pruneMaxRows = 10_000;

/** The job's id as callers know it. */
export function replayName(uuid: string): string {
  return `rpl_${uuid.replaceAll("-", "")}`;
}

/** The uuid behind an id; undefined for what is no job's id. */
export function replayUuid(name: string): string | undefined {
  const match = /^rpl_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/.exec(
    name,
  );
  return match?.slice(1).join("-");
}

export function createReplayStore(sql: ReadSql) {
  return { endpoint, create, find, list, around, running, cancel };

  /** Undefined when it was removed, or is not this tenant's. */
  async function endpoint(tenant: TenantId, uuid: string): Promise<Replayable | undefined> {
    const [row] = await sql<Replayable[]>`
      select p.tenant, p.consumer as endpoint, p.shard, greatest(p.sequence, (
          -- Settled behind one that is still under way. A day at a time, which is an index descent.
          select max(settled.sequence) from log_days l cross join lateral (
            select max(d.sequence) as sequence from deliveries d
            where d.tenant = p.tenant and d.endpoint = p.consumer and d.day = l.day
              and d.sequence > p.sequence
          ) as settled
          where l.tenant = p.tenant and l.day >= p.day
        )) as reached
      from positions p join endpoints e on e.tenant = p.tenant and e.id = p.consumer
      where p.tenant = ${tenant} and p.consumer = ${uuid}`;
    return row;
  }

  async function create(
    { tenant, endpoint: uuid }: Replayable,
    { kind, types, since, until, after, through, requestedBy }: NewReplay,
  ): Promise<Replay> {
    const id = timeOrderedUuid(Date.now());
    const isEmpty = through <= after.sequence;
    const total = isEmpty ? 0 : await countTotal(tenant, uuid, { kind, types, after, through });
    // The position's lock is for the endpoint's removal: it comes later and cancels the job, or
    // it was first.
    const { count } = await sql`
      with served as materialized (
        select from positions where tenant = ${tenant} and consumer = ${uuid} for share
      )
      insert into replays (tenant, id, endpoint, kind, types, after, through, since, until, status,
        sequence, day, total, finished_at, requested_by)
      select ${tenant}, ${id}, ${uuid}, ${kind}, ${types && arrayText(types)}::text[],
        ${after.sequence}, ${Math.max(through, after.sequence)}, ${instantText(since)},
        ${instantText(until)}, ${isEmpty ? "completed" : "running"}, ${after.sequence},
        ${after.day}, ${total}::bigint, case when ${isEmpty} then now() end,
        ${requestedBy}
      from served
      where (select count(*) from (
          select from replays
          where tenant = ${tenant} and endpoint = ${uuid} and status = 'running' limit ${runningMax}
        ) as running) < ${runningMax}`;
    const made = await find(id, tenant);
    if (count > 0 && made !== undefined) return made;
    if ((await endpoint(tenant, uuid)) === undefined) {
      throw new Problem("not-found", "there is no such endpoint");
    }
    const most = `an endpoint may have ${runningMax} replays running and this one has them`;
    throw new Problem("quota-exceeded", `${most}; cancel some, or wait until they are over`, {
      members: { limit: "replays", value: runningMax },
    });
  }

  /** How many deliveries that is, where it can be told at once. */
  async function countTotal(
    tenant: TenantId,
    uuid: string,
    { kind, types, after, through }: Pick<NewReplay, "kind" | "types" | "after" | "through">,
  ): Promise<number | null> {
    if (through - after.sequence === 1 && kind === "all" && types === null) return 1;
    if (kind !== "dead" || types !== null) return null;
    const [row] = await sql<{ dead: number }[]>`
      select count(*) as dead from (
        select from deliveries
        where tenant = ${tenant} and endpoint = ${uuid} and status = 'dead'
          and day >= ${after.day} and sequence > ${after.sequence} and sequence <= ${through}
          and day >= (select oldest_day from log_settings)
        limit ${countMax + 1}) as found`;
    return row === undefined || row.dead > countMax ? null : row.dead;
  }

  /** Of any tenant unless one is given. */
  async function find(id: string, tenant: TenantId | undefined): Promise<Replay | undefined> {
    const [row] = await select(
      tenant === undefined ? sql`r.id = ${id}` : sql`r.tenant = ${tenant} and r.id = ${id}`,
      1,
    );
    return row;
  }

  /** The newest first, from below `before` on. */
  function list(
    tenant: TenantId,
    wanted: { endpoint?: string | undefined; status?: ReplayStatus | undefined },
    { before, limit }: { before: string | undefined; limit: number },
  ): Promise<Replay[]> {
    const { endpoint: uuid, status } = wanted;
    return select(
      sql`r.tenant = ${tenant}
        ${before === undefined ? sql`` : sql`and r.id < ${before}`}
        ${uuid === undefined ? sql`` : sql`and r.endpoint = ${uuid}`}
        ${status === undefined ? sql`` : sql`and r.status = ${status}`}`,
      limit,
    );
  }

  /** Those of these ids, and those of these endpoints that have not come to an event yet. */
  function around(
    tenant: TenantId,
    wanted: { ids: readonly string[]; endpoints: readonly string[]; sequence: Sequence },
    limit: number,
  ): Promise<Replay[]> {
    const { ids, endpoints, sequence } = wanted;
    return select(
      sql`r.tenant = ${tenant} and (r.id = any(${arrayText(ids)}::uuid[])
        or r.status = 'running' and r.endpoint = any(${arrayText(endpoints)}::uuid[])
          and r.sequence < ${sequence} and r.through >= ${sequence})`,
      limit,
    );
  }

  /** Those of all tenants that are not over, the newest first, and how many there are. */
  async function running(limit: number): Promise<{ total: number; replays: Replay[] }> {
    const [row] = await sql<{ total: number }[]>`
      select count(*)::int as total from replays where status = 'running'`;
    return { total: row?.total ?? 0, replays: await select(sql`r.status = 'running'`, limit) };
  }

  /** What has been sent stays sent. One that is over stays what it is. */
  async function cancel({ tenant, id }: Pick<Replay, "tenant" | "id">): Promise<void> {
    await sql`
      update replays set status = 'cancelled', finished_at = clock_timestamp()
      where tenant = ${tenant} and id = ${id} and status = 'running'`;
  }

  async function select(condition: ReturnType<Sql>, limit: number): Promise<Replay[]> {
    return sql<Replay[]>`
      select r.tenant, r.id, r.endpoint, r.kind, r.types, r.after, r.through, r.sequence, r.status,
        r.total, r.sent, r.failed, r.requested_by as "requestedBy",
        (extract(epoch from r.since) * 1000)::bigint as since,
        (extract(epoch from r.until) * 1000)::bigint as until,
        (extract(epoch from r.created_at) * 1000)::bigint as "createdAt",
        (extract(epoch from r.finished_at) * 1000)::bigint as "finishedAt",
        case when r.status <> 'running' then null when p.status <> 'active' then p.status
          when p.circuit <> 'closed' then 'circuit' end as "waitingFor"
      from replays r left join positions p on p.tenant = r.tenant and p.consumer = r.endpoint
      where ${condition}
      order by r.id desc limit ${limit}`;
  }
}

/** Those of an endpoint that was removed. */
export async function cancelReplays(orm: OrmTransaction, of: Consumer): Promise<void> {
  await orm.execute(template`
    update replays set status = 'cancelled', finished_at = clock_timestamp()
    where tenant = ${of.tenant} and endpoint = ${of.consumer} and status = 'running'`);
}

/** Jobs that are over, and that nobody's events remind of any more. */
export function createReplayChore(options: { sql: Sql; retentionDays: number }): Chore {
  const { sql, retentionDays } = options;
  return { name: "replays", everyMs: pruneEveryMs, run };

  async function run(): Promise<"done" | "more"> {
    const { count } = await sql`
      delete from replays where ctid = any(array(
        select ctid from replays
        where finished_at < clock_timestamp() - make_interval(days => ${retentionDays}::int)
        limit ${pruneMaxRows}))`;
    return count === pruneMaxRows ? "more" : "done";
  }
}

function instantText(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
