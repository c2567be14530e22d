/**
 * All that is known of one event at the endpoints it concerns: those that have a record of it, and
 * those whose filter matches it as they are now. They come in the order of the event's deliveries,
 * the endpoint first that was made last, so their cursors continue each other.
 *
 * The reads are not of one moment: an outcome that is written meanwhile may show in one of them and
 * not yet in another, and does in all of them when the event is asked for again.
 */
import { arrayText, type Sql } from "../db/database.ts";
import type { LogEvent, Sequence, TenantId } from "../log/event.ts";
import type { Log } from "../log/log.ts";
import { readAttempts, withUntold, type AttemptRow } from "./attempts.ts";
import { createHistory, readCursor, writeCursor } from "./history.ts";
import { highestEndpoint, lowestEndpoint, type Delivery } from "./outcomes.ts";
import type { Circuit, Status } from "./positions.ts";
import { listReceipts, type ListedReceipt } from "./receipt-list.ts";
import { createReplayStore, type Replay } from "./replays.ts";

/** How an endpoint stands now, as far as it matters to one event. Times in milliseconds since 1970. */
export type Standing = {
  readonly url: string;
  readonly createdAt: number;
  readonly status: Status;
  readonly statusReason: string | null;
  /** Everything up to here is settled, owed, or was not for it. */
  readonly position: Sequence;
  readonly inFlight: number;
  readonly circuit: Circuit;
  readonly circuitSince: number | null;
  readonly circuitProbeAt: number | null;
  /** When it was last put elsewhere in the log. */
  readonly resumedAt: number | null;
  /** Where it stands with the event's subject, if it is behind with that. */
  readonly blockedAt: Sequence | null;
  /** Of an endpoint that keeps an order: the first that is tried again and that the event is behind. */
  readonly behind: Sequence | null;
};

/** An endpoint and one event. */
export type Party = {
  /** The uuid. */
  readonly endpoint: string;
  /** Undefined when it was removed. */
  readonly standing: Standing | undefined;
  /** Undefined when nothing is recorded. */
  readonly delivery: Delivery | undefined;
  /** Oldest first: the last ones, where there are many. */
  readonly attempts: readonly AttemptRow[];
  readonly receipt: Omit<ListedReceipt, "endpoint"> | undefined;
  /** Jobs that made one of the attempts, and those that have not come to the event yet. */
  readonly replays: readonly Replay[];
};

export type TimelinePage = {
  readonly parties: readonly Party[];
  /** Endpoints of the tenant whose filter, as it is now, does not match the event. */
  readonly notMatched: number;
  readonly cursor: string | null;
  readonly hasMore: boolean;
};

type Range = { readonly limit: number; readonly cursor?: string | undefined };

type Endpoints = Pick<TimelinePage, "cursor" | "hasMore"> & {
  readonly ids: readonly string[];
  readonly deliveries: readonly Delivery[];
  readonly notMatched: number;
};

/** Of one page, shared by its endpoints. */
const attemptsMax = 10_000;
const attemptsOfEndpointMax = 100;
const replaysMax = 1_000;

export function createTimelineReader({ sql, log }: { sql: Sql; log: Pick<Log, "positionBefore"> }) {
  const history = createHistory({ sql, log });
  const replays = createReplayStore(sql);
  return { page };

  async function page(tenant: TenantId, event: LogEvent, range: Range): Promise<TimelinePage> {
    const { ids, deliveries, notMatched, cursor, hasMore } = await concerned(tenant, event, range);
    const { day, sequence } = event;
    const limit = Math.min(attemptsOfEndpointMax, Math.floor(attemptsMax / range.limit));
    const [standings, attempts, receipts] = await Promise.all([
      readStandings(tenant, event, ids),
      readAttempts(sql, { tenant, day, sequence }, { endpoints: ids, limit, bare: true }),
      listReceipts(sql, { tenant, event, endpoints: ids }, { limit: ids.length }),
    ]);
    const jobs = await replays.around(
      tenant,
      { ids: attempts.flatMap(({ replay }) => replay ?? []), endpoints: ids, sequence },
      replaysMax,
    );
    const deliveryOf = new Map(deliveries.map((each) => [each.endpoint, each]));
    const receiptOf = new Map(receipts.receipts.map((each) => [each.endpoint, each]));
    const attemptsOf = Map.groupBy(attempts, (each) => each.endpoint);
    const jobsOf = Map.groupBy(jobs, (each) => each.endpoint);
    const parties = ids.map((endpoint): Party => {
      const delivery = deliveryOf.get(endpoint);
      const own = attemptsOf.get(endpoint) ?? [];
      return {
        ...{ endpoint, delivery, standing: standings.get(endpoint) },
        attempts: delivery === undefined ? own : withUntold(delivery, own),
        receipt: delivery?.receipt ?? receiptOf.get(endpoint),
        replays: jobsOf.get(endpoint) ?? [],
      };
    });
    return { parties, notMatched, cursor, hasMore };
  }

  /** Which endpoints are on the page. */
  async function concerned(
    tenant: TenantId,
    event: LogEvent,
    { limit, cursor }: Range,
  ): Promise<Endpoints> {
    const { sequence } = event;
    const place = cursor === undefined ? undefined : readCursor(cursor);
    const below = belowIn(place, sequence);
    const matching = await matchingEndpoints(tenant, event, below, limit + 1);
    // Whatever lies below so many is not on this page.
    const downTo = matching.ids[limit];
    const recorded = await history.page(tenant, { event: sequence }, { limit, cursor, downTo });
    // Down to where the records were read, or something between the others might be left out.
    const end = recorded.hasMore && recorded.cursor !== null ? readCursor(recorded.cursor) : null;
    const horizon = end?.sequence === sequence ? end.endpoint : lowestEndpoint;
    const all = new Set([...recorded.deliveries.map(({ endpoint }) => endpoint), ...matching.ids]);
    const inReach = [...all].filter((id) => id >= horizon).toSorted(downwards);
    const ids = inReach.slice(0, limit);
    const last = ids.at(-1) ?? (recorded.hasMore ? horizon : undefined);
    return {
      ...{ ids, deliveries: recorded.deliveries, notMatched: matching.others },
      cursor: last === undefined ? (cursor ?? null) : writeCursor({ sequence, endpoint: last }),
      hasMore: all.size > ids.length || recorded.hasMore,
    };
  }

  /** By their filters as they are now, without those that they were when the event was scanned. */
  async function matchingEndpoints(
    tenant: TenantId,
    { type, subject }: LogEvent,
    below: string,
    limit: number,
  ): Promise<{ ids: string[]; others: number }> {
    const rows = await sql<{ others: number; id: string | null }[]>`
      with own as materialized (
        select id, (types is null or types && ${arrayText(patternsOf(type))}::text[])
          and (subjects is null or coalesce(${subject}::text = any(subjects), false)) as matches
        from endpoints where tenant = ${tenant}
      )
      select total.others, found.id
      from (select count(*) filter (where not matches) as others from own) as total
      left join lateral (
        select id from own where matches and id < ${below}::uuid order by id desc limit ${limit}
      ) as found on true`;
    return { ids: rows.flatMap(({ id }) => id ?? []), others: rows[0]?.others ?? 0 };
  }

  async function readStandings(
    tenant: TenantId,
    { subject, sequence }: LogEvent,
    endpoints: readonly string[],
  ): Promise<Map<string, Standing>> {
    const rows = await sql<(Standing & { endpoint: string })[]>`
      select e.id as endpoint, e.url, p.status, p.status_reason as "statusReason",
        p.sequence as position, p.in_flight as "inFlight", p.circuit,
        (extract(epoch from e.created_at) * 1000)::bigint as "createdAt",
        (extract(epoch from p.circuit_since) * 1000)::bigint as "circuitSince",
        (extract(epoch from p.circuit_probe_at) * 1000)::bigint as "circuitProbeAt",
        (extract(epoch from p.resumed_at) * 1000)::bigint as "resumedAt",
        b.sequence as "blockedAt",
        case when e.ordering = 'fifo' or b.sequence is not null then (
          select r.sequence from retries r
          where r.tenant = e.tenant and r.endpoint = e.id and r.sequence < ${sequence}
            and r.sequence > coalesce(b.sequence, 0) and not r.requeued
            and (e.ordering = 'fifo' or (
              select subject from events
              where tenant = r.tenant and day = r.day and sequence = r.sequence limit 1
            ) = ${subject})
          order by r.sequence limit 1
        ) end as behind
      from endpoints e join positions p on p.tenant = e.tenant and p.consumer = e.id
      left join blocked_subjects b
        on b.tenant = e.tenant and b.endpoint = e.id and b.key = md5(${subject}::text)::uuid
      where e.tenant = ${tenant} and e.id = any(${arrayText(endpoints)}::uuid[])`;
    return new Map(rows.map(({ endpoint, ...standing }) => [endpoint, standing]));
  }
}

/** What a filter may name that matches a type: `a.b.c` is named by itself, `a.*` and `a.b.*`. */
function patternsOf(type: string): string[] {
  const words = type.split(".");
  const above = words.slice(1).map((_, index) => `${words.slice(0, index + 1).join(".")}.*`);
  return [type, ...above];
}

/** The endpoint that all others on the page come after. */
function belowIn(
  place: { sequence: Sequence; endpoint: string } | undefined,
  sequence: Sequence,
): string {
  if (place === undefined || place.sequence > sequence) return highestEndpoint;
  return place.sequence < sequence ? lowestEndpoint : place.endpoint;
}

/** As the database sorts uuids: by their digits. */
function downwards(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? 1 : -1;
}
