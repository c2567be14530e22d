/**
 * Tells tenants that asked for it what becomes of the delivery of their feed, as events of that feed.
 * Whoever tells waits for nothing and is never failed: notices stand in a bounded queue, and a loop
 * appends those that were asked for. What there is no room for is left out and counted, and so is what
 * waits when the process is killed: the ledger and the statistics say what became of deliveries, with
 * or without a notice of it.
 *
 * How many a tenant gets is bounded, so that whatever goes wrong its feed stays its own.
 */
import { once } from "node:events";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import { LRUCache } from "lru-cache";
import { createBucket } from "../bucket.ts";
import { arrayText, type Sql } from "../db/database.ts";
import type { AppendResult, NewEvent } from "../log/new-event.ts";
import type { TenantId } from "../log/event.ts";
import { compileFilter, type CompiledFilter } from "../log/filter.ts";
import type { Logger } from "../telemetry/logger.ts";
import { toNewEvent, type Notice } from "./notice.ts";

export type Notices = {
  /** Appends it soon, if its tenant asked for its type and there are not too many. */
  tell(tenant: TenantId, notice: Notice): void;
  /** Tells what it has been told, as far as the grace time lasts; after that nothing more. */
  stop(graceMs: number): Promise<void>;
};

type Told = { readonly tenant: TenantId; readonly notice: Notice };

/** An outage of everything, told of each of so many endpoints: about 5 MB. */
const waitingMax = 10_000;

/** One look at who asks, and one append. */
const batchMax = 200;

/** While the database is away, or the tenant has too much to append. */
const retryPauseMs = 1_000;

/** About a minute. */
const appendTriesMax = 60;

/** Appends under way, each of one tenant: one that is refused holds up nobody else's. */
const appendsMax = 500;

/** Of one tenant and in each process: 60 at once, and as many a minute. */
const perSecond = 1;
const burstSeconds = 60;

/** Tenants whose rate is known. One that is forgotten begins with a full burst. */
const ratesMax = 10_000;

export function createNotices(options: {
  sql: Sql;
  log: Logger;
  /** Of the appender: it never rejects. */
  append: (events: readonly NewEvent[]) => Promise<AppendResult[]>;
}): Notices {
  const { sql, log, append } = options;
  const waiting: Told[] = [];
  const rates = new LRUCache<TenantId, ReturnType<typeof createRate>>({ max: ratesMax });
  const given = new AbortController();
  const appending = new Set<Promise<void>>();
  let dropped = 0;
  let stopped = false;
  let working: Promise<void> | undefined;

  return { tell, stop };

  function tell(tenant: TenantId, notice: Notice): void {
    if (stopped || waiting.length >= waitingMax) {
      dropped += 1;
      return;
    }
    waiting.push({ tenant, notice });
    working ??= work();
  }

  async function stop(graceMs: number): Promise<void> {
    stopped = true;
    const timer = setTimeout(() => given.abort(), graceMs);
    // A database that is silent answers neither a look nor an append for much longer.
    await Promise.race([finish(), once(given.signal, "abort")]);
    clearTimeout(timer);
    // Whoever pauses counts what it leaves out.
    await nextTurn();
    dropped += waiting.splice(0).length;
    tellDropped();
  }

  async function finish(): Promise<void> {
    await working;
    await Promise.all(appending);
  }

  async function work(): Promise<void> {
    while (waiting.length > 0 && !given.signal.aborted) {
      const batch = waiting.slice(0, batchMax);
      const asked = await insist(() => whoAsks(batch));
      if (asked === undefined || given.signal.aborted) break;
      waiting.splice(0, batch.length);
      start(toEvents(batch, asked));
      while (appending.size >= appendsMax) await Promise.race(appending);
    }
    // In the same turn as the last look at what waits, or what comes in between would be left.
    working = undefined;
    tellDropped();
  }

  function tellDropped(): void {
    if (dropped > 0) log.warn({ notices: dropped }, "operational events left out");
    dropped = 0;
  }

  function start(events: readonly NewEvent[]): void {
    for (const some of Map.groupBy(events, ({ tenant }) => tenant).values()) {
      const one = appendAll(some).finally(() => appending.delete(one));
      appending.add(one);
    }
  }

  /** Until it is done; undefined when there is no more time for it. */
  async function insist<Result>(ask: () => Promise<Result>): Promise<Result | undefined> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        log.warn({ err: error }, "operational events wait, trying again");
        await pause();
        if (given.signal.aborted) return undefined;
      }
    }
  }

  async function pause(): Promise<void> {
    // It rejects when the grace time ends, which is looked at then.
    await delay(retryPauseMs, undefined, { signal: given.signal }).catch(() => {});
  }

  /** Asked anew each time: there is seldom anything to tell, and then it holds what was just set. */
  async function whoAsks(batch: readonly Told[]): Promise<ReadonlyMap<TenantId, Asking>> {
    const tenants = [...new Set(batch.map(({ tenant }) => tenant))];
    const rows = await sql<{ id: TenantId; name: string; shard: number; types: string[] }[]>`
      select id, name, shard, operational_events as types from tenants
      where id = any(${arrayText(tenants)}::uuid[])
        and operational_events <> '{}' and erasing_since is null`;
    return new Map(
      rows.map(({ types, ...row }) => {
        const filter = compileFilter({ types, subjects: null });
        return [row.id, { ...row, filter }];
      }),
    );
  }

  function toEvents(batch: readonly Told[], asking: ReadonlyMap<TenantId, Asking>): NewEvent[] {
    return batch.flatMap(({ tenant: id, notice }) => {
      const tenant = asking.get(id);
      const wants = tenant?.filter.matches({ type: notice.type, subject: notice.about.name });
      if (tenant === undefined || wants !== true) return [];
      const suppressed = rateOf(id).take(performance.now());
      return suppressed === undefined ? [] : [toNewEvent(tenant, notice, suppressed)];
    });
  }

  function rateOf(tenant: TenantId) {
    let rate = rates.get(tenant);
    if (rate === undefined) rates.set(tenant, (rate = createRate()));
    return rate;
  }

  async function appendAll(events: readonly NewEvent[]): Promise<void> {
    let open = events;
    for (let tries = 1; open.length > 0; tries += 1) {
      const results = await append(open);
      // Under their keys they can be handed in again.
      const again = open.filter((_, index) => mayComeAgain(results[index]));
      const lost = results.filter(({ kind }) => kind === "failed" || kind === "refused").length;
      if (lost > 0) log.error({ notices: lost }, "operational events could not be appended");
      if (again.length > 0) await pause();
      const isOver = given.signal.aborted || tries >= appendTriesMax;
      if (isOver) dropped += again.length;
      open = isOver ? [] : again;
    }
  }
}

/** A tenant that asked for operational events, and for which. */
type Asking = {
  readonly id: TenantId;
  readonly name: string;
  readonly shard: number;
  readonly filter: CompiledFilter;
};

function createRate() {
  const bucket = createBucket(burstSeconds);
  let suppressed = 0;

  return {
    /** How many before it were left out; undefined when this one is. */
    take(now: number): number | undefined {
      if (bucket.waitMs(1, perSecond, now) > 0) {
        suppressed += 1;
        return undefined;
      }
      bucket.take(1);
      const before = suppressed;
      suppressed = 0;
      return before;
    },
  };
}

function mayComeAgain(result: AppendResult | undefined): boolean {
  return result?.kind === "unavailable" || result?.kind === "in-doubt";
}
