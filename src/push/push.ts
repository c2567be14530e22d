/**
 * The push role: drives the endpoints of the shards that this process leases. Endpoints that have
 * nothing to do cost nothing here: a tenant is loaded when its log moves or a retry is owed, and
 * let go when it has been quiet for a while.
 */
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import type { Sql } from "../db/database.ts";
import { endpointName } from "../deliveries/endpoint.ts";
import { createCircuits } from "../deliveries/circuits.ts";
import { createReplayLedger } from "../deliveries/replay-ledger.ts";
import { createLedger, type Fence, type Ledger } from "../deliveries/ledger.ts";
import type { Feed, News } from "../feed/feed.ts";
import type { TenantId } from "../log/event.ts";
import { createLastMatched } from "../log/last-matched.ts";
import { createLog } from "../log/log.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createBufferBudget } from "./budget.ts";
import { startComparison } from "./comparison.ts";
import type { Deliver } from "./deliver.ts";
import type { Driven, EndpointLoader, InForce, Loaded } from "./endpoints.ts";
import type { Lane, LaneSurvey } from "./lane.ts";
import type { LaneNotices } from "./notices.ts";
import { startLeases } from "./leases.ts";
import { createNewcomers } from "./newcomers.ts";
import { createReplayPace } from "./replay-pace.ts";
import { createReplayPages } from "./replay-pages.ts";
import { createRecordedReader } from "./recorded.ts";
import { createRetryLoader } from "./retries.ts";
import { createRoster, type Roster } from "./roster.ts";
import { createScheduler } from "./scheduler.ts";
import { createSubjectReads } from "./subject-reads.ts";

export type PushStatus = {
  readonly shardsHeld: number;
  /** Attempts under way. */
  readonly inFlight: number;
  /** Those of replays, and how many there have been since the start. */
  readonly replaysInFlight: number;
  readonly replays: number;
  /** Outcomes that the database has not taken yet. */
  readonly unwritten: number;
  readonly slots: number;
  /** Of which what is large takes several. */
  readonly slotsUsed: number;
  /** Since the start: handed to the ledger, replays apart. */
  readonly deadLetters: number;
  /** Since the start, by what circuits changed to. */
  readonly circuitChanges: Readonly<Record<"open" | "half_open" | "closed", number>>;
};

/** What all lanes are at. To be asked for now and then: it looks at each. */
export type PushSurvey = {
  readonly lanes: Readonly<Record<LaneSurvey["state"], number>>;
  /** That are due and loaded; a lane loads 100 at a time. */
  readonly retriesDue: number;
  /** Age of the oldest event that could go now if this process had a slot for it; 0 without one. */
  readonly backlogAgeMs: number;
};

export type PushHealth = {
  /** False when its leases may have run out: then it starts nothing. */
  readonly isLeased: boolean;
  /** Since when outcomes cannot be written, milliseconds since 1970; undefined when they can. */
  readonly unwrittenSince: number | undefined;
};

export type Push = {
  status(): PushStatus;
  survey(): Promise<PushSurvey>;
  health(): PushHealth;
  /**
   * Starts nothing new, lets attempts end within the grace time, writes their outcomes and gives
   * back the shards, each as soon as none of its attempts is under way. What has not ended by then is
   * delivered again by whoever takes over.
   */
  stop(graceMs: number): Promise<void>;
};

/** Outcomes that may wait to be written before new attempts pause. */
const unwrittenMax = 20_000;

/** Read ahead by all lanes together. */
const buffersMaxBytes = 64 << 20;

/** How often tenants that nobody announced are looked for, and quiet ones are let go. */
const sweepMs = 30_000;

/** How often tenants that had no endpoints are looked up again, if they have moved since. */
const lookMs = 5_000;

/** Pause after a look for work that failed. */
const workPauseMs = 500;

/** Lanes looked at in one turn of the event loop, a microsecond each. */
const turnMaxLanes = 1_000;

/** For the last outcomes and the leases, once all attempts have ended. */
const handOverMaxMs = 5_000;

export async function startPush(options: {
  /** For reads. */
  sql: Sql;
  /** For leases and outcomes, which must not stand behind anybody's long read: two connections. */
  writes: Sql;
  feed: Feed;
  log: Logger;
  endpoints: EndpointLoader;
  deliver: Deliver;
  notices: LaneNotices;
  /** This process, as a uuid. */
  process: string;
  shards: number;
  /** Attempts in flight at once. */
  slots: number;
  /** No other process can be alive on this database. */
  alone: boolean;
}): Promise<Push> {
  const { sql, writes, feed, log, endpoints, deliver, process, shards, slots, alone } = options;
  let stopped = false;
  /** Until the first leases are there nothing asks. */
  let isHeld = () => true;
  /** Shards held, each with its lease's epoch and the end of watching it. */
  const held = new Map<number, { epoch: number; unwatch: () => void }>();
  const rosters = new Map<TenantId, Roster>();
  /** Of all rosters, most of which may have none. */
  const lanes = new Set<Lane>();
  let deadLetters = 0;

  const ledger = createLedger({
    sql: writes,
    log,
    process,
    refused,
    written: () => scheduler.pump(),
  });
  const scheduler = createScheduler({
    slots,
    deliver,
    mayStart: () => ledger.pending() < unwrittenMax && isHeld(),
  });
  const circuits = createCircuits({ sql: writes, log, process });
  const context = {
    ...{ feed, ledger: { ...ledger, record }, circuits, log, lanes, ready: scheduler.ready },
    notices: options.notices,
    budget: createBufferBudget(buffersMaxBytes),
    loadRetries: createRetryLoader(sql),
    subjectReads: createSubjectReads(sql),
    readRecorded: createRecordedReader(sql),
    replays: {
      ledger: createReplayLedger({ reads: sql, writes, process }),
      pages: createReplayPages({ sql, log: createLog(sql), lastMatched: createLastMatched(sql) }),
      pace: createReplayPace({ slots }),
    },
  };
  const newcomers = createNewcomers({ inForce: endpoints.inForce, found: openRoster, log });
  const leases = await startLeases({ sql: writes, log, process, shards, alone, gained, lost });
  isHeld = leases.isHeld;
  const sweep = setInterval(() => {
    tidy();
    findWork([...held.keys()]);
  }, sweepMs);
  const look = setInterval(() => {
    newcomers.lookAgain();
    // Leases that were renewed at the last moment wake nobody.
    scheduler.pump();
  }, lookMs);
  const comparison = startComparison({
    ...{ rosters, inForce: endpoints.inForce, limit: scheduler.limit, log },
  });

  return { status, survey, health, stop };

  function status(): PushStatus {
    const { pace } = context.replays;
    return {
      ...{ shardsHeld: held.size, inFlight: scheduler.inFlight(), unwritten: ledger.pending() },
      ...{ replaysInFlight: pace.inFlight(), replays: pace.begun() },
      ...{ slots, slotsUsed: scheduler.used(), deadLetters },
      circuitChanges: circuits.changes(),
    };
  }

  async function survey(): Promise<PushSurvey> {
    let oldest = Infinity;
    await inTurns(scheduler.waiting(), (lane, now) => {
      if (scheduler.keepsBack(lane, now)) return;
      oldest = Math.min(oldest, lane.waitsSince(now) ?? Infinity);
    });
    const states = { idle: 0, live: 0, lagging: 0, held: 0 };
    let retriesDue = 0;
    await inTurns(lanes, (lane, now) => {
      const { state, retriesDue: due } = lane.survey(now);
      states[state !== "idle" && scheduler.keepsBack(lane, now) ? "held" : state] += 1;
      retriesDue += due;
    });
    return { lanes: states, retriesDue, backlogAgeMs: Math.max(0, Date.now() - oldest) };
  }

  function record(entry: Parameters<Ledger["record"]>[0]): void {
    if (entry.record?.kind === "dead") deadLetters += 1;
    ledger.record(entry);
  }

  function health(): PushHealth {
    return { isLeased: isHeld(), unwrittenSince: ledger.failing() };
  }

  function gained(claimed: ReadonlyMap<number, number>) {
    for (const [shard, epoch] of claimed) {
      const unwatch = feed.watch(shard, (tenant, news) => hear(tenant, shard, news));
      held.set(shard, { epoch, unwatch });
    }
    findWork([...claimed.keys()]);
  }

  async function lost(gone: readonly number[]): Promise<void> {
    for (const shard of gone) {
      held.get(shard)?.unwatch();
      held.delete(shard);
    }
    for (const [tenant, roster] of rosters) {
      if (!held.has(roster.shard)) closeRoster(tenant, roster);
    }
    // Nobody tells of changes there any more.
    newcomers.lookAgain();
    await ledger.drain();
  }

  function hear(tenant: TenantId, shard: number, news: News) {
    const roster = rosters.get(tenant);
    if (news.kind === "receipt") {
      if (roster !== undefined) roster.hear(news);
      // A retry may have come of it; else there is nothing new to send.
      else if (news.failed) newcomers.moved(tenant, shard);
      return;
    }
    const isMove = news.kind === "moved" || news.what === "endpoints";
    if (roster === undefined) {
      if (news.kind === "moved") newcomers.moved(tenant, shard);
      else if (isMove) newcomers.changed(tenant, shard);
    } else if (news.kind === "changed") {
      if (isMove) roster.reload();
      else if (news.what === "tenants") roster.reload(() => closeRoster(tenant, roster));
    }
  }

  /** `known`: what was read of it just now. */
  function openRoster(tenant: TenantId, shard: number, known?: InForce) {
    const epoch = held.get(shard)?.epoch;
    if (epoch === undefined || rosters.has(tenant)) return;
    let first = known;
    const loadIt = (its: TenantId, driven: Driven) => {
      const read = load(its, driven, first);
      first = undefined;
      return read;
    };
    rosters.set(tenant, createRoster({ tenant, shard, epoch, feed, log, load: loadIt, context }));
  }

  async function load(
    tenant: TenantId,
    driven: Driven,
    known: InForce | undefined,
  ): Promise<Loaded | undefined> {
    const found = await endpoints.load(tenant, driven, known);
    if (found !== undefined && rosters.has(tenant)) scheduler.limit(tenant, found.pushesPerSecond);
    return found;
  }

  function closeRoster(tenant: TenantId, roster: Roster) {
    rosters.delete(tenant);
    roster.close();
    scheduler.limit(tenant, null);
  }

  /** Loads the tenants that have something to send, in whatever way they came to have it. */
  function findWork(some: readonly number[]) {
    if (stopped) return;
    endpoints.tenantsWithWork(some).then(
      (found) => {
        for (const { tenant, shard } of found) {
          // Many at once, as at a start, are looked up together.
          if (!rosters.has(tenant)) newcomers.changed(tenant, shard);
        }
      },
      (error: unknown) => {
        log.warn({ err: error }, "cannot look for work, trying again");
        setTimeout(() => findWork(some.filter((shard) => held.has(shard))), workPauseMs);
      },
    );
  }

  function tidy() {
    for (const [tenant, roster] of rosters) {
      if (roster.isQuiet()) closeRoster(tenant, roster);
    }
  }

  /** Another process or another generation has the endpoint now, or an outcome was given up. */
  function refused(fence: Fence) {
    const line = { tenantId: fence.tenant, endpoint: endpointName(fence.endpoint) };
    log.info(line, "outcomes were not taken: beginning anew from what is written");
    rosters.get(fence.tenant)?.reopen(fence);
  }

  async function stop(graceMs: number): Promise<void> {
    clearInterval(sweep);
    clearInterval(look);
    comparison.stop();
    newcomers.stop();
    stopped = true;
    const ended = scheduler.stop(graceMs);
    leases.leave(scheduler.busyShards);
    await ended;
    // Without the database neither can be done: whoever takes over waits for the leases then.
    const given = leases
      .stop()
      .catch((error: unknown) => log.warn({ err: error }, "stopped with the shards still leased"));
    await Promise.race([given, delay(handOverMaxMs, undefined, { ref: false })]);
    ledger.close();
    circuits.close();
    options.notices.stop();
  }
}

/** Lets others have their turn between so many. `now` is by `performance.now()`. */
async function inTurns(
  lanes: Iterable<Lane>,
  look: (lane: Lane, now: number) => void,
): Promise<void> {
  let looked = 0;
  let now = performance.now();
  for (const lane of lanes) {
    look(lane, now);
    looked += 1;
    if (looked % turnMaxLanes > 0) continue;
    await nextTurn();
    now = performance.now();
  }
}
