/**
 * Records of deliveries, for people: what became of each, and what happened in each attempt. They
 * are kept as long as their events. An event that an endpoint has not come to yet is no delivery
 * of its; nor is what was never for it.
 *
 * Lists go down the tenant's log, the newest event first, and of one event from the endpoint that
 * was made last to the first. A delivery has its place in that order for good, so a reader who goes
 * from page to page meets each of those once that were there when it began. Those that are recorded
 * meanwhile of older events are met if they lie below.
 *
 * Of one event the endpoints are gone down to as well, so that a page costs what it shows and not
 * what there are.
 *
 * The time of a delivery is here its event's append: like the order it never changes, and a range
 * of time is a range of sequences, so that nothing outside it is read.
 */
import type { Sql } from "../db/database.ts";
import { readListCursor, writeListCursor } from "../http/list-cursor.ts";
import type { Day, Sequence, TenantId } from "../log/event.ts";
import { compileFilter } from "../log/filter.ts";
import type { Log } from "../log/log.ts";
import { readAttempts, type AttemptRow } from "./attempts.ts";
import type { DeliveryName } from "./delivery-id.ts";
import {
  createOutcomeReader,
  highestEndpoint,
  lowestEndpoint,
  placeBelow,
  type Delivery,
  type Found,
  type Place,
  type Reach,
  type RecordedStatus,
  type Source,
} from "./outcomes.ts";

export const deliveryStatuses = [
  ...["delivered", "retrying", "dead", "awaiting_receipt", "settled", "expired", "skipped"],
] as const;

export type DeliveryStatus = RecordedStatus;

export type DeliveryFilter = {
  readonly status?: DeliveryStatus | undefined;
  /** The uuid. */
  readonly endpoint?: string | undefined;
  readonly event?: Sequence | undefined;
  /** A type, or `order.*`. */
  readonly type?: string | undefined;
  /** Append times in milliseconds since 1970: from `since` on, and before `until`. */
  readonly since?: number | undefined;
  readonly until?: number | undefined;
};

export type DeliveryPage = {
  readonly deliveries: readonly Delivery[];
  /** Moved past all that was scanned. */
  readonly cursor: string | null;
  readonly hasMore: boolean;
};

export type DeliveryRange = {
  readonly limit: number;
  readonly cursor?: string | undefined;
  /** Of one event no endpoint below this uuid is wanted. */
  readonly downTo?: string | undefined;
};

/** What is walked through for a page. */
type Way = Pick<Reach, "tenant" | "source" | "lowest"> & {
  /** Deliveries in the first step. */
  readonly perStep: number;
  /** All unless given. */
  readonly endpoint: string | undefined;
  /** Alone, where the way goes down its endpoints, and how far. */
  readonly event: Sequence | undefined;
  readonly downTo: string;
};

type Step = Pick<Found, "deliveries" | "scanned"> & { readonly next: Place };

export type History = ReturnType<typeof createHistory>;

/**
 * One request's share of the database: steps, of which a day takes one where little was recorded
 * and none is more than two statements, and deliveries that were looked at. A page that would need
 * more comes short.
 */
const stepsMax = 60;
const scannedMax = 10_000;

/**
 * Looked at in one step where not all that it brings is wanted: little, since much of it may be,
 * and then more and more.
 */
const filteredStepMin = 250;
const stepGrowth = 2;
const stepMax = 2_000;

/** Beyond every log, and one more is still an integer. */
const sequenceMax = Number.MAX_SAFE_INTEGER - 1;

const cursorForm = /^[1-9]\d{0,15}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function createHistory({ sql, log }: { sql: Sql; log: Pick<Log, "positionBefore"> }) {
  const outcomes = createOutcomeReader(sql);
  return { page, find, attempts, endpoint: outcomes.endpoint };

  async function page(
    tenant: TenantId,
    filter: DeliveryFilter,
    range: DeliveryRange,
  ): Promise<DeliveryPage> {
    const { limit, cursor, downTo = lowestEndpoint } = range;
    const source = sourceOf(filter.status);
    const { lowest, highest } = await rangeOf(tenant, filter);
    const shown: Delivery[] = [];
    let place = startOf(cursor, highest);
    if (lowest > highest) return endedBy(shown.at(-1), false);

    const isFiltered = filter.status !== undefined || filter.type !== undefined;
    const perStep = isFiltered ? Math.max(limit + 1, filteredStepMin) : limit + 1;
    const matches = createMatch(filter);
    const { endpoint, event } = filter;
    const way = { tenant, source, endpoint, event, downTo, lowest, perStep };
    let steps = 0;
    let scanned = 0;
    for await (const step of walk(way, place)) {
      for (const delivery of step.deliveries.filter(matches)) {
        if (shown.length === limit) return endedBy(shown.at(-1), true);
        shown.push(delivery);
      }
      place = step.next;
      steps += 1;
      scanned += step.scanned;
      if (steps >= stepsMax || scanned >= scannedMax) return endedBy(place, true);
    }
    return endedBy(shown.at(-1), false);

    function endedBy(end: Place | undefined, hasMore: boolean): DeliveryPage {
      const at = end === undefined ? (cursor ?? null) : writeCursor(end);
      return { deliveries: shown, cursor: at, hasMore };
    }
  }

  /** All that lies below a place, day by day. Each step says where the next one goes on. */
  async function* walk(way: Way, from: Place): AsyncGenerator<Step> {
    const { tenant, source, endpoint, event, lowest, perStep } = way;
    let place = from;
    let limit = perStep;
    const top = Math.min(place.sequence, event ?? place.sequence);
    for (const { day, first } of await outcomes.days(tenant, top, stepsMax)) {
      if (event !== undefined && endpoint === undefined)
        return yield* walkEvent(way, { sequence: event, day }, from);
      const endpoints =
        endpoint === undefined ? await outcomes.endpointsOn(tenant, day, source) : [endpoint];
      const reach = { tenant, source, day, endpoints, lowest: Math.max(first, lowest) };
      let next: Place | undefined = place;
      place = placeBelow(first);
      while (next !== undefined) {
        const { deliveries, scanned, end } = await outcomes.scan({ ...reach, after: next, limit });
        limit = Math.min(limit * stepGrowth, Math.max(perStep, stepMax));
        next = end;
        yield { deliveries, scanned, next: next ?? place };
      }
      if (first <= lowest) return;
    }
  }

  /** Down the endpoints that have come to anything on the day of an event. */
  async function* walkEvent(
    { tenant, source, downTo, perStep }: Way,
    { sequence, day }: { sequence: Sequence; day: Day },
    from: Place,
  ): AsyncGenerator<Step> {
    if (from.sequence < sequence) return;
    const reach = { tenant, source, day, lowest: sequence };
    let after = from;
    let limit = perStep;
    let isMore = true;
    while (isMore) {
      const below = after.sequence > sequence ? highestEndpoint : after.endpoint;
      const of = { tenant, day, source, sequence };
      const endpoints = await outcomes.endpointsDown(of, { below, downTo, limit });
      const { deliveries } = await outcomes.scan({ ...reach, endpoints, after, limit });
      const last = endpoints.at(-1);
      isMore = last !== undefined && endpoints.length === limit;
      after = isMore && last !== undefined ? { sequence, endpoint: last } : placeBelow(sequence);
      limit = Math.min(limit * stepGrowth, Math.max(perStep, stepMax));
      yield { deliveries, scanned: endpoints.length, next: after };
    }
  }

  async function find(
    tenant: TenantId,
    { endpoint, position: { sequence, day } }: Omit<DeliveryName, "tenantPrefix">,
  ): Promise<Delivery | undefined> {
    const { deliveries } = await outcomes.scan({
      ...{ tenant, day, source: "all", endpoints: [endpoint], limit: 1 },
      ...{ after: placeBelow(sequence + 1), lowest: sequence },
    });
    return deliveries[0];
  }

  /** Oldest first. */
  function attempts({ endpoint, ...of }: Delivery): Promise<AttemptRow[]> {
    return readAttempts(sql, of, { endpoints: [endpoint] });
  }

  /** The sequences that can be meant. */
  async function rangeOf(tenant: TenantId, { event, since, until }: DeliveryFilter) {
    let lowest = event ?? 1;
    let highest = event ?? sequenceMax;
    if (since !== undefined) lowest = Math.max(lowest, (await before(tenant, since)) + 1);
    if (until !== undefined) highest = Math.min(highest, await before(tenant, until));
    return { lowest, highest };
  }

  async function before(tenant: TenantId, at: number): Promise<Sequence> {
    return (await log.positionBefore(tenant, new Date(at))).sequence;
  }
}

function createMatch({ status, type }: DeliveryFilter): (delivery: Delivery) => boolean {
  const types = compileFilter({ types: type === undefined ? null : [type], subjects: null });
  return ({ event, status: recorded }) =>
    (status === undefined || status === recorded) &&
    types.matches({ type: event.type, subject: null });
}

function sourceOf(status: DeliveryStatus | undefined): Source {
  switch (status) {
    case undefined:
    case "delivered":
      return "all";
    case "dead":
      return "dead";
    case "expired":
    case "skipped":
    case "settled":
      return "failed";
    case "retrying":
    case "awaiting_receipt":
      return "retrying";
  }
}

function startOf(cursor: string | undefined, highest: Sequence): Place {
  const top = placeBelow(highest + 1);
  if (cursor === undefined) return top;
  const place = readCursor(cursor);
  return place.sequence > highest ? top : place;
}

/** Continues a list after this delivery. */
export function writeCursor({ sequence, endpoint }: Place): string {
  return writeListCursor(`${sequence}.${endpoint}`);
}

/** Throws for what is no cursor of these lists. */
export function readCursor(cursor: string): Place {
  const key = readListCursor(cursor, cursorForm);
  const dot = key.indexOf(".");
  return { sequence: Number(key.slice(0, dot)), endpoint: key.slice(dot + 1) };
}
