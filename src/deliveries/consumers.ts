/**
 * Named consumers: readers whose place in the log is kept here. A consumer is an endpoint without a
 * URL: its position stands among those of endpoints (positions.ts), polling, so nobody pushes for it.
 * Only this module writes `consumers`, but for the erasure of a tenant.
 *
 * A position moves forward with what is acknowledged, never beyond what was handed out, and to
 * wherever its consumer seeks. Who hands out a page says from which generation of the position it
 * was read: after a seek, or a change of the filter, it is not the page that is wanted any more.
 *
 * The consumer's own row is locked before its position, in every statement here.
 */
import { and, asc, count, eq, gt, sql as template } from "drizzle-orm";
import {
  arrayText,
  type Database,
  type Orm,
  type OrmTransaction,
  type Sql,
} from "../db/database.ts";
import { consumers, positions } from "../db/delivery-schema.ts";
import type { Position, Sequence, TenantId } from "../log/event.ts";
import type { Filter } from "../log/filter.ts";
import { Problem } from "../problem.ts";
import {
  bumpGeneration,
  createPosition,
  placePosition,
  removePosition,
  viewPositions,
  type PositionView,
} from "./positions.ts";

export type ConsumerRow = typeof consumers.$inferSelect;

/** As it is read: what it wants, where it stands, and what a page from there is read under. */
export type NamedConsumer = {
  readonly tenant: TenantId;
  /** The uuid. */
  readonly id: string;
  readonly filter: Filter;
  readonly position: Position;
  readonly generation: number;
};

export type ConsumerView = {
  readonly row: ConsumerRow;
  readonly position: PositionView;
  /** That retention took before they were acknowledged. */
  readonly lost: number;
  /** Until it takes the first that is not; null when all are. */
  readonly headroomSeconds: number | null;
};

/** Where a consumer stands after an acknowledgement; nothing moves for one that is older. */
export type Acked =
  | { readonly kind: "acked"; readonly position: Sequence }
  | { readonly kind: "ahead"; readonly handedOut: Sequence }
  | { readonly kind: "gone" };

export type ConsumerStore = ReturnType<typeof createConsumerStore>;

export function createConsumerStore({ orm, sql }: Database) {
  return { create, change, find, row, list, remove, view, handOut, ack, seek, countOf };

  /** The name must be free, and the tenant locked. `latest` is where the log ends now. */
  async function create(
    transaction: OrmTransaction,
    { shard, start, ...of }: NewConsumer,
  ): Promise<ConsumerRow> {
    const { tenant, id } = of;
    const place = { tenant, consumer: id, shard, start, status: "polling" } as const;
    const { sequence } = await createPosition(transaction, place);
    const values = { ...toColumns(of), handedOut: sequence };
    const [row] = await transaction.insert(consumers).values(values).returning();
    if (row === undefined) throw new Error("an insert returned no row");
    return row;
  }

  /** It goes on from where it stands. Undefined when there is none of this name. */
  async function change(
    transaction: OrmTransaction,
    tenant: TenantId,
    name: string,
    filter: Filter,
  ): Promise<ConsumerRow | undefined> {
    const [row] = await transaction
      .update(consumers)
      .set({ ...toColumns(filter), updatedAt: template`now()` })
      .where(isNamed(tenant, name))
      .returning();
    if (row !== undefined) await bumpGeneration(transaction, { tenant, consumer: row.id });
    return row;
  }

  async function find(tenant: TenantId, name: string): Promise<NamedConsumer | undefined> {
    const [row] = await orm
      .select({ row: consumers, position: positions })
      .from(consumers)
      .innerJoin(
        positions,
        and(eq(positions.tenant, consumers.tenant), eq(positions.consumer, consumers.id)),
      )
      .where(isNamed(tenant, name));
    if (row === undefined) return undefined;
    const { id, types, subjects } = row.row;
    const { sequence, day, generation } = row.position;
    return { tenant, id, filter: { types, subjects }, position: { sequence, day }, generation };
  }

  async function row(tenant: TenantId, name: string): Promise<ConsumerRow | undefined> {
    const [found] = await orm.select().from(consumers).where(isNamed(tenant, name));
    return found;
  }

  /** By name, after one. */
  function list(tenant: TenantId, after: string | undefined, limit: number) {
    const later = after === undefined ? undefined : gt(inOneOrder, after);
    return orm
      .select()
      .from(consumers)
      .where(and(eq(consumers.tenant, tenant), later))
      .orderBy(asc(inOneOrder))
      .limit(limit);
  }

  /** False when there was none. */
  async function remove(tenant: TenantId, name: string): Promise<boolean> {
    return orm.transaction(async (transaction) => {
      const [row] = await transaction
        .delete(consumers)
        .where(isNamed(tenant, name))
        .returning({ id: consumers.id });
      if (row !== undefined) await removePosition(transaction, { tenant, consumer: row.id });
      return row !== undefined;
    });
  }

  /** What was removed in the meantime is left out. */
  async function view(
    tenant: TenantId,
    rows: readonly ConsumerRow[],
    retentionDays: number,
  ): Promise<ConsumerView[]> {
    const ids = rows.map(({ id }) => id);
    const [places, ends] = await Promise.all([
      viewPositions(sql, tenant, ids),
      readHeadroom(sql, tenant, ids, retentionDays),
    ]);
    return rows.flatMap((row) => {
      const position = places.get(row.id);
      const end = ends.get(row.id);
      return position === undefined || end === undefined ? [] : [{ row, position, ...end }];
    });
  }

  /**
   * Records how far a page reached that was read for `consumer` as it is told. False when it stands
   * elsewhere since, matches something else, or is gone: then the page is not to be shown.
   */
  async function handOut(
    { tenant, id, generation }: NamedConsumer,
    through: Sequence,
  ): Promise<boolean> {
    // Both rows are locked before they are looked at: a seek that is under way is waited for, and
    // what it leaves is seen.
    const [row] = await sql<{ current: boolean }[]>`
      with own as materialized (
        select id from consumers where tenant = ${tenant} and id = ${id} for no key update
      ), place as materialized (
        select p.generation from own
        join positions p on p.tenant = ${tenant} and p.consumer = own.id for share of p
      ), told as (
        update consumers c set handed_out = ${through} from place
        where c.tenant = ${tenant} and c.id = ${id} and place.generation = ${generation}
          and c.handed_out < ${through}
      )
      select generation = ${generation} as current from place`;
    return row?.current === true;
  }

  /** Of several at once the furthest counts, whatever their order is. */
  async function ack({ tenant, id }: NamedConsumer, to: Position): Promise<Acked> {
    const [row] = await sql<{ handedOut: Sequence; before: Sequence }[]>`
      with own as materialized (
        select id, handed_out from consumers where tenant = ${tenant} and id = ${id} for share
      ), place as materialized (
        select own.handed_out, p.sequence from own
        join positions p on p.tenant = ${tenant} and p.consumer = own.id for update of p
      ), moved as (
        update positions p set sequence = ${to.sequence}, day = ${to.day} from place
        where p.tenant = ${tenant} and p.consumer = ${id} and p.sequence < ${to.sequence}
          and place.handed_out >= ${to.sequence}
      )
      select handed_out as "handedOut", sequence as before from place`;
    if (row === undefined) return { kind: "gone" };
    const { handedOut, before } = row;
    if (to.sequence <= before) return { kind: "acked", position: before };
    if (to.sequence > handedOut) return { kind: "ahead", handedOut };
    return { kind: "acked", position: to.sequence };
  }

  /**
   * Puts a consumer elsewhere in the log. What was handed out before counts no longer: an older
   * acknowledgement that arrives late must not carry it away again. Undefined when there is none.
   */
  async function seek(
    { tenant, id }: NamedConsumer,
    to: Position,
  ): Promise<ConsumerRow | undefined> {
    return orm.transaction(async (transaction) => {
      const [row] = await transaction
        .update(consumers)
        .set({ handedOut: to.sequence, updatedAt: template`now()` })
        .where(and(eq(consumers.tenant, tenant), eq(consumers.id, id)))
        .returning();
      if (row !== undefined) await placePosition(transaction, { tenant, consumer: id, to });
      return row;
    });
  }

  /** Of a tenant that is locked. */
  async function countOf(transaction: Pick<Orm, "select">, tenant: TenantId): Promise<number> {
    const [row] = await transaction
      .select({ consumers: count() })
      .from(consumers)
      .where(eq(consumers.tenant, tenant));
    return row?.consumers ?? 0;
  }
}

export type NewConsumer = Filter & {
  readonly tenant: TenantId;
  /** The uuid that it is to have. */
  readonly id: string;
  readonly name: string;
  readonly shard: number;
  readonly start: Position | "latest";
};

export function unknownConsumer(name: string): Problem {
  return new Problem("not-found", `there is no consumer "${name}"`);
}

/** The same on every database, whatever its locale; names are of ASCII. */
const inOneOrder = template<string>`${consumers.name} collate "C"`;

function isNamed(tenant: TenantId, name: string) {
  return and(eq(consumers.tenant, tenant), eq(consumers.name, name));
}

function toColumns<Given extends Filter>({ types, subjects, ...rest }: Given) {
  return { ...rest, types: types && [...types], subjects: subjects && [...subjects] };
}

export type Headroom = Pick<ConsumerView, "lost" | "headroomSeconds">;

/**
 * Retention takes whole days: the one on which the first event lies that is not acknowledged is gone
 * when it is older than `retentionDays`.
 */
export async function readHeadroom(
  sql: Sql,
  tenant: TenantId,
  ids: readonly string[],
  retentionDays: number,
): Promise<Map<string, Headroom>> {
  const rows = await sql<({ consumer: string } & Headroom)[]>`
    with log as (
      select day, first_sequence as first,
        lead(first_sequence, 1, (select head + 1 from heads where tenant = ${tenant}))
          over (order by day) - 1 as last
      from log_days
      where tenant = ${tenant} and day >= (select oldest_day from log_settings)
    ), start as (
      select coalesce((select min(first) from log) - 1, head) as floor, head
      from heads where tenant = ${tenant}
    )
    select p.consumer, greatest(start.floor - p.sequence, 0) as lost,
      case when p.sequence < start.floor then 0
        when p.sequence < start.head then greatest(0, extract(epoch from
          (next.day + ${retentionDays}::int + 1)::timestamp at time zone 'UTC' - clock_timestamp()))
      end::float8 as "headroomSeconds"
    from positions p cross join start left join lateral (
      select day from log where last > p.sequence order by day limit 1
    ) as next on true
    where p.tenant = ${tenant} and p.consumer = any(${arrayText(ids)}::uuid[])`;
  return new Map(
    rows.map(({ consumer, lost, headroomSeconds: seconds }) => [
      consumer,
      { lost, headroomSeconds: seconds === null ? null : Math.floor(seconds) },
    ]),
  );
}
