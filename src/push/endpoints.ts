/** What a lane needs to know of its endpoint, read from the database when the lane opens. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { and, eq, sql as template } from "drizzle-orm";
import { arrayText, type Database } from "../db/database.ts";
import { positions } from "../db/delivery-schema.ts";
import { endpoints, tenants } from "../db/schema.ts";
import { endpointName, openHeaders, openSecrets } from "../deliveries/endpoint.ts";
import type { BlockedSubject } from "../deliveries/ledger.ts";
import type { KeyRing } from "../keyring.ts";
import type { Position, Sequence, TenantId } from "../log/event.ts";
import { compileFilter, type CompiledFilter, type Filter } from "../log/filter.ts";
import type { Logger } from "../telemetry/logger.ts";
import { closedCircuit, type Circuit } from "./circuit.ts";
import type { Standing } from "./pace.ts";
import { nothingAbove, readRecorded, type RecordedPart } from "./recorded.ts";
import { createSigners, type Sign, type SignHeaders } from "./signature.ts";

export type Endpoint = {
  readonly tenant: TenantId;
  readonly tenantName: string;
  /** Attempts that its tenant may make; null is no limit. */
  readonly pushesPerSecond: number | null;
  /** The uuid. */
  readonly id: string;
  /** The id as callers know it. */
  readonly name: string;
  readonly shard: number;
  readonly generation: number;
  /** How many receipts have changed what it is to be sent. */
  readonly receipts: number;
  readonly url: string;
  readonly filter: CompiledFilter;
  /** The same, as it was given. */
  readonly wanted: Filter;
  /** The endpoint's own request headers. */
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string;
  readonly sign: Sign;
  readonly signHeaders: SignHeaders;
  readonly timeoutMs: number;
  readonly maxInFlight: number;
  readonly scheduleMs: readonly number[];
  /** Attempts; null is no limit. */
  readonly ratePerSecond: number | null;
  readonly ordering: "parallel" | "fifo" | "subject";
  /** From the first attempt on; null never gives up before the schedule ends. */
  readonly giveUpAfterMs: number | null;
  readonly drainDeadLetters: boolean;
  /** Whether what it accepts waits for a receipt, and how long. */
  readonly requireReceipt: boolean;
  readonly receiptTimeoutMs: number;
  /** By what it did when it was last tried. */
  readonly standing: Standing;
  /** Since when nothing but failures has come, milliseconds since 1970. */
  readonly failingSince: number | undefined;
  readonly circuit: Circuit;
  readonly position: Position;
  readonly lastMatched: Sequence;
  /** The first events above the position whose outcome is recorded. */
  readonly recorded: RecordedPart;
  /** Subjects that it is behind with. */
  readonly blocked: readonly BlockedSubject[];
  /** When its earliest retry is due, milliseconds since 1970. */
  readonly nextRetryAt: number | undefined;
};

/** What of an endpoint its requests depend on. */
export type Recipient = Pick<
  Endpoint,
  "tenant" | "name" | "headers" | "contentType" | "sign" | "signHeaders"
>;

/** What of a tenant is driven may differ from, when nobody told of a change. */
export type InForce = {
  readonly pushesPerSecond: number | null;
  /** Of its active endpoints. */
  readonly generations: Driven;
  /** Of the same, how many receipts have changed what they are to be sent. */
  readonly receipts: ReadonlyMap<string, number>;
  /** Endpoints with replay jobs that are running. */
  readonly replaying: ReadonlySet<string>;
};

/** Generations by endpoint. */
export type Driven = ReadonlyMap<string, number>;

export type Loaded = InForce & { readonly endpoints: readonly Endpoint[] };

/** Read out of their rows in one turn of the event loop. */
const turnMaxEndpoints = 50;

type BlockedRow = { endpoint: string; subject: string } & BlockedSubject["settled"];

type InForceRow = {
  tenant: TenantId;
  pushes_per_second: number | null;
  consumer: string;
  generation: number;
  receipts: number;
};

export type EndpointLoader = ReturnType<typeof createEndpointLoader>;

export function createEndpointLoader(options: {
  database: Database;
  ring: KeyRing;
  defaultScheduleMs: readonly number[];
  log: Logger;
}) {
  const { database, ring, defaultScheduleMs, log } = options;

  return { load, inForce, tenantsWithWork };

  /**
   * What there is of a tenant, and its active endpoints that are not driven under their generation
   * yet: one change among thousands must not cost them all. Undefined when there are none. `known` is
   * what `inForce` has just told of it.
   */
  async function load(
    tenant: TenantId,
    driven: Driven,
    known?: InForce,
  ): Promise<Loaded | undefined> {
    const found = known ?? (await inForce([tenant])).get(tenant);
    if (found === undefined) return undefined;
    const ids = [...found.generations.keys()].filter(
      (id) => driven.get(id) !== found.generations.get(id),
    );
    return { ...found, endpoints: ids.length === 0 ? [] : await read(tenant, ids) };
  }

  async function read(tenant: TenantId, ids: readonly string[]): Promise<Endpoint[]> {
    const wanted = template`${endpoints.id} = any(${arrayText(ids)}::uuid[])`;
    const rows = await database.orm
      .select({
        endpoint: endpoints,
        position: positions,
        tenantName: tenants.name,
        pushesPerSecond: tenants.pushesPerSecond,
        nextRetryAt: template<number | null>`(
          select (extract(epoch from min(due_at)) * 1000)::bigint from retries r
          where r.tenant = ${positions.tenant} and r.endpoint = ${positions.consumer})`,
      })
      .from(endpoints)
      .innerJoin(
        positions,
        and(eq(positions.tenant, endpoints.tenant), eq(positions.consumer, endpoints.id)),
      )
      .innerJoin(tenants, eq(tenants.id, endpoints.tenant))
      .where(and(eq(endpoints.tenant, tenant), wanted, eq(positions.status, "active")));
    const places = rows.map(({ position }) => position);
    const [recorded, blocked] = await Promise.all([
      readRecorded(database.sql, tenant, places),
      blockedSubjects(tenant, ids),
    ]);
    const found: Endpoint[] = [];
    for (const [index, row] of rows.entries()) {
      const { id } = row.endpoint;
      // Opening a secret takes a while, and there may be thousands.
      if (index % turnMaxEndpoints === turnMaxEndpoints - 1) await nextTurn();
      try {
        found.push(toEndpoint(row, recorded.get(id), blocked.get(id) ?? []));
      } catch (error) {
        // Its secrets are sealed under a key that is gone, say. The others must not wait for it.
        const endpoint = endpointName(id);
        log.error({ tenant: row.tenantName, endpoint, err: error }, "endpoint cannot be driven");
      }
    }
    return found;
  }

  /** What there is to compare with: of those of these tenants that have an active endpoint. */
  async function inForce(tenants: readonly TenantId[]): Promise<Map<TenantId, InForce>> {
    const [rows, replaying] = await Promise.all([readInForce(tenants), readReplaying(tenants)]);
    const byTenant = Map.groupBy(rows, ({ tenant }) => tenant);
    return new Map(Array.from(byTenant, ([tenant, some]) => [tenant, toInForce(some, replaying)]));
  }

  function readInForce(tenants: readonly TenantId[]) {
    return database.sql<InForceRow[]>`
      select p.tenant, t.pushes_per_second, p.consumer, p.generation, p.receipts from positions p
      join endpoints e on e.tenant = p.tenant and e.id = p.consumer
      join tenants t on t.id = p.tenant
      where p.tenant = any(${arrayText(tenants)}::uuid[]) and p.status = 'active'`;
  }

  /** Of all of these tenants: an endpoint's uuid is its alone. */
  async function readReplaying(tenants: readonly TenantId[]): Promise<ReadonlySet<string>> {
    const rows = await database.sql<{ endpoint: string }[]>`
      select distinct endpoint from replays
      where tenant = any(${arrayText(tenants)}::uuid[]) and status = 'running'`;
    return new Set(rows.map(({ endpoint }) => endpoint));
  }

  /**
   * Those of the shards' tenants that have an endpoint with something to send. Each kind of it is a
   * branch of its own, so that whichever table the planner takes for empty is read once: under one
   * `or` it was read again for each endpoint that has nothing to do, and 5,000 retries that came
   * since the plan was made held the statement, among 100,000 endpoints, to its time-out.
   */
  async function tenantsWithWork(shards: readonly number[]) {
    const some = arrayText(shards);
    return database.sql<{ tenant: TenantId; shard: number }[]>`
      select p.tenant, p.shard from positions p
      join heads h on h.tenant = p.tenant
      where p.shard = any(${some}::smallint[]) and p.status = 'active' and p.sequence < h.head
      union
      select p.tenant, p.shard from positions p
      where p.shard = any(${some}::smallint[]) and p.status = 'active' and exists (
        select from retries r where r.tenant = p.tenant and r.endpoint = p.consumer)
      union
      select p.tenant, p.shard from positions p
      where p.shard = any(${some}::smallint[]) and p.status = 'active' and exists (
        select from blocked_subjects b where b.tenant = p.tenant and b.endpoint = p.consumer)
      union
      select p.tenant, p.shard from positions p
      where p.shard = any(${some}::smallint[]) and p.status = 'active' and exists (
        select from replays r where r.tenant = p.tenant and r.endpoint = p.consumer
          and r.status = 'running')`;
  }

  async function blockedSubjects(
    tenant: TenantId,
    ids: readonly string[],
  ): Promise<Map<string, BlockedSubject[]>> {
    const rows = await database.sql<BlockedRow[]>`
      select endpoint, subject, sequence, day::text, matched from blocked_subjects
      where tenant = ${tenant} and endpoint = any(${arrayText(ids)}::uuid[])`;
    const blocked = new Map<string, BlockedSubject[]>();
    for (const { endpoint, subject, ...settled } of rows) {
      const others = blocked.get(endpoint);
      if (others === undefined) blocked.set(endpoint, [{ subject, settled }]);
      else others.push({ subject, settled });
    }
    return blocked;
  }

  function toEndpoint(
    row: {
      endpoint: typeof endpoints.$inferSelect;
      position: typeof positions.$inferSelect;
      tenantName: string;
      pushesPerSecond: number | null;
      nextRetryAt: number | null;
    },
    recorded: RecordedPart | undefined,
    blocked: readonly BlockedSubject[],
  ): Endpoint {
    const { endpoint, position } = row;
    const wanted = { types: endpoint.types, subjects: endpoint.subjects };
    return {
      ...recipientOf(ring, endpoint),
      tenantName: row.tenantName,
      pushesPerSecond: row.pushesPerSecond,
      id: endpoint.id,
      shard: position.shard,
      generation: position.generation,
      receipts: position.receipts,
      url: endpoint.url,
      filter: compileFilter(wanted),
      wanted,
      timeoutMs: endpoint.timeoutMs,
      maxInFlight: endpoint.maxInFlight,
      scheduleMs: endpoint.retryScheduleMs ?? defaultScheduleMs,
      ratePerSecond: endpoint.ratePerSecond,
      ordering: endpoint.ordering,
      giveUpAfterMs: endpoint.giveUpAfterMs,
      drainDeadLetters: endpoint.drainDeadLetters,
      requireReceipt: endpoint.requireReceipt,
      receiptTimeoutMs: endpoint.receiptTimeoutMs,
      standing: standingOf(position),
      failingSince: position.failingSince?.getTime(),
      circuit: circuitOf(position),
      position: { sequence: position.sequence, day: position.day },
      lastMatched: position.lastMatched,
      recorded: recorded ?? nothingAbove(position.sequence),
      blocked,
      nextRetryAt: row.nextRetryAt === null ? undefined : Number(row.nextRetryAt),
    };
  }
}

type PositionRow = typeof positions.$inferSelect;

function toInForce(rows: readonly InForceRow[], replaying: ReadonlySet<string>): InForce {
  return {
    replaying,
    pushesPerSecond: rows[0]?.pushes_per_second ?? null,
    generations: new Map(rows.map(({ consumer, generation }) => [consumer, generation])),
    receipts: new Map(rows.map(({ consumer, receipts }) => [consumer, receipts])),
  };
}

function standingOf({ lastSuccessAt, lastFailureAt }: PositionRow): Standing {
  if (lastFailureAt === null) return lastSuccessAt === null ? "new" : "proven";
  return lastSuccessAt !== null && lastFailureAt < lastSuccessAt ? "proven" : "slow";
}

/** A probe that was under way when somebody stopped is made again. */
function circuitOf(row: PositionRow): Circuit {
  if (row.circuit === "closed" || row.circuitSince === null) return closedCircuit;
  const since = row.circuitSince.getTime();
  const outageSince = row.outageSince?.getTime() ?? since;
  const probeAt = row.circuitProbeAt?.getTime() ?? Date.now();
  return { kind: "open", since, outageSince, probes: row.circuitProbes, probeAt };
}

/** The media type of pushes. */
export function contentTypeOf(format: (typeof endpoints.$inferSelect)["format"]): string {
  return format === "cloudevents" ? "application/cloudevents+json" : "application/json";
}

/** Throws when what is sealed cannot be opened. */
export function recipientOf(ring: KeyRing, endpoint: typeof endpoints.$inferSelect): Recipient {
  const { tenant, id, format } = endpoint;
  return {
    tenant: tenant as TenantId,
    name: endpointName(id),
    headers: openHeaders(ring, id, endpoint.headers),
    contentType: contentTypeOf(format),
    ...createSigners(openSecrets(ring, id, endpoint.secrets)),
  };
}
