/**
 * What lanes have to tell their tenants: that a circuit has opened or closed, that an endpoint was
 * disabled, that deliveries were given up. It is told once it is written.
 *
 * A notice is an event, and goes to whoever asks for all events: also to the endpoint that it is
 * about. That this never leads to another notice, and so to one without end, rests on three rules:
 *
 * 1. Nothing is told of what becomes of our own events. (Of those that retention took it is not known
 *    what they were; but each has taken as long as events are kept.)
 * 2. An opened circuit is told of only if there was an attempt of another event since this endpoint's
 *    was last told, and a closed one only if its opening was. Probes that failed are no attempts, and
 *    neither are replays: so there are at most as many notices as attempts of the producers' events,
 *    which end with their schedules.
 * 3. Whatever the reason, a tenant gets only so many a minute (deliveries/notices.ts).
 *
 * Deliveries that are given up are gathered, so that a million of them are some events a minute.
 */
import { LRUCache } from "lru-cache";
import type { DeliveryRecord, Fence } from "../deliveries/ledger.ts";
import {
  circuitClosed,
  circuitOpened,
  deliveriesLost,
  endpointDisabled,
  isOperational,
  lostDelivery,
  namedMax,
  type LostDeliveries,
  type LostDelivery,
  type Notice,
} from "../deliveries/notice.ts";
import { eventId, type LogEvent, type TenantId } from "../log/event.ts";
import type { Next } from "./delivery.ts";
import type { Endpoint } from "./endpoints.ts";

type Noticed = Pick<Endpoint, "tenant" | "id" | "name" | "url">;

type OutageTimes = { readonly since: number; readonly outageSince: number };

/** What it takes of a report. */
type Attempted = {
  readonly delivery: Pick<Next, "event" | "source"> & {
    readonly lane: { readonly endpoint: Pick<Endpoint, "id"> };
  };
  readonly outcome: string;
};

export type LaneNotices = {
  /** An observer of attempts, see report.ts. */
  observe(report: Attempted): void;
  /** Times in milliseconds since 1970. */
  opened(endpoint: Noticed, outage: OutageTimes, lastError: string | null): void;
  closed(endpoint: Noticed, outage: OutageTimes): void;
  disabled(endpoint: Noticed, fence: Pick<Fence, "generation">, reason: string): void;
  /** An outcome was written. `event` is undefined when the log has it no more. */
  written(endpoint: Noticed, record: DeliveryRecord, event: LogEvent | undefined): void;
  /** Tells what it has gathered. */
  stop(): void;
};

/** What was given up first is told after so long, and what follows at most so often. */
const gatherMs = 1_000;
const restMs = 10_000;

/** Of all endpoints together: about 5 MB. */
const namedTotalMax = 20_000;

/** Endpoints remembered; one that is forgotten may be told of once more. */
const rememberedMax = 100_000;

type Gathered = {
  readonly endpoint: Noticed;
  readonly kind: LostDeliveries["kind"];
  count: number;
  since: number;
  until: number;
  deliveries: LostDelivery[];
  timer: NodeJS.Timeout;
};

export function createLaneNotices(tell: (tenant: TenantId, notice: Notice) => void): LaneNotices {
  /** Told of, and only our own events were attempted since. */
  const quiet = new LRUCache<string, true>({ max: rememberedMax });
  /** Outages that were not told of, by when their circuits opened. */
  const untold = new LRUCache<string, number>({ max: rememberedMax });
  const gathered = new Map<string, Gathered>();
  let named = 0;
  let stopped = false;

  return { observe, opened, closed, disabled, written, stop };

  function observe({ delivery, outcome }: Attempted): void {
    if (quiet.size === 0) return;
    if (outcome === "probe failed" || delivery.source === "replay") return;
    if (!isOperational(delivery.event.type)) quiet.delete(delivery.lane.endpoint.id);
  }

  function opened(endpoint: Noticed, outage: OutageTimes, lastError: string | null): void {
    const { id, tenant } = endpoint;
    if (quiet.has(id)) {
      untold.set(id, outage.since);
      return;
    }
    quiet.set(id, true);
    tell(tenant, circuitOpened(endpoint, outage, lastError));
  }

  function closed(endpoint: Noticed, outage: OutageTimes): void {
    if (untold.get(endpoint.id) === outage.since) untold.delete(endpoint.id);
    else tell(endpoint.tenant, circuitClosed(endpoint, outage, Date.now()));
  }

  function disabled(
    endpoint: Noticed,
    { generation }: Pick<Fence, "generation">,
    reason: string,
  ): void {
    const how = { generation, reason, at: Date.now() };
    tell(endpoint.tenant, endpointDisabled(endpoint, how));
  }

  function written(endpoint: Noticed, record: DeliveryRecord, event: LogEvent | undefined): void {
    const { kind, requeued } = record;
    if (kind !== "dead" && kind !== "expired") return;
    if (event !== undefined && isOperational(event.type)) return;
    if (kind === "expired") gather("expired", endpoint, record, event);
    // One that was tried once more after an outage was told of when it died first.
    else if (!requeued) gather("dead_lettered", endpoint, record, event);
  }

  function gather(
    kind: LostDeliveries["kind"],
    endpoint: Noticed,
    record: DeliveryRecord,
    event: LogEvent | undefined,
  ): void {
    if (stopped) return;
    const lost = gatheredOf(kind, endpoint);
    lost.since = Math.min(lost.since, record.at);
    lost.until = Math.max(lost.until, record.at);
    lost.count += 1;
    if (lost.deliveries.length >= namedMax || named >= namedTotalMax) return;
    named += 1;
    const known = event === undefined ? null : { id: eventId(event), type: event.type };
    lost.deliveries.push(lostDelivery(endpoint, record, known));
  }

  function gatheredOf(kind: LostDeliveries["kind"], endpoint: Noticed): Gathered {
    const key = `${kind} ${endpoint.id}`;
    let some = gathered.get(key);
    if (some === undefined) {
      const timer = setTimeout(() => flush(key), gatherMs).unref();
      some = { endpoint, kind, ...noneYet(), timer };
      gathered.set(key, some);
    }
    return some;
  }

  function flush(key: string): void {
    const lost = gathered.get(key);
    if (lost === undefined) return;
    if (lost.count === 0) {
      gathered.delete(key);
      return;
    }
    const { endpoint, kind, count, since, until, deliveries } = lost;
    tell(endpoint.tenant, deliveriesLost(endpoint, { kind, count, since, until, deliveries }));
    named -= deliveries.length;
    Object.assign(lost, noneYet());
    lost.timer = setTimeout(() => flush(key), restMs).unref();
  }

  function stop(): void {
    stopped = true;
    for (const [key, { timer }] of gathered) {
      clearTimeout(timer);
      flush(key);
      clearTimeout(gathered.get(key)?.timer);
    }
    gathered.clear();
  }
}

function noneYet() {
  return { count: 0, since: Infinity, until: 0, deliveries: [] as LostDelivery[] };
}
