/**
 * How what was found is shown: by the same members whatever it is, with a line of text for people
 * and the path at which the API has it. Nothing of an event's data, of a key or of a secret is in it.
 */
import type { Delivery } from "../../deliveries/outcomes.ts";
import { endpointName } from "../../deliveries/endpoint.ts";
import type { Circuit, Status } from "../../deliveries/positions.ts";
import { replayName, type Replay } from "../../deliveries/replays.ts";
import type { LogEvent } from "../../log/event.ts";

export const hitKinds = [
  ...["tenant", "endpoint", "consumer", "event_type", "event", "delivery", "replay", "key"],
] as const;

export type HitKind = (typeof hitKinds)[number];

export type Hit = {
  readonly kind: HitKind;
  /** As the API calls it: a generated id or a name. */
  readonly id: string;
  /** The name; null for what is of no tenant. */
  readonly tenant: string | null;
  readonly text: string;
  readonly path: string;
};

export type FoundTenant = {
  readonly name: string;
  readonly displayName: string | null;
  readonly erasing: boolean;
};

export type FoundEndpoint = {
  /** The uuid. */
  readonly id: string;
  readonly tenant: string;
  readonly url: string;
  readonly status: Status;
  readonly circuit: Circuit;
};

/** In UTF-16 units: of a longer line nobody reads the end. */
const textMax = 300;

export function tenantHit({ name, displayName, erasing }: FoundTenant): Hit {
  const text = lineOf([displayName ?? name, erasing ? "being erased" : undefined]);
  return { kind: "tenant", id: name, tenant: name, text, path: `/tenants/${name}` };
}

export function endpointHit({ id: uuid, tenant, url, status, circuit }: FoundEndpoint): Hit {
  const id = endpointName(uuid);
  const open = circuit === "closed" ? undefined : `circuit ${circuit.replace("_", " ")}`;
  const text = lineOf([status, open, url]);
  return { kind: "endpoint", id, tenant, text, path: `/endpoints/${id}` };
}

export function consumerHit({ name, tenant }: { name: string; tenant: string }): Hit {
  const path = `/consumers/${name}?tenant=${tenant}`;
  return { kind: "consumer", id: name, tenant, text: `consumer of ${tenant}`, path };
}

export function eventTypeHit(found: { type: string; description: string | null }): Hit {
  const { type, description } = found;
  const path = `/event-types/${type}`;
  return { kind: "event_type", id: type, tenant: null, text: lineOf([description ?? type]), path };
}

export function eventHit(id: string, tenant: string, { type, subject, appendedAt }: LogEvent): Hit {
  const about = subject === null ? undefined : `subject ${subject}`;
  const text = lineOf([type, `appended at ${new Date(appendedAt).toISOString()}`, about]);
  return { kind: "event", id, tenant, text, path: `/events/${id}` };
}

export function deliveryHit(
  id: string,
  tenant: string,
  { status, attempts, event, error }: Delivery,
): Hit {
  const tried = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
  const text = lineOf([status.replace("_", " "), tried, event.type, error ?? undefined]);
  return { kind: "delivery", id, tenant, text, path: `/deliveries/${id}` };
}

export function replayHit(tenant: string, replay: Replay): Hit {
  const { id: uuid, status, kind, total, sent, failed } = replay;
  const id = replayName(uuid);
  const sum = total === null ? `${sent} sent` : `${sent} of ${total} sent`;
  const text = lineOf([status, `of ${kind} deliveries`, sum, `${failed} failed`]);
  return { kind: "replay", id, tenant, text, path: `/replays/${id}` };
}

export function keyHit(
  id: string,
  found: { tenant: string | null; scopes: readonly string[]; description: string | null },
): Hit {
  const { tenant, scopes, description } = found;
  const text = lineOf([scopes.join(" "), description ?? undefined]);
  const path = tenant === null ? "/keys" : `/keys?tenant=${tenant}`;
  return { kind: "key", id, tenant, text, path };
}

/** One line, whatever people have written. Cut between characters, not in one. */
function lineOf(parts: readonly (string | undefined)[]): string {
  const text = parts.filter((each) => each !== undefined).join(", ");
  const line = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ");
  if (line.length <= textMax) return line;
  return `${line.slice(0, textMax - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
