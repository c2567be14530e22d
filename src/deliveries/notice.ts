/**
 * Operational events: what a tenant can have told, in its own feed, of how that feed is delivered.
 * They are events like any other, of reserved types, and are appended as such.
 *
 * What they say may be read by whoever reads the feed, and is pushed to whoever asks for all of it.
 * So of a URL there is no more in them than its origin: the path is what many receivers are known by.
 */
import { tenantPrefix, type Day, type Sequence, type TenantId } from "../log/event.ts";
import type { NewEvent } from "../log/new-event.ts";
import { deliveryId } from "./delivery-id.ts";

/** The types, each with what it tells. */
export const operationalEvents = {
  "tidegate.endpoint.circuit_opened":
    "An endpoint does not answer: nothing but probes is sent to it until it does",
  "tidegate.endpoint.circuit_closed": "An endpoint answers again, and what waited for it is sent",
  "tidegate.endpoint.disabled":
    "Nothing is sent to an endpoint any more, for what its receiver answered, until it is resumed",
  "tidegate.delivery.dead_lettered": "Deliveries to an endpoint were given up",
  "tidegate.delivery.expired":
    "Deliveries to an endpoint were still to be tried again when retention took their events",
  "tidegate.consumer.falling_behind":
    "A named consumer, or an endpoint that is polled, has not taken events for long",
} as const;

export type OperationalType = keyof typeof operationalEvents;

/** What is told of a consumer is looked up by it. */
export const behindType = "tidegate.consumer.falling_behind" satisfies OperationalType;

export type Notice = {
  readonly type: OperationalType;
  readonly about: { readonly kind: "endpoints" | "consumers"; readonly name: string };
  /** Whoever tells it again adds nothing, for a day at least. */
  readonly key: string;
  readonly data: Readonly<Record<string, unknown>>;
};

/** What of an endpoint they are about. */
export type NoticedEndpoint = {
  readonly tenant: TenantId;
  /** The uuid. */
  readonly id: string;
  readonly name: string;
  readonly url: string;
};

/** One that ended without being delivered. `event` is null where it is not known any more. */
export type LostDelivery = {
  readonly id: string;
  readonly event: { readonly id: string | null; readonly type: string | null; sequence: Sequence };
  readonly attempts: number;
  readonly error: string | null;
};

/** Some of one endpoint, told together. Times are in milliseconds since 1970. */
export type LostDeliveries = {
  readonly kind: "dead_lettered" | "expired";
  readonly count: number;
  readonly since: number;
  readonly until: number;
  /** The first of them. */
  readonly deliveries: readonly LostDelivery[];
};

/** Deliveries that are named in one notice; the others are only counted. */
export const namedMax = 100;

/** Of an error no more than a line: the delivery has it whole. */
const errorMaxLength = 200;

const prefix = "tidegate.";

/** Whether an event of this type is one of ours: no producer can append one. */
export function isOperational(type: string): boolean {
  return type.startsWith(prefix);
}

/** All that can be asked for: the types, and `.*` behind whatever stands before a dot of one. */
export const operationalPatterns: readonly string[] = [
  ...new Set([
    `${prefix}*`,
    ...Object.keys(operationalEvents).map((type) => type.replace(/\.[^.]+$/, ".*")),
    ...Object.keys(operationalEvents),
  ]),
];

export function circuitOpened(
  endpoint: NoticedEndpoint,
  outage: { readonly since: number; readonly outageSince: number },
  lastError: string | null,
): Notice {
  return ofEndpoint(endpoint, "tidegate.endpoint.circuit_opened", String(outage.since), {
    since: timeText(outage.since),
    outage_since: timeText(outage.outageSince),
    last_error: shorten(lastError),
  });
}

export function circuitClosed(
  endpoint: NoticedEndpoint,
  outage: { readonly since: number; readonly outageSince: number },
  closedAt: number,
): Notice {
  return ofEndpoint(endpoint, "tidegate.endpoint.circuit_closed", String(outage.since), {
    since: timeText(closedAt),
    opened_at: timeText(outage.since),
    outage_since: timeText(outage.outageSince),
    outage_seconds: Math.max(0, Math.round((closedAt - outage.outageSince) / 1_000)),
  });
}

/** `generation`: of its position; each time that it is resumed it has another. */
export function endpointDisabled(
  endpoint: NoticedEndpoint,
  { generation, reason, at }: { generation: number; reason: string; at: number },
): Notice {
  const data = { since: timeText(at), reason };
  return ofEndpoint(endpoint, "tidegate.endpoint.disabled", String(generation), data);
}

export function deliveriesLost(endpoint: NoticedEndpoint, lost: LostDeliveries): Notice {
  const { kind, count, since, until, deliveries } = lost;
  const first = deliveries[0]?.event.sequence ?? 0;
  return ofEndpoint(endpoint, `tidegate.delivery.${kind}`, `${first}-${until}-${count}`, {
    count,
    since: timeText(since),
    until: timeText(until),
    deliveries: deliveries.map(({ error, ...each }) => ({ ...each, error: shorten(error) })),
  });
}

export function lostDelivery(
  { tenant, id }: NoticedEndpoint,
  record: { day: Day; sequence: Sequence; attempts: number; error: string | null },
  event: { id: string; type: string } | null,
): LostDelivery {
  const { day, sequence, attempts, error } = record;
  const position = { day, sequence };
  return {
    id: deliveryId({ tenantPrefix: tenantPrefix(tenant), endpoint: id, position }),
    event: { id: event?.id ?? null, type: event?.type ?? null, sequence },
    attempts,
    error,
  };
}

/** `id`: the uuid of a consumer or an endpoint. */
export function consumerBehind(
  about: Notice["about"],
  { id, position, ...data }: { id: string; position: Sequence } & ConsumerLag,
): Notice {
  const { lag, lost, headroomSeconds } = data;
  const named = about.kind === "consumers" ? { consumer: about.name } : { endpoint: about.name };
  return {
    ...{ type: behindType, about },
    key: `tidegate:falling_behind:${id}:${position}`,
    data: { ...named, lag, lost, retention_headroom_seconds: headroomSeconds },
  };
}

type ConsumerLag = {
  readonly lag: { readonly events: number; readonly seconds: number };
  readonly lost: number;
  readonly headroomSeconds: number | null;
};

function ofEndpoint(
  { id, name, url }: NoticedEndpoint,
  type: OperationalType,
  occasion: string,
  data: Notice["data"],
): Notice {
  return {
    type,
    about: { kind: "endpoints", name },
    key: `tidegate:${type.slice(type.lastIndexOf(".") + 1)}:${id}:${occasion}`,
    data: { endpoint: name, url: new URL(url).origin, ...data },
  };
}

/**
 * As an event of the tenant's log. `suppressed`: how many before it were left out, since there would
 * have been too many. What has been told under a key counts as the same, whatever else it says.
 */
export function toNewEvent(
  tenant: { readonly id: TenantId; readonly name: string; readonly shard: number },
  { type, about, key, data }: Notice,
  suppressed: number,
): NewEvent {
  const source = `/tidegate/${about.kind}/${about.name}`;
  return {
    ...{ tenant: tenant.id, shard: tenant.shard, type, subject: about.name, key, digest: type },
    start: `"source":${JSON.stringify(source)},"type":${JSON.stringify(type)},`,
    time: null,
    middle:
      `"subject":${JSON.stringify(about.name)},"datacontenttype":"application/json",` +
      `"dataversion":"1","tenant":${JSON.stringify(tenant.name)},`,
    content: `,"data":${JSON.stringify({ ...data, suppressed })}`,
  };
}

function shorten(error: string | null): string | null {
  return error && error.toWellFormed().replaceAll("\0", "").slice(0, errorMaxLength).toWellFormed();
}

function timeText(at: number): string {
  return new Date(at).toISOString();
}
