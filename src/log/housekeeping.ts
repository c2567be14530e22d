/**
 * Work that has to be done now and then, by one process for all: each process offers to, and the
 * one that holds the lease does it, one chore at a time. When it dies another goes on within ten
 * seconds, so a chore keeps what it must remember in the database, works in bounded steps and asks
 * before each whether it may still take it.
 */
import { randomUUID } from "node:crypto";
import type { Sql } from "../db/database.ts";
import type { Logger } from "../telemetry/logger.ts";
import { startLease } from "./lease.ts";

export type Chore = {
  readonly name: string;
  /** From one turn to the next. */
  readonly everyMs: number;
  /** One turn. "more": there is more to do at once, after the other chores had theirs. */
  run(context: ChoreContext): Promise<"done" | "more">;
};

export type ChoreContext = {
  /** False when another process may keep house by now: no further step then. */
  isHeld(): boolean;
};

/** What a process has done of a chore since it started. */
export type ChoreRecord = {
  readonly everyMs: number;
  /** Times in milliseconds since 1970. */
  readonly doneAt: number | undefined;
  /** Undefined when its last turn did not fail. */
  readonly failingSince: number | undefined;
  readonly failures: number;
  /** Of its last turn, done or failed. */
  readonly tookMs: number | undefined;
};

export type Housekeeping = ReturnType<typeof startHousekeeping>;

/** A chore that failed is tried again after this, or earlier where its own pace is quicker. */
const retryMs = 60_000;

const untouched = { doneAt: undefined, failingSince: undefined, failures: 0, tookMs: undefined };

/** A chore that is this late is worth looking at. None is in a hurry. */
const defaultOverdueMs = 300_000;

export function startHousekeeping(options: {
  /** For the lease alone: what the chores do must not delay its renewal. */
  sql: Sql;
  log: Logger;
  chores: readonly Chore[];
  /** No other process can be alive, see `startLease`. */
  alone?: boolean;
  overdueMs?: number;
  /** This process, as a uuid. */
  process?: string;
}) {
  const { sql, log, chores, alone = false, overdueMs = defaultOverdueMs } = options;
  const { process = randomUUID() } = options;
  /** On the monotonic clock, by name. */
  const dueAt = new Map(chores.map(({ name }) => [name, 0]));
  /** Since the start; times in milliseconds since 1970. */
  const records = new Map<string, ChoreRecord>(
    chores.map(({ name, everyMs }) => [name, { ...untouched, everyMs }]),
  );
  /** On the monotonic clock. */
  let heldSince = 0;
  let running: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const lease = startLease({ sql, log, process, alone, gained });
  const context: ChoreContext = { isHeld: () => !stopped && lease.isHeld() };
  return { wake, status, overdue, stop };

  /** What this process has done of it, and whether it keeps house now. */
  function status() {
    const done = Array.from(records, ([name, record]) => ({ name, ...record }));
    return { isHeld: context.isHeld(), chores: done };
  }

  /**
   * Something is to be done: the chore's turn comes now, if this process keeps house. Else whoever
   * does finds it at the chore's own pace.
   */
  function wake(name: string): void {
    if (!dueAt.has(name)) throw new Error(`there is no chore ${name}`);
    dueAt.set(name, performance.now());
    look();
  }

  function gained(): void {
    heldSince = performance.now();
    look();
  }

  /**
   * Chores that fail, or whose turn was to come and did not, and since when (milliseconds since 1970):
   * for longer than `overdueMs`. Nothing where another process keeps house.
   */
  function overdue(): { chore: string; since: number }[] {
    if (!context.isHeld()) return [];
    const now = performance.now();
    return chores.flatMap(({ name }) => {
      const waitingMs = now - Math.max(dueAt.get(name) ?? now, heldSince);
      const failingMs = Date.now() - (records.get(name)?.failingSince ?? Date.now());
      const lateMs = Math.max(waitingMs, failingMs);
      return lateMs > overdueMs ? [{ chore: name, since: Math.round(Date.now() - lateMs) }] : [];
    });
  }

  async function stop(): Promise<void> {
    stopped = true;
    clearTimeout(timer);
    await running;
    await lease.stop();
  }

  function look(): void {
    if (running !== undefined || !context.isHeld()) return;
    clearTimeout(timer);
    running = runDue().finally(() => {
      running = undefined;
      // Without the lease there is nothing to wait for: it looks again when it is gained.
      if (context.isHeld()) timer = setTimeout(look, Math.max(earliest() - performance.now(), 0));
    });
  }

  async function runDue(): Promise<void> {
    for (let due = dueNow(); due.length > 0 && context.isHeld(); due = dueNow()) {
      for (const chore of due) if (context.isHeld()) await runOne(chore);
    }
  }

  async function runOne({ name, everyMs, run }: Chore): Promise<void> {
    // Before it runs, so that a wake-up meanwhile is not forgotten.
    dueAt.set(name, performance.now() + everyMs);
    const startedAt = performance.now();
    const tookMs = () => Math.round(performance.now() - startedAt);
    const line = () => ({ chore: name, durationMs: tookMs() });
    const note = (turn: Partial<ChoreRecord>) => {
      const before = records.get(name) ?? { ...untouched, everyMs };
      records.set(name, { ...before, ...turn, tookMs: tookMs() });
    };
    try {
      const outcome = await run(context);
      if (outcome === "more") dueAt.set(name, performance.now());
      note({ doneAt: Date.now(), failingSince: undefined });
      log.debug({ ...line(), outcome, err: null }, "chore");
    } catch (error) {
      const { failures = 0, failingSince = Date.now() } = records.get(name) ?? {};
      note({ failures: failures + 1, failingSince });
      log.warn({ ...line(), outcome: "failed", err: error }, "chore");
      const again = performance.now() + Math.min(everyMs, retryMs);
      dueAt.set(name, Math.min(dueAt.get(name) ?? again, again));
    }
  }

  function dueNow(): Chore[] {
    const now = performance.now();
    return chores.filter(({ name }) => (dueAt.get(name) ?? 0) <= now);
  }

  function earliest(): number {
    return Math.min(...dueAt.values());
  }
}
