/**
 * Lets go of days. First one statement commits the oldest day that may be read, which every page
 * statement checks: from then on the days before are gone for readers, at one moment and for good,
 * since that day never goes back. Their partitions follow in steps, each of which may be cut off
 * and is found again by whoever keeps house next:
 *
 *     attached ──detach──▶ detached ──drop──▶ gone
 *         └─(cut off)─▶ detaching ──finish──▶ ┘
 *
 * Before the detach and before the drop the longest statement time-out passes, so no statement can
 * be running that began with an earlier oldest day, and none finds a table missing.
 *
 * A clock that jumps ahead must not delete the log. So nothing is let go while this process and the
 * database disagree about the time, nor for an hour after this process's own clock has jumped, which
 * may be the database's clock too. A process that starts after the jump cannot know of it.
 */
import { statementTimeoutMs, type Sql } from "../db/database.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Chore, ChoreContext } from "./housekeeping.ts";
import {
  detachPartition,
  dropPartition,
  finishDetach,
  listPartitions,
  partitionedTables,
  type Partition,
} from "./partitions.ts";

/** Little against a day, much against what clocks that are set differ by. */
const clocksApartMaxMs = 3 * 3_600_000;

/** In which somebody notices a clock that jumped, and sets it right. */
const jumpedForMs = 3_600_000;

/**
 * Appends look for keys of today and yesterday; a day more for appends that take their time. Whoever
 * wants statistics by the minute looks as far back; those by the hour stay as long as the log.
 */
const shortDaysKept = 2;
const shortLived: ReadonlySet<string> = new Set(["append_keys", "delivery_minutes"]);

/** Rows per statement, so that it holds no locks for long. */
const daysMaxRows = 10_000;

const everyMs = 60_000;

type Limits = {
  /** Partitions before it go. */
  oldestDay: string;
  /** Undefined while the time is in doubt. */
  oldestShortDay: string | undefined;
};

export function createRetention(options: {
  /** Of its own: a statement that waits here must not hold up those of readers. */
  sql: Sql;
  log: Logger;
  retentionDays: number;
  /** The longest that a statement may run. */
  settleMs?: number;
  /** This process's clock, in milliseconds since 1970. */
  now?: () => number;
}): Chore {
  const { sql, log, retentionDays, settleMs = statementTimeoutMs, now = Date.now } = options;
  const hasJumped = createJumpWatch(now);
  /** Since when, on the monotonic clock, the oldest day is known to be committed. */
  let committed = { oldestDay: "", at: 0 };
  /** Since when each is known to be detached, by name. */
  let detachedAt = new Map<string, number>();
  return { name: "retention", everyMs, run };

  async function run({ isHeld }: ChoreContext): Promise<"done" | "more"> {
    const limits = await moveOldestDay();
    const partitions = await listPartitions(sql);
    noteDetached(partitions);
    let more = false;
    let failure: Error | undefined;
    for (const table of partitionedTables) {
      if (!isHeld()) return "done";
      const step = nextStep(
        partitions.filter((partition) => partition.table === table),
        shortLived.has(table) ? limits.oldestShortDay : limits.oldestDay,
      );
      try {
        await step?.();
        more ||= step !== undefined;
      } catch (error) {
        // A table that is in use for hours, by a dump, must not keep the others.
        failure ??= error instanceof Error ? error : new Error(String(error));
      }
    }
    if (isHeld()) more = (await forgetDays(limits.oldestDay)) || more;
    if (failure !== undefined) throw failure;
    return more ? "more" : "done";
  }

  async function moveOldestDay(): Promise<Limits> {
    const [days] = await sql<
      [{ oldest: string; wanted: string; oldest_short: string; apart_ms: number }]
    >`
      select oldest_day::text as oldest,
        greatest(oldest_day, today - ${retentionDays}::int)::text as wanted,
        (today - ${shortDaysKept}::int)::text as oldest_short,
        abs(extract(epoch from now) * 1000 - ${now()})::bigint as apart_ms
      from log_settings, (
        select now, (now at time zone 'UTC')::date as today
        from (select clock_timestamp() as now offset 0) as clock
      ) as clock`;
    let oldestDay = days.oldest;
    let oldestShortDay: string | undefined = days.oldest_short;
    const jumped = hasJumped();
    if (jumped || days.apart_ms > clocksApartMaxMs) {
      const doubt = { jumped, apartMs: days.apart_ms };
      log.warn(doubt, "the time is in doubt: no day is let go");
      oldestShortDay = undefined;
    } else if (days.wanted !== days.oldest) {
      oldestDay = days.wanted;
      await sql`update log_settings set oldest_day = greatest(oldest_day, ${oldestDay}::date)`;
      log.info({ oldestDay, retentionDays }, "retention");
    }
    if (committed.oldestDay !== oldestDay) committed = { oldestDay, at: performance.now() };
    return { oldestDay, oldestShortDay };
  }

  /** Those first seen now may have been detached just before. */
  function noteDetached(partitions: readonly Partition[]) {
    const now = performance.now();
    const detached = partitions.filter(({ state }) => state === "detached");
    detachedAt = new Map(detached.map(({ name }) => [name, detachedAt.get(name) ?? now]));
  }

  /** Drops come first: they wait for nobody. */
  function nextStep(
    partitions: readonly Partition[],
    oldest: string | undefined,
  ): (() => Promise<void>) | undefined {
    if (oldest === undefined) return undefined;
    const settledBy = performance.now() - settleMs;
    const past = partitions.filter(({ day }) => day < oldest.replaceAll("-", ""));
    const unused = past.find(({ name }) => (detachedAt.get(name) ?? Infinity) <= settledBy);
    if (unused !== undefined) return () => dropPartition(sql, unused);
    const begun = past.find(({ state }) => state === "detaching");
    if (begun !== undefined) return () => finishDetach(sql, begun);
    const attached = past.find(({ state }) => state === "attached");
    if (attached === undefined || committed.at > settledBy) return undefined;
    return () => detachPartition(sql, attached);
  }

  /** True when there are more. */
  async function forgetDays(oldestDay: string): Promise<boolean> {
    const { count } = await sql`
      delete from log_days where (tenant, day) in (
        select tenant, day from log_days where day < ${oldestDay}
        limit ${daysMaxRows} for update skip locked)`;
    return count === daysMaxRows;
  }
}

/** Tells, asked now and then, whether a clock has jumped within the last hour. */
function createJumpWatch(now: () => number): () => boolean {
  let offset = now() - performance.now();
  let jumpedAt = -Infinity;
  return () => {
    const monotonic = performance.now();
    const offsetNow = now() - monotonic;
    if (Math.abs(offsetNow - offset) > clocksApartMaxMs) jumpedAt = monotonic;
    offset = offsetNow;
    return monotonic - jumpedAt < jumpedForMs;
  };
}
