/**
 * Writes what became of deliveries, and the positions that rest on it, in batches. What one
 * `record` brings is written in one statement with all that was recorded before it, never ahead of
 * it: a position in the database never claims an outcome that is not there.
 *
 * A statement that failed is sent again until the database takes it: all of it can be repeated.
 * Meanwhile outcomes gather here, so whoever makes them asks `pending` and pauses.
 */
import { classifyFailure, columnText, type Sql } from "../db/database.ts";
import type { Day, Sequence, TenantId } from "../log/event.ts";
import type { Logger } from "../telemetry/logger.ts";
import { endpointName } from "./endpoint.ts";

/** Who writes, and under which claims. A writer whose claims are out of date changes nothing. */
export type Fence = {
  readonly tenant: TenantId;
  /** The endpoint's uuid. */
  readonly endpoint: string;
  readonly shard: number;
  /** Of the shard's lease. */
  readonly epoch: number;
  /** Of the endpoint's position. */
  readonly generation: number;
};

/** All up to `sequence` is settled; `matched` is the last event there that was for the endpoint. */
export type SettledTo = { sequence: Sequence; day: Day; matched: Sequence };

/** A subject that an endpoint is behind with, and how far it has come. */
export type BlockedSubject = { readonly subject: string; readonly settled: SettledTo };

/** How far a blocked subject has come, or null when it is not blocked any more. */
export type SubjectMove = { readonly subject: string; readonly settled: SettledTo | null };

export type DeliveryRecord = {
  /** `awaiting_receipt`: accepted, and due again when no receipt comes. */
  kind: "delivered" | "dead" | "expired" | "retrying" | "awaiting_receipt";
  day: Day;
  sequence: Sequence;
  /** The event before this one that matched the endpoint; 0 for the first, null if unknown. */
  previous: Sequence | null;
  attempts: number;
  /** It was a retry before. */
  retried: boolean;
  /** And a dead letter of an outage before that. */
  requeued: boolean;
  /** Times in milliseconds since 1970. */
  firstAt: number;
  at: number;
  queueMs: number;
  latencyMs: number;
  statusCode: number | null;
  error: string | null;
  dueAt: number | null;
  /** An earlier attempt that was accepted, and what is to be said of the receipt it did not get. */
  missed?: { readonly attempt: number; readonly error: string } | undefined;
  /** Null for a first attempt that succeeded: the delivery's own row tells it whole. */
  detail: AttemptDetail | null;
};

/**
 * Why an attempt was made: the event came, it was due again, the endpoint was to be probed, an outage
 * was over, or somebody wanted it sent again.
 */
export type Trigger = "event" | "retry" | "probe" | "drain" | "replay";

export type AttemptDetail = {
  trigger: Trigger;
  url: string;
  errorClass: string | null;
  /** JSON text. */
  responseHeaders: string | null;
  responseBody: string | null;
  truncated: boolean;
};

export type Ledger = ReturnType<typeof createLedger>;

/** Gathers this long when the database is idle: the rows of one statement share its cost. */
const gatherMs = 20;

/** As many outcomes are written without waiting any longer. */
const gatherRows = 500;

/** One statement's share. */
const batchMaxRows = 2_000;

const retryPauseMs = 250;

/** About as long as a statement may wait: what is still wrong then will stay wrong. */
const faultTriesMax = 40;

/** What a lane has to tell at one moment. */
export type Telling = {
  readonly fence: Fence;
  readonly settledTo: SettledTo;
  /** Attempts under way. */
  readonly inFlight: number;
  /** Null for a position that moved over events that do not match. */
  readonly record: DeliveryRecord | null;
  readonly subject?: SubjectMove | undefined;
  /** Called once it is in the database, with what is known of receipts by then. */
  readonly written?: ((told: Told) => void) | undefined;
};

/** What the database knows of an endpoint's receipts when it takes an outcome. */
export type Told = {
  /** False for a writer that was refused: nothing of it is there. */
  readonly taken: boolean;
  /** How many there were that changed what is to be delivered; 0 for a writer that was refused. */
  readonly receipts: number;
  /** A receipt has decided of this event otherwise: what the outcome would have led to is not there. */
  readonly overruled: boolean;
  /** And it is tried again: it was accepted, and a receipt says that it failed. */
  readonly revived: boolean;
};

export function createLedger(options: {
  sql: Sql;
  log: Logger;
  /** The id under which this process holds its leases. */
  process: string;
  /** Called when writes under this fence are refused: somebody else drives the endpoint now. */
  refused: (fence: Fence) => void;
  /** Called after each statement: there is room again. */
  written: () => void;
}) {
  const { sql, log, process, refused, written } = options;
  let entries: Telling[] = [];
  let recordedEntries = 0;
  let writtenEntries = 0;
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  let closed = false;
  /** Since when the database has taken nothing, milliseconds since 1970. */
  let failingSince: number | undefined;
  /** Writers one of whose outcomes was given up: they have to begin anew from what is written. */
  const givenUp = new WeakSet<Fence>();

  return { record, pending: () => entries.length, failing: () => failingSince, drain, close };

  function record(telling: Telling): void {
    if (closed || givenUp.has(telling.fence)) return;
    entries.push(telling);
    recordedEntries += 1;
    if (writing !== undefined) return;
    if (entries.length >= gatherRows) startWriting();
    else timer ??= setTimeout(startWriting, gatherMs);
  }

  /** Resolves when all that was recorded so far is written. There may never be a moment of rest. */
  async function drain(): Promise<void> {
    const target = recordedEntries;
    while (writtenEntries < target && !closed) {
      startWriting();
      await writing;
    }
  }

  /** Stops insisting: what is not written is lost here and delivered again by whoever follows. */
  function close(): void {
    closed = true;
    clearTimeout(timer);
  }

  function startWriting() {
    clearTimeout(timer);
    timer = undefined;
    writing ??= write().finally(() => {
      writing = undefined;
      if (closed) return;
      if (entries.length >= gatherRows) startWriting();
      else if (entries.length > 0) timer ??= setTimeout(startWriting, gatherMs);
    });
  }

  async function write(): Promise<void> {
    const batch = entries.slice(0, batchMaxRows);
    const told = new Map<Fence, Answer>();
    await insist(batch, told);
    if (closed) return;
    // Only now: until then they count as pending.
    entries = entries.slice(batch.length);
    writtenEntries += batch.length;
    for (const { fence, record: each, written: onWritten } of batch) {
      if (onWritten === undefined || givenUp.has(fence)) continue;
      const answer = told.get(fence);
      const isOverruled = each !== null && answer?.overruled.has(each.sequence) === true;
      if (isOverruled) onWritten({ ...answer.told, ...overruling(answer, each.sequence) });
      else onWritten(answer?.told ?? notTaken);
    }
    written();
  }

  /** Sends until the database takes it. What it can never take must not hold up the rest. */
  async function insist(batch: Telling[], told: Map<Fence, Answer>): Promise<void> {
    for (let tries = 1; !closed; tries += 1) {
      // What was given up takes all that rests on it along: no position may pass it.
      const standing = batch.filter(({ fence }) => !givenUp.has(fence));
      if (standing.length === 0) return;
      try {
        await send(standing, told);
        failingSince = undefined;
        return;
      } catch (error) {
        failingSince ??= Date.now();
        log.error({ outcomes: standing.length, err: error }, "outcomes not written");
        if (isHopeless(error, tries)) return sendApart(standing, told);
        await new Promise((resolve) => setTimeout(resolve, retryPauseMs));
      }
    }
  }

  async function sendApart(batch: Telling[], told: Map<Fence, Answer>): Promise<void> {
    const [entry] = batch;
    if (entry === undefined) return;
    if (batch.length > 1) {
      const half = batch.length >> 1;
      await insist(batch.slice(0, half), told);
      return insist(batch.slice(half), told);
    }
    const { fence, record } = entry;
    if (record?.detail) return insist([{ ...entry, record: { ...record, ...untold } }], told);
    const endpoint = endpointName(fence.endpoint);
    const line = { tenantId: fence.tenant, endpoint, sequence: record?.sequence };
    log.error(line, "an outcome cannot be written: the event will be delivered again");
    givenUp.add(fence);
    refused(fence);
  }

  async function send(batch: Telling[], told: Map<Fence, Answer>): Promise<void> {
    const { lanes, laneOf } = byLane(batch);
    const outcomes = batch.flatMap(({ fence, record }) => (record ? [{ fence, record }] : []));
    const details = outcomes.flatMap(({ record: { detail } }, index) =>
      detail ? [{ detail, outcome: index + 1 }] : [],
    );
    const lane = column(lanes);
    const outcome = column(outcomes);
    const detail = column(details);
    const subject = column(newestMoves(batch));
    const taken = await sql<AnswerRow[]>`
      select endpoint, receipts, overruled::text[], revived::text[] from record_lanes(${process},
        ${lane((l) => l.fence.tenant)}::uuid[], ${lane((l) => l.fence.endpoint)}::uuid[],
        ${lane((l) => l.fence.shard)}::int[], ${lane((l) => l.fence.epoch)}::bigint[],
        ${lane((l) => l.fence.generation)}::int[],
        ${lane((l) => l.settledTo.sequence)}::bigint[], ${lane((l) => l.settledTo.day)}::date[],
        ${lane((l) => l.settledTo.matched)}::bigint[], ${lane((l) => l.inFlight)}::int[],
        ${outcome((o) => laneOf.get(o.fence) ?? 0)}::int[],
        ${outcome((o) => o.record.kind)}::text[], ${outcome((o) => o.record.day)}::date[],
        ${outcome((o) => o.record.sequence)}::bigint[],
        ${outcome((o) => o.record.previous)}::bigint[],
        ${outcome((o) => o.record.attempts)}::int[],
        ${outcome((o) => String(o.record.retried))}::boolean[],
        ${outcome((o) => String(o.record.requeued))}::boolean[],
        ${outcome((o) => o.record.firstAt)}::bigint[], ${outcome((o) => o.record.at)}::bigint[],
        ${outcome((o) => o.record.queueMs)}::int[], ${outcome((o) => o.record.latencyMs)}::int[],
        ${outcome((o) => o.record.statusCode)}::int[], ${outcome((o) => o.record.error)}::text[],
        ${outcome((o) => o.record.dueAt)}::bigint[],
        ${detail((d) => d.outcome)}::int[], ${detail((d) => d.detail.trigger)}::text[],
        ${detail((d) => d.detail.url)}::text[], ${detail((d) => d.detail.errorClass)}::text[],
        ${detail((d) => d.detail.responseHeaders)}::text[],
        ${detail((d) => d.detail.responseBody)}::text[],
        ${detail((d) => String(d.detail.truncated))}::boolean[],
        ${subject((m) => laneOf.get(m.fence) ?? 0)}::int[],
        ${subject((m) => m.move.subject)}::text[],
        ${subject((m) => m.move.settled?.sequence ?? null)}::bigint[],
        ${subject((m) => m.move.settled?.day ?? null)}::date[],
        ${subject((m) => m.move.settled?.matched ?? null)}::bigint[],
        ${outcome((o) => o.record.missed?.error ?? null)}::text[],
        ${outcome((o) => o.record.missed?.attempt ?? null)}::int[], ${Date.now()}::bigint)`;
    const accepted = new Map(taken.map((row) => [row.endpoint, row]));
    for (const { fence } of lanes) {
      const answer = accepted.get(fence.endpoint);
      if (answer === undefined) refused(fence);
      else note(told, fence, answer);
    }
  }
}

type AnswerRow = { endpoint: string; receipts: number; overruled: string[]; revived: string[] };

/** Of all statements that a batch took. */
type Answer = {
  /** Of all of its outcomes but those that are overruled. */
  told: Told;
  readonly overruled: Set<Sequence>;
  readonly revived: Set<Sequence>;
};

const notTaken: Told = { taken: false, receipts: 0, overruled: false, revived: false };

function overruling({ revived }: Answer, sequence: Sequence) {
  return { overruled: true, revived: revived.has(sequence) };
}

function note(told: Map<Fence, Answer>, fence: Fence, row: AnswerRow): void {
  const { receipts } = row;
  const taken: Told = { taken: true, receipts, overruled: false, revived: false };
  const answer = told.get(fence) ?? { told: taken, overruled: new Set(), revived: new Set() };
  answer.told = taken;
  for (const sequence of row.overruled) answer.overruled.add(Number(sequence));
  for (const sequence of row.revived) answer.revived.add(Number(sequence));
  told.set(fence, answer);
}

/** In place of what came with the response, which may hold what no text column can. */
const untold = { detail: null, error: "the response could not be recorded" } as const;

/** Values that are refused will be again; an unknown fault may pass. */
function isHopeless(error: unknown, tries: number): boolean {
  const failure = classifyFailure(error);
  if (failure === "fault") return tries >= faultTriesMax;
  return failure === "data" || failure === "no-partition";
}

/** Each fence once, numbered from 1, with the newest position that was recorded under it. */
function byLane(batch: readonly Telling[]) {
  const newest = new Map<Fence, Telling>();
  for (const entry of batch) newest.set(entry.fence, entry);
  const lanes = [...newest.values()];
  return { lanes, laneOf: new Map(lanes.map(({ fence }, index) => [fence, index + 1])) };
}

function column<T>(rows: readonly T[]) {
  return (value: (row: T) => string | number | null) => columnText(rows, value);
}

/** Of each subject of each lane where it is at last: one statement cannot move a row twice. */
function newestMoves(batch: readonly Telling[]): { fence: Fence; move: SubjectMove }[] {
  const newest = new Map<string, { fence: Fence; move: SubjectMove }>();
  for (const { fence, subject: move } of batch) {
    if (move === undefined) continue;
    const { endpoint, epoch, generation } = fence;
    newest.set(`${endpoint} ${epoch} ${generation} ${move.subject}`, { fence, move });
  }
  return [...newest.values()];
}
