/**
 * What consumers say of events, apart from what their receivers answered: processed, or failed. A
 * consumer that got an event by polling, or that answers a push before it has done its work, says so
 * here, and what it has processed is not pushed to it.
 *
 * A receipt counts from its answer on. Pushes that are under way end as they may: what becomes of
 * them is recorded as an attempt and changes nothing any more. All of it can be sent again, and
 * should be after an error; what was done then stays done.
 *
 * Through a cursor it costs one row, however much is settled by it, and one more for each event
 * that was tried and is not delivered. These go in steps of their own, after the position: they are
 * not tried any more from the first step on, whatever becomes of the others.
 */
import { and, eq } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { endpoints, tenants } from "../db/schema.ts";
import type { ReceiptFrame } from "../fanout/fanout.ts";
import { parseEventId, tenantPrefix, type Position, type Sequence } from "../log/event.ts";
import type { TenantId } from "../log/event.ts";
import { compileFilter, type Filter } from "../log/filter.ts";
import { createLastMatched } from "../log/last-matched.ts";
import { endpointName } from "./endpoint.ts";
import { deliveriesLost, isOperational, lostDelivery, namedMax, type Notice } from "./notice.ts";
import {
  createReceiptLedger,
  type EventOutcome,
  type NamedEvent,
  type Standing,
} from "./receipt-ledger.ts";
import { retryDelayMs } from "./retry-delay.ts";

/** Whose receipts they are. */
export type Receiver = {
  readonly tenant: TenantId;
  readonly tenantName: string;
  readonly erasing: boolean;
  readonly shard: number;
  /** The endpoint's uuid. */
  readonly endpoint: string;
  readonly url: string;
  readonly filter: Filter;
  readonly ordering: "parallel" | "fifo" | "subject";
  readonly scheduleMs: readonly number[];
};

export type Word = { readonly status: "processed" | "failed"; readonly detail: string | null };

export type ToldEvent = { readonly event: string; readonly outcome: EventOutcome | "unknown" };

export type ToldThrough = {
  readonly position: Sequence;
  /** Events that the position was moved over. */
  readonly passed: number;
  /** Deliveries that were tried and not delivered. */
  readonly settled: number;
};

export type Receipts = ReturnType<typeof createReceipts>;

/** A frame with more of them would be larger than what it saves. */
const toldSequencesMax = 1_000;

/** Looked at to move a position over what receipts have settled, beside those that they name. */
const foldedEvents = 1_000;

/** The endpoint's settings change that often only in tests. */
const moveTriesMax = 10;

export function createReceipts(options: {
  database: Database;
  defaultScheduleMs: readonly number[];
  /** Called after the commit. */
  announce: (receipt: ReceiptFrame) => void;
  /** Tells the tenant of what was given up for its receipts. */
  notify: (tenant: TenantId, notice: Notice) => void;
}) {
  const { database, defaultScheduleMs, announce, notify } = options;
  const ledger = createReceiptLedger(database.sql);
  const lastMatched = createLastMatched(database.sql);

  return { receiver, ofEvents, through };

  /** Undefined when there is none, or it is another tenant's than `tenant`, where one is given. */
  async function receiver(uuid: string, tenant?: TenantId): Promise<Receiver | undefined> {
    const owned = tenant === undefined ? undefined : eq(endpoints.tenant, tenant);
    const [row] = await database.orm
      .select({ endpoint: endpoints, tenant: tenants })
      .from(endpoints)
      .innerJoin(tenants, eq(tenants.id, endpoints.tenant))
      .where(and(eq(endpoints.id, uuid), owned));
    if (row === undefined) return undefined;
    const { types, subjects, ordering, retryScheduleMs } = row.endpoint;
    return {
      tenant: row.tenant.id as TenantId,
      tenantName: row.tenant.name,
      erasing: row.tenant.erasingSince !== null,
      shard: row.tenant.shard,
      endpoint: uuid,
      url: row.endpoint.url,
      filter: { types, subjects },
      ordering,
      scheduleMs: retryScheduleMs ?? defaultScheduleMs,
    };
  }

  /** In the order of the ids. Undefined when the endpoint is gone. */
  async function ofEvents(
    of: Receiver,
    ids: readonly string[],
    { status, detail }: Word,
  ): Promise<ToldEvent[] | undefined> {
    const { tenant, filter, ordering, scheduleMs } = of;
    const events = [...(await ledger.named(tenant, ownIds(tenant, ids))).values()];
    const compiled = compileFilter(filter);
    const failed = status === "failed";
    const consumer = consumerOf(of);
    const told = await ledger.record(consumer, {
      ...{ status, detail },
      events: events.map((event) => ({ ...event, matches: compiled.matches(event) })),
      keepsOrder: ordering !== "parallel",
      delaysMs: failed ? events.map(() => delaysOf(scheduleMs)) : [],
    });
    if (told.length === 0 && (await ledger.standing(consumer)) === undefined) return undefined;
    const touched = told.filter((each) => each.touched).map(({ sequence }) => sequence);
    const version = told[0]?.receipts ?? null;
    if (version !== null) {
      const sequences = touched.length > toldSequencesMax ? null : touched;
      tell(of, { version, through: 0, moved: null, sequences, failed });
      await ledger.fold(consumer, compiled, foldedEvents + touched.length);
    }
    const outcomes = new Map(told.map(({ sequence, outcome }) => [sequence, outcome]));
    await notifyOfDead(
      of,
      events.filter(({ sequence }) => outcomes.get(sequence) === "dead"),
    );
    const byId = new Map(events.map(({ id, sequence }) => [id, outcomes.get(sequence)]));
    return ids.map((event) => ({ event, outcome: byId.get(event) ?? "unknown" }));
  }

  /** Of all up to an event of the tenant's log. Undefined when the endpoint is gone. */
  async function through(
    of: Receiver,
    to: Position,
    detail: string | null,
  ): Promise<ToldThrough | undefined> {
    const consumer = consumerOf(of);
    let known: Receiver | undefined = of;
    for (let tries = 0; tries < moveTriesMax && known !== undefined; tries += 1) {
      const at = await ledger.standing(consumer);
      if (at === undefined) return undefined;
      const { generation } = at;
      const matched = await matchedThrough(known, at, to);
      const moved = await ledger.moveThrough(consumer, { generation, to, matched, detail });
      if (moved === undefined) return undefined;
      if (moved.generation === generation) {
        const { was, isNow, receipts: version } = moved;
        const { sequence, day } = to;
        if (version !== null) {
          const place = isNow > was ? { day, matched } : null;
          tell(of, { version, through: sequence, moved: place, sequences: [], failed: false });
        }
        // One that is sent again mends what the first time may have left.
        const confirmed = version === null ? 0 : at.confirmed;
        const settled = await ledger.sweep(consumer, { to: sequence, confirmed, detail });
        return { position: isNow, passed: isNow - was, settled };
      }
      // Its filter may be another one now.
      known = await receiver(of.endpoint, of.tenant);
    }
    if (known === undefined) return undefined;
    throw new Error(`endpoint ${of.endpoint} was changed whenever a receipt came`);
  }

  /** Not of our own events, like those that lanes give up (push/notices.ts). */
  async function notifyOfDead(of: Receiver, dead: readonly NamedEvent[]): Promise<void> {
    const { tenant, endpoint: id, url } = of;
    const events = new Map(
      dead.filter(({ type }) => !isOperational(type)).map((event) => [event.sequence, event]),
    );
    if (events.size === 0) return;
    const noticed = { tenant, id, name: endpointName(id), url };
    const some = [...events.values()].slice(0, namedMax);
    const records = await ledger.dead(consumerOf(of), some);
    const deliveries = records.map((record) =>
      lostDelivery(noticed, record, events.get(record.sequence) ?? null),
    );
    const at = Date.now();
    const lost = { count: events.size, since: at, until: at, deliveries };
    notify(tenant, deliveriesLost(noticed, { kind: "dead_lettered", ...lost }));
  }

  /** The last event up to there that was for the endpoint: what the next push names. */
  async function matchedThrough(
    { tenant, filter, ordering }: Receiver,
    at: Standing,
    to: Position,
  ): Promise<Sequence> {
    if (to.sequence > at.sequence) {
      const found = await lastMatched(tenant, to, filter, at.sequence);
      return found === at.sequence ? at.lastMatched : found;
    }
    // Only subjects that it is behind with are moved.
    return ordering === "subject" ? lastMatched(tenant, to, filter) : 0;
  }

  function tell(
    { tenant, shard, endpoint }: Receiver,
    receipt: Pick<ReceiptFrame, "version" | "through" | "moved" | "sequences" | "failed">,
  ): void {
    announce({ kind: "receipt", tenant, shard, endpoint, ...receipt });
  }
}

/** Where each of these events would be, if the tenant has it. */
function ownIds(tenant: TenantId, ids: readonly string[]): Map<string, Position> {
  const own = new Map<string, Position>();
  for (const id of ids) {
    const name = parseEventId(id);
    if (name?.tenantPrefix === tenantPrefix(tenant)) own.set(id, name.position);
  }
  return own;
}

/** After the first attempt, the second and so on. */
function delaysOf(scheduleMs: readonly number[]): number[] {
  return scheduleMs.map((_, index) => retryDelayMs(scheduleMs, index + 1, Math.random()) ?? 0);
}

function consumerOf({ tenant, endpoint }: Receiver) {
  return { tenant, consumer: endpoint };
}
