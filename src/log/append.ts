/**
 * Appends, by group commit. While one statement is in flight further appends gather, and the next
 * statement takes them all: no timer, so an idle system answers at once and a busy one batches by
 * itself. An append is answered only after its commit. The events of one tenant are numbered in
 * the order in which they were handed in.
 *
 * What waits is bounded, per tenant and in all; beyond it appends are refused, never dropped after
 * they were taken. A statement whose connection broke is not sent again blindly: its outcome is
 * looked up first.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { arrayText, classifyFailure, type Sql } from "../db/database.ts";
import type { Logger } from "../telemetry.ts";
import type { LogEvent, TenantId } from "./event.ts";
import { lookUpGroup, type FoundRow } from "./group-lookup.ts";
import type { AppendResult, NewEvent } from "./new-event.ts";
import { createPartitions } from "./partitions.ts";
import { createQueue, groupMaxEvents, type Entry, type Group } from "./queue.ts";

/** About a tenant whose log is locked: leave it out, for the first or second time, or wait. */
type Locks = "skip" | "skip-again" | "wait";

type Refusal = "refused" | "unavailable" | "in-doubt" | "failed";

/** What one group added to one tenant's log. */
export type AppendedRun = { tenant: TenantId; shard: number; events: LogEvent[] };

/** How long the outcome of a statement whose connection broke is looked for. */
const lookupMaxMs = 20_000;

/** Pause between two look-ups while the database is away. */
const lookupPauseMs = 200;

export type Appender = ReturnType<typeof createAppender>;

export function createAppender(options: {
  sql: Sql;
  log: Logger;
  /** Called after each commit, before the appends are answered. Must not throw. */
  tell: (runs: AppendedRun[]) => void;
}) {
  const { sql, log, tell } = options;
  const queue = createQueue();
  let running: Promise<void> | undefined;
  /** Tenants whose log was locked, in the order in which they are tried again. */
  const locked: { tenant: TenantId; entries: Group; locks: Locks }[] = [];
  const waitersMax = Math.max(1, sql.options.max - 1);
  let waiters = 0;
  /** What goes on beside `run`. */
  const aside = new Set<Promise<void>>();

  return { append, drain };

  /** Results in the order of `events`. Never rejects. */
  function append(events: readonly NewEvent[]): Promise<AppendResult[]> {
    const answer = queue.offer(events);
    running ??= run();
    return answer;
  }

  /** Resolves when all that was taken is answered. */
  async function drain(): Promise<void> {
    while (running !== undefined || aside.size > 0) await Promise.all([running, ...aside]);
  }

  async function run() {
    // Not in the caller's turn: what is handed in together is appended together.
    await Promise.resolve();
    for (let group = queue.take(); group !== undefined; group = queue.take()) {
      await commit(group, "skip");
    }
    running = undefined;
  }

  /** Commits a group and answers its entries, whatever happens. */
  async function commit(group: Group, locks: Locks, repaired = false): Promise<void> {
    const id = randomUUID();
    const nonces = createNonces(group.length);
    let rows: Row[];
    try {
      rows = await send(id, group, nonces, locks === "wait");
    } catch (error) {
      return recover(error, id, group, nonces, locks, repaired);
    }
    settle(group, rows, locks);
  }

  function send(id: string, group: Group, nonces: string[], wait: boolean) {
    const column = (of: (event: NewEvent) => string | null) =>
      arrayText(group.map((entry) => of(entry.event)));
    return sql<Row[]>`
      select ordinal, outcome, sequence, day::text,
        (extract(epoch from appended_at) * 1000)::bigint as at, id, envelope
      from append_events(${id}, ${wait},
        ${column((event) => event.tenant)}::uuid[], ${arrayText(nonces)}::text[],
        ${column((event) => event.type)}::text[], ${column((event) => event.subject)}::text[],
        ${column((event) => event.key)}::text[], ${column((event) => event.digest)}::text[],
        ${column((event) => event.start)}::text[], ${column((event) => event.time)}::text[],
        ${column((event) => event.middle)}::text[], ${column((event) => event.data)}::text[])`;
  }

  function settle(group: Group, rows: Row[], locks: Locks) {
    const runs = new Map<TenantId, AppendedRun>();
    const deferred: Group = [];
    for (const row of rows) {
      const entry = group[row.ordinal - 1];
      if (entry !== undefined && row.outcome === "appended") addToRun(runs, entry, row);
    }
    if (runs.size > 0) tell([...runs.values()]);
    for (const row of rows) {
      const entry = group[row.ordinal - 1];
      if (entry === undefined) continue;
      if (row.outcome === "deferred") deferred.push(entry);
      else queue.answer(entry, toResult(row));
    }
    for (const [tenant, entries] of Map.groupBy(deferred, (entry) => entry.event.tenant)) {
      queue.hold(tenant);
      locked.push({ tenant, entries, locks: locks === "skip" ? "skip-again" : "wait" });
    }
    if (locked.length > 0 && waiters < waitersMax) startAside(retryLocked());
  }

  function startAside(work: Promise<void>) {
    aside.add(work);
    void work.finally(() => aside.delete(work));
  }

  /**
   * Tries locked tenants again: once more together, since another process mostly has their locks
   * for some milliseconds only, then each alone and as long as it takes. What they append meanwhile
   * stays in their queues, so that its order is kept. This never takes the last connection: the
   * driver would send everyone else's groups behind a statement that waits.
   */
  async function retryLocked() {
    waiters += 1;
    while (locked.length > 0) {
      const { locks, tenants, group } = takeLocked();
      await commit(group, locks);
      release(tenants);
    }
    waiters -= 1;
  }

  function release(tenants: Iterable<TenantId>) {
    for (const tenant of tenants) queue.release(tenant);
    running ??= run();
  }

  /** The first in line, and with it those that may be tried together with it. */
  function takeLocked() {
    const locks = locked[0]?.locks ?? "wait";
    const tenants: TenantId[] = [];
    const group: Group = [];
    for (let next = locked[0]; next?.locks === locks; next = locked[0]) {
      if (group.length + next.entries.length > groupMaxEvents) break;
      locked.shift();
      tenants.push(next.tenant);
      group.push(...next.entries);
      if (locks === "wait") break;
    }
    return { locks, tenants, group };
  }

  async function recover(
    error: unknown,
    id: string,
    group: Group,
    nonces: string[],
    locks: Locks,
    repaired: boolean,
  ): Promise<void> {
    const failure = classifyFailure(error);
    switch (failure) {
      case "not-done":
        return refuseAll(group, "unavailable", error);
      case "in-doubt":
        return startAside(lookUp(error, id, group, nonces, locks));
      case "no-partition":
        return repaired ? refuseAll(group, "failed", error) : retryWithPartition(group, locks);
      case "data":
        // Inside a bisection in order, else beside the others: it waits for locks.
        return locks === "wait" ? bisect(group, error) : startAside(bisectHeld(group, error));
      case "fault":
        return refuseAll(group, "failed", error);
    }
  }

  function refuseAll(group: Group, kind: Refusal, error: unknown) {
    log.warn({ events: group.length, outcome: kind, err: error }, "append");
    for (const entry of group) queue.answer(entry, { kind });
  }

  async function bisectHeld(group: Group, error: unknown) {
    const tenants = group.map((entry) => entry.event.tenant);
    for (const tenant of tenants) queue.hold(tenant);
    await bisect(group, error);
    release(tenants);
  }

  /**
   * A value that the database refuses spoils its own event only. The halves wait for their locks:
   * were a tenant deferred in the first, its events in the second would overtake.
   */
  async function bisect(group: Group, error: unknown) {
    if (group.length === 1) return refuseAll(group, "refused", error);
    const half = group.length >> 1;
    await commit(group.slice(0, half), "wait");
    await commit(group.slice(half), "wait");
  }

  async function retryWithPartition(group: Group, locks: Locks) {
    try {
      await createPartitions(sql);
    } catch (error) {
      return refuseAll(group, "unavailable", error);
    }
    return commit(group, locks, true);
  }

  /**
   * Finds out what became of a group, and holds up nobody but its tenants meanwhile. As long as
   * the database is away, what they append is refused like everyone else's.
   */
  async function lookUp(
    error: unknown,
    id: string,
    group: Group,
    nonces: string[],
    locks: Locks,
  ): Promise<void> {
    log.warn({ events: group.length, err: error }, "append lost its connection: looking up");
    const deadline = performance.now() + lookupMaxMs;
    const tenants = group.map((entry) => entry.event.tenant);
    for (const tenant of tenants) queue.hold(tenant);
    try {
      while (performance.now() < deadline) {
        try {
          const found = await lookUpGroup(sql, id, tenants, nonces);
          if (found === undefined) return refuseAll(group, "unavailable", error);
          return settle(group, answerOf(group, found), locks);
        } catch (failure) {
          const waiting = queue.takeAll(tenants);
          if (waiting.length > 0) refuseAll(waiting, "unavailable", failure);
          await new Promise((resolve) => setTimeout(resolve, lookupPauseMs));
        }
      }
      refuseAll(group, "in-doubt", error);
    } finally {
      release(tenants);
    }
  }
}

/** The answer that a committed group would have given, from the rows that it added. */
function answerOf(group: Group, found: FoundRow[]): Row[] {
  const byOrdinal = new Map(found.map((row) => [row.ordinal, row]));
  return group.map((_, index): Row => {
    const row = byOrdinal.get(index + 1);
    // What the group holds but did not add was a duplicate or deferred: asking again is safe.
    if (row === undefined) return { ...absent, ordinal: index + 1, outcome: "deferred" };
    return { ...row, outcome: "appended" };
  });
}

type Row = FoundRow & {
  outcome: "appended" | "duplicate" | "conflict" | "gone" | "deferred";
};

const absent = { sequence: 0, day: "", at: 0, id: "", envelope: "" };

function toResult({ outcome, sequence, day, id }: Row): AppendResult {
  switch (outcome) {
    case "appended":
    case "duplicate":
      return { kind: outcome, sequence, day, id };
    case "conflict":
    case "gone":
      return { kind: outcome };
    case "deferred":
      throw new Error("a deferred append has no result yet");
  }
}

function addToRun(runs: Map<TenantId, AppendedRun>, { event }: Entry, row: Row) {
  const { tenant, shard, type, subject } = event;
  let run = runs.get(tenant);
  if (run === undefined) runs.set(tenant, (run = { tenant, shard, events: [] }));
  const { sequence, day, at, envelope } = row;
  run.events.push({ sequence, day, type, subject, appendedAt: at, envelope });
}

/**
 * Four random bytes an event, as hex: the end of its id and its fingerprint in cursors. No two of
 * a group are the same, so that its events can be told apart by them.
 */
function createNonces(count: number): string[] {
  const nonces = new Set<string>();
  while (nonces.size < count) {
    const hex = randomBytes(4 * (count - nonces.size)).toString("hex");
    for (let start = 0; start < hex.length; start += 8) nonces.add(hex.slice(start, start + 8));
  }
  return [...nonces];
}
