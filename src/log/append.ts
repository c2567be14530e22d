/**
 * Appends, by group commit. While one statement is in flight further appends gather, and the next
 * statement takes them all: no timer, so an idle system answers at once and a busy one batches by
 * itself. Tenants that have much waiting are appended beside the others, in groups of their own.
 * An append is answered only after its commit. The events of one tenant are numbered in the order
 * in which they were handed in; once one could not be appended, those behind it of the same request
 * and tenant are not either, so that repeating them all keeps their order.
 *
 * What waits is bounded, per tenant and in all; beyond it appends are refused, never dropped after
 * they were taken. A statement whose connection broke is not sent again blindly: its outcome is
 * looked up first.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { arrayText, classifyFailure, separated, type Sql } from "../db/database.ts";
import type { Logger } from "../telemetry/logger.ts";
import { tellAll } from "../telemetry/observers.ts";
import type { Span } from "../telemetry/tracing.ts";
import type { LogEvent, TenantId } from "./event.ts";
import type { AppendReport, ObserveAppend } from "./append-report.ts";
import { lookUpGroup, type FoundRow } from "./group-lookup.ts";
import type { AppendResult, NewEvent } from "./new-event.ts";
import { createPartitions } from "./partitions.ts";
import { createQueue, isOpen, type Entry, type Group, type Line } from "./queue.ts";

type Refusal = "refused" | "unavailable" | "in-doubt" | "failed";

/** What one group added to one tenant's log. */
export type AppendedRun = {
  tenant: TenantId;
  shard: number;
  events: LogEvent[];
  /** Those that its events stand below, where their traces are sampled. */
  spans?: Set<Span>;
};

/** A group on its way, and what it takes to find out what became of it. */
type Sent = {
  readonly id: string;
  readonly group: Group;
  readonly nonces: string[];
  readonly tries: number;
  /** A partition was made for it. */
  readonly repaired: boolean;
  /** By `performance.now()`. */
  readonly at: number;
};

/** Entries that could not be appended with the others of their group. Their tenants are held. */
type Turn = {
  readonly tenants: readonly TenantId[];
  readonly entries: Group;
  readonly tries: number;
  /** The database refuses something in it. */
  readonly apart: boolean;
};

/**
 * How often a log that is locked is left out before it is waited for. Another process mostly has
 * its lock for some milliseconds only, and who waits may have to stand behind one that is locked
 * for seconds.
 */
const skipTries = 8;

/** Between two tries when nothing else is appended; what comes meanwhile waits for its end. */
const skipPauseMs = 5;

/**
 * How long after it was sent the outcome of a statement whose connection broke is looked for. A
 * database that restarts is back by then, and few producers wait longer.
 */
const lookupMaxMs = 20_000;

/** Where finding out that the connection is broken took most of that time. */
const lookupMinMs = 5_000;

const lines: readonly Line[] = ["light", "heavy"];

/** Pause between two look-ups while the database is away. */
const lookupPauseMs = 200;

export type Appender = ReturnType<typeof createAppender>;

export function createAppender(options: {
  sql: Sql;
  log: Logger;
  /** Called after each commit, before the appends are answered. Must not throw. */
  tell: (runs: AppendedRun[]) => void;
  observers?: readonly ObserveAppend[];
}) {
  const { sql, log, tell, observers = [] } = options;
  const queue = createQueue();
  /** One group of each line is under way at a time. */
  const running = new Map<Line, Promise<void>>();
  /** Turns that wait for no lock, between the groups of the light line. */
  const soon: Turn[] = [];
  /** Turns that may wait for their locks, on connections of their own. */
  const patient: Turn[] = [];
  const waitersMax = Math.max(1, sql.options.max - lines.length);
  let waiters = 0;
  /** What goes on beside `run`. */
  const aside = new Set<Promise<void>>();

  return { append, drain, status: queue.status };

  /** Results in the order of `events`. Never rejects. */
  function append(events: readonly NewEvent[]): Promise<AppendResult[]> {
    const answer = queue.offer(events);
    start();
    return answer;
  }

  /** Resolves when all that was taken is answered. */
  async function drain(): Promise<void> {
    while (running.size > 0 || aside.size > 0) await Promise.all([...running.values(), ...aside]);
  }

  function start() {
    for (const line of lines) {
      if (!running.has(line) && hasWork(line)) running.set(line, run(line));
    }
  }

  function hasWork(line: Line): boolean {
    return queue.hasMore(line) || (line === "light" && soon.length > 0);
  }

  async function run(line: Line) {
    // Not in the caller's turn: what is handed in together is appended together.
    await Promise.resolve();
    while (hasWork(line)) {
      const group = queue.take(line);
      if (group !== undefined) {
        await commit(group, 0);
        release(new Set(tenantsOf(group)));
      }
      const turn = line === "light" ? soon.shift() : undefined;
      if (group === undefined && (turn?.tries ?? 0) > 1) await delay(skipPauseMs);
      if (turn !== undefined) await take(turn);
    }
    running.delete(line);
  }

  /**
   * Commits a group and answers its entries, whatever happens. With `skipTries` it waits for locks,
   * else it leaves out the tenants whose logs are locked.
   */
  async function commit(group: Group, tries: number, repaired = false): Promise<void> {
    if (group.length === 0) return;
    const [id, nonces, at] = [randomUUID(), createNonces(group.length), performance.now()];
    const sent: Sent = { id, group, nonces, tries, repaired, at };
    let rows: Row[];
    try {
      rows = await send(sent);
    } catch (error) {
      return recover(error, sent);
    }
    settle(sent, rows);
  }

  function send({ id, group, nonces, tries }: Sent) {
    const column = (of: (event: NewEvent) => string | null) =>
      arrayText(group.map((entry) => of(entry.event)));
    const json = (of: (event: NewEvent) => string) =>
      separated(group.map((entry) => of(entry.event)));
    return sql<Row[]>`
      select ordinal, outcome, sequence, day::text,
        (date_part('epoch', appended_at) * 1000)::bigint as at, id, envelope
      from append_to_logs(${id}, ${tries >= skipTries},
        ${column((event) => event.tenant)}::uuid[], ${arrayText(nonces)}::text[],
        ${column((event) => event.type)}::text[], ${column((event) => event.subject)}::text[],
        ${column((event) => event.key)}::text[], ${column((event) => event.digest)}::text[],
        (string_to_array(${json((event) => event.start)}, chr(31)))[2:],
        ${column((event) => event.time)}::text[],
        (string_to_array(${json((event) => event.middle)}, chr(31)))[2:],
        (string_to_array(${json((event) => event.content)}, chr(31)))[2:])`;
  }

  function settle(sent: Sent, rows: Row[]) {
    const { group, tries } = sent;
    const durationMs = performance.now() - sent.at;
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
    const appended = rows.filter(({ outcome }) => outcome === "appended").length;
    report("answered", sent, { outcomes: { appended, deferred: deferred.length }, durationMs });
    if (deferred.length > 0) defer(deferred, tries + 1);
  }

  function report(
    outcome: AppendReport["outcome"],
    { group, tries, at }: Pick<Sent, "group" | "tries" | "at">,
    also: Partial<AppendReport>,
  ): void {
    const durationMs = performance.now() - at;
    const outcomes = { appended: 0, deferred: 0 };
    const told = { group, at, tries, outcome, outcomes, durationMs, error: undefined, ...also };
    tellAll(observers, told, log);
  }

  /** Until they wait they are tried together, then each tenant alone. */
  function defer(deferred: Group, tries: number) {
    if (tries < skipTries) return setAside(deferred, tries);
    for (const entries of byTenant(deferred)) setAside(entries, skipTries);
  }

  /** What their tenants append meanwhile stays in their queues, so that its order is kept. */
  function setAside(entries: Group, tries: number, apart = false) {
    const tenants = [...new Set(tenantsOf(entries))];
    for (const tenant of tenants) queue.hold(tenant);
    const turn: Turn = { tenants, entries, tries, apart };
    if (tries < skipTries) {
      soon.push(turn);
      start();
    } else {
      patient.push(turn);
      if (waiters < waitersMax) startAside(takePatient());
    }
  }

  function startAside(work: Promise<void>) {
    aside.add(work);
    void work.finally(() => aside.delete(work));
  }

  /**
   * Leaves each line its connection: the driver would send everyone else's groups behind a
   * statement that waits.
   */
  async function takePatient() {
    waiters += 1;
    for (let turn = patient.shift(); turn !== undefined; turn = patient.shift()) await take(turn);
    waiters -= 1;
  }

  async function take({ tenants, entries, tries, apart }: Turn) {
    await (apart ? commitHalves(entries, tries) : commit(entries, tries));
    release(tenants);
  }

  function release(tenants: Iterable<TenantId>) {
    for (const tenant of tenants) queue.release(tenant);
    start();
  }

  async function recover(error: unknown, sent: Sent): Promise<void> {
    const { group, tries, repaired } = sent;
    const failure = classifyFailure(error);
    switch (failure) {
      case "not-done":
        return refuseAll(sent, "unavailable", error);
      case "in-doubt":
        return startAside(lookUp(error, sent));
      case "no-partition":
        return repaired ? refuseAll(sent, "failed", error) : retryWithPartition(sent);
      case "data":
        if (group.length === 1) return refuseAll(sent, "refused", error);
        if (tries >= skipTries) return commitHalves(group, tries);
        return setAside(group, byTenant(group).length > 1 ? tries : skipTries, true);
      case "fault":
        return refuseAll(sent, "failed", error);
    }
  }

  function refuseAll(sent: Pick<Sent, "group" | "tries" | "at">, kind: Refusal, error: unknown) {
    for (const entry of sent.group) queue.answer(entry, { kind });
    report(kind, sent, { error });
  }

  /**
   * A value that the database refuses spoils its own event only. Tenants are told apart first, so
   * that none waits for another's lock. The halves of one tenant do wait: were the first of them
   * deferred, the second would overtake it.
   */
  async function commitHalves(group: Group, tries: number) {
    const tenants = byTenant(group);
    const parts = tenants.length > 1 ? tenants : group.map((entry) => [entry]);
    const half = parts.length >> 1;
    const [first, second] = [parts.slice(0, half).flat(), parts.slice(half).flat()];
    await commit(first, tries);
    // Only what is looked up is open yet. It may turn out not to be there.
    const isInDoubt = tenants.length === 1 && first.some(isOpen);
    if (isInDoubt) for (const entry of second) queue.answer(entry, { kind: "unavailable" });
    else await commit(queue.unbroken(second), tries);
  }

  async function retryWithPartition(sent: Sent) {
    try {
      await createPartitions(sql);
    } catch (error) {
      return refuseAll(sent, "unavailable", error);
    }
    return commit(sent.group, sent.tries, true);
  }

  /**
   * Finds out what became of a group, and holds up nobody but its tenants meanwhile. As long as
   * the database is away, what they append is refused like everyone else's.
   */
  async function lookUp(error: unknown, sent: Sent): Promise<void> {
    const { id, group, nonces, at } = sent;
    log.warn({ events: group.length, err: error }, "append lost its connection: looking up");
    const deadline = Math.max(at + lookupMaxMs, performance.now() + lookupMinMs);
    const tenants = tenantsOf(group);
    for (const tenant of tenants) queue.hold(tenant);
    try {
      // When a connection is dropped for its silence, the idle ones beside it go only after it.
      await delay(lookupPauseMs);
      while (performance.now() < deadline) {
        try {
          const found = await lookUpGroup(sql, id, tenants, nonces);
          if (found === undefined) return refuseAll(sent, "unavailable", error);
          return settle(sent, answerOf(group, found));
        } catch (failure) {
          const waiting = queue.takeAll(tenants);
          if (waiting.length > 0) {
            refuseAll({ group: waiting, tries: 0, at: performance.now() }, "unavailable", failure);
          }
          await delay(lookupPauseMs);
        }
      }
      refuseAll(sent, "in-doubt", error);
    } finally {
      release(tenants);
    }
  }
}

/** The tenant of each entry. */
function tenantsOf(group: Group): TenantId[] {
  return group.map((entry) => entry.event.tenant);
}

function byTenant(group: Group): Group[] {
  return [...Map.groupBy(group, (entry) => entry.event.tenant).values()];
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
  if (event.span !== undefined) (run.spans ??= new Set()).add(event.span);
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
