/**
 * The life of an event as a list of what happened, in the order of time, and how it stands at each
 * endpoint. What is not recorded is derived: an event reached an endpoint's lane when its first
 * attempt began to wait, and a retry that has been made was due when it did.
 *
 * Times are of the clocks of the processes that noted them; entries of two processes may be out of
 * order by what these differ.
 */
import { errorOf, triggerOf, type AttemptRow } from "../deliveries/attempts.ts";
import { deliveryId } from "../deliveries/delivery-id.ts";
import { endpointName } from "../deliveries/endpoint.ts";
import type { Delivery } from "../deliveries/outcomes.ts";
import { replayName } from "../deliveries/replays.ts";
import type { Party } from "../deliveries/timeline.ts";
import { sequenceText, tenantPrefix, type LogEvent } from "../log/event.ts";
import { explain, obstacleOf, stageOf } from "./explain.ts";

type Happened<Kind extends string, Members = unknown> = { at: string; kind: Kind } & Members;

type AtEndpoint<Kind extends string, Members = unknown> = Happened<
  Kind,
  { endpoint: string } & Members
>;

type ReplayEntry = {
  replay: string;
  which: "dead" | "missing" | "all";
  sent: boolean;
  requested_by: string | null;
};

export type Entry =
  | Happened<"appended", { sequence: string; type: string }>
  | AtEndpoint<"replay", ReplayEntry>
  | AtEndpoint<"queued", { after_append_ms: number }>
  | AtEndpoint<
      "attempt",
      {
        attempt: number;
        trigger: ReturnType<typeof triggerOf>;
        replay: string | null;
        queue_ms: number;
        latency_ms: number;
        status_code: number | null;
        error: { class: string; message: string } | null;
      }
    >
  | AtEndpoint<"retry_scheduled", { attempt: number; due_at: string }>
  | AtEndpoint<"receipt", { status: "processed" | "failed"; detail: string | null }>
  | AtEndpoint<"settled" | "dead_lettered" | "expired" | "skipped", { detail: string | null }>;

/** Of entries of the same millisecond. */
const kindOrder: readonly Entry["kind"][] = [
  ...(["appended", "replay", "queued", "attempt", "receipt", "retry_scheduled"] as const),
  ...(["settled", "dead_lettered", "expired", "skipped"] as const),
];

export function entriesOf(event: LogEvent, parties: readonly Party[]): Entry[] {
  const appended: Entry = {
    ...{ at: timeText(event.appendedAt), kind: "appended" },
    ...{ sequence: sequenceText(event.sequence), type: event.type },
  };
  const all = [appended, ...parties.flatMap((party) => partyEntries(event, party))];
  return all.toSorted(inTime);
}

export function endpointOf(event: LogEvent, party: Party, now: number) {
  const { delivery, standing, attempts } = party;
  const made = delivery?.attempts ?? 0;
  return {
    id: endpointName(party.endpoint),
    url: standing?.url ?? null,
    status: stageOf(party, event),
    delivery: delivery === undefined ? null : nameOf(delivery),
    attempts: made,
    attempts_omitted: Math.max(0, made - attempts.length),
    next_attempt_at: optionalTime(delivery?.dueAt),
    waits_for: obstacleOf(party, event, now) ?? null,
    explanation: explain(party, event, now),
  };
}

function nameOf({ tenant, endpoint, ...position }: Delivery): string {
  return deliveryId({ tenantPrefix: tenantPrefix(tenant), endpoint, position });
}

function partyEntries(event: LogEvent, party: Party): Entry[] {
  const endpoint = endpointName(party.endpoint);
  const { attempts, delivery, receipt, replays } = party;
  const sentBy = new Set(attempts.map(({ replay }) => replay));
  return [
    ...attempts.filter(isFirst).map((row) => queuedEntry(event, row, endpoint)),
    ...attempts.map((row) => attemptEntry(row, endpoint)),
    ...attempts.flatMap((row, index) => retryEntry(row, attempts[index + 1], delivery, endpoint)),
    ...replays.map((job): Entry => ({
      ...{ at: timeText(job.createdAt), kind: "replay", endpoint, replay: replayName(job.id) },
      ...{ which: job.kind, sent: sentBy.has(job.id), requested_by: job.requestedBy },
    })),
    ...(receipt === undefined
      ? []
      : [
          {
            ...{ at: timeText(receipt.at), kind: "receipt" as const, endpoint },
            ...{ status: receipt.status, detail: receipt.detail },
          },
        ]),
    ...askedEntry(party, endpoint),
    ...endEntry(event, party, endpoint),
  ];
}

/** That the event itself brought: a replay's has no wait since the append. */
function isFirst(row: AttemptRow): boolean {
  return row.attempt === 1 && triggerOf(row) !== "replay";
}

function queuedEntry({ appendedAt }: LogEvent, row: AttemptRow, endpoint: string): Entry {
  const at = Math.max(appendedAt, row.at - row.queueMs);
  return { at: timeText(at), kind: "queued", endpoint, after_append_ms: at - appendedAt };
}

function attemptEntry(row: AttemptRow, endpoint: string): Entry {
  return {
    ...{ at: timeText(row.at), kind: "attempt", endpoint, attempt: row.attempt },
    ...{ trigger: triggerOf(row), replay: row.replay === null ? null : replayName(row.replay) },
    ...{ queue_ms: row.queueMs, latency_ms: row.latencyMs, status_code: row.statusCode },
    error: errorOf(row),
  };
}

/** The retry that was planned when this attempt had failed. */
function retryEntry(
  row: AttemptRow,
  next: AttemptRow | undefined,
  delivery: Party["delivery"],
  endpoint: string,
): Entry[] {
  if (row.error === null) return [];
  const endedAt = row.at + row.latencyMs;
  let dueAt: number | null = null;
  if (next !== undefined && triggerOf(next) === "retry") dueAt = next.at - next.queueMs;
  else if (next === undefined && delivery?.status === "retrying") dueAt = delivery.dueAt;
  if (dueAt === null) return [];
  const due = timeText(Math.max(dueAt, endedAt));
  const attempt = next?.attempt ?? row.attempt + 1;
  return [{ at: timeText(endedAt), kind: "retry_scheduled", endpoint, attempt, due_at: due }];
}

/** The retry that a consumer asked for of what had been accepted. */
function askedEntry({ delivery, receipt, attempts }: Party, endpoint: string): Entry[] {
  if (delivery?.status !== "retrying" || delivery.dueAt === null) return [];
  if (receipt?.status !== "failed" || (attempts.at(-1)?.error ?? null) !== null) return [];
  const due = timeText(Math.max(delivery.dueAt, receipt.at));
  const attempt = delivery.attempts + 1;
  const at = timeText(receipt.at);
  return [{ at, kind: "retry_scheduled", endpoint, attempt, due_at: due }];
}

/** How it ended, where it did without being delivered. */
function endEntry(event: LogEvent, party: Party, endpoint: string): Entry[] {
  const { delivery, receipt, standing, attempts } = party;
  const last = attempts.at(-1);
  const lastAt = delivery?.lastAt ?? event.appendedAt;
  const endedAt = last === undefined ? lastAt : Math.max(lastAt, last.at + last.latencyMs);
  const detail = delivery?.error ?? null;
  switch (stageOf(party, event)) {
    case "settled": {
      const at = timeText(receipt?.at ?? endedAt);
      return [{ at, kind: "settled", endpoint, detail: receipt?.detail ?? null }];
    }
    case "dead":
      return [{ at: timeText(endedAt), kind: "dead_lettered", endpoint, detail }];
    case "expired":
      return [{ at: timeText(endedAt), kind: "expired", endpoint, detail }];
    case "skipped": {
      const at = timeText(Math.max(endedAt, standing?.resumedAt ?? endedAt));
      return [{ at, kind: "skipped", endpoint, detail }];
    }
    case "delivered":
    case "retrying":
    case "awaiting_receipt":
    case "waiting":
    case "not_matched":
      return [];
  }
}

function inTime(a: Entry, b: Entry): number {
  if (a.at !== b.at) return a.at < b.at ? -1 : 1;
  return kindOrder.indexOf(a.kind) - kindOrder.indexOf(b.kind);
}

function optionalTime(at: number | null | undefined): string | null {
  return at === null || at === undefined ? null : timeText(at);
}

function timeText(at: number): string {
  return new Date(at).toISOString();
}
