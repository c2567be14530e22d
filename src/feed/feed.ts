/**
 * The one seam between the log and everyone who reads it live. A reader is a cursor: it calls
 * `follow`, then reads from its position until it is at the head, and reads on when it is woken.
 *
 * Each tenant that somebody follows has one tail, fed by the fan-out. Reads are answered from it
 * when it reaches back far enough, else from the log, where readers at the same position share one
 * statement. A lost frame costs at most one recheck (about a second), never an event.
 *
 * Wake-ups may come without reason and never carry events; a reader that is at the head of a tail
 * may for that one recheck not see what another process appended.
 */
import type { Fanout, Frame, ReceiptFrame } from "../fanout/fanout.ts";
import type { Position, Sequence, TenantId } from "../log/event.ts";
import type { Log, Read } from "../log/log.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createTail, type Tail } from "./tail.ts";
import { createFeedCounts } from "./metrics.ts";

export type Feed = ReturnType<typeof createFeed>;

/** What happened to a tenant of a watched shard. */
export type News =
  | { kind: "moved"; head: Sequence }
  | { kind: "changed"; what: string }
  | ReceiptFrame;

/** How soon a lost frame is noticed. */
const recheckMs = 1_000;

/** A commit takes this long to become visible only when the database is in trouble. */
const recheckOverlapMs = 3_000;

/** Every so many rechecks all followed heads are read, for what the overlap missed. */
const sweepEvery = 30;

/** All tails of the process together. */
const ringsMaxBytes = 64 << 20;

type Followed = { shard: number; tail: Tail; followers: Set<() => void> };
type Watch = (tenant: TenantId, news: News) => void;
/** What this process wants of a shard, over one subscription to the fan-out. */
type Shard = { tenants: number; watches: Set<Watch>; unsubscribe: () => void };

export function createFeed(options: { log: Log; fanout: Fanout; logger: Logger }) {
  const { log, fanout, logger } = options;
  const followed = new Map<TenantId, Followed>();
  const shards = new Map<number, Shard>();
  const reads = new Map<string, Promise<Read>>();
  const counts = createFeedCounts();
  let ringBytes = 0;
  let sinceMs: number | undefined;
  let rechecks = 0;
  let timer: NodeJS.Timeout | undefined = setTimeout(recheck, recheckMs);
  let rechecking: Promise<void> = Promise.resolve();

  return { read, follow, watch, measure: counts.measure, stop };

  /**
   * Up to `limit` events after `after`; at once, without a promise, when the tail has them. Out of
   * the log they end with the one that reaches `maxBytes`.
   */
  function read(
    tenant: TenantId,
    after: Position,
    limit: number,
    maxBytes?: number,
  ): Read | Promise<Read> {
    const tail = followed.get(tenant)?.tail;
    const recent = tail?.slice(after.sequence, limit);
    if (recent !== undefined) {
      return { kind: "events", events: recent, atHead: recent.length < limit };
    }
    // Not shared across news: a read that began before it may not show it, and whoever was woken
    // by it would take that for the head and not be woken again.
    const key = `${tenant} ${after.sequence} ${limit} ${maxBytes} ${tail?.end()}`;
    let shared = reads.get(key);
    if (shared === undefined) {
      const options = maxBytes === undefined ? {} : { maxBytes };
      shared = log.read(tenant, after, limit, options).finally(() => reads.delete(key));
      reads.set(key, shared);
    }
    return shared;
  }

  /**
   * Calls `wake` whenever the tenant's log may have grown. Follow before the first read: what is
   * appended in between then wakes, and nothing falls between the two. `wake` must only schedule
   * work, not do it. Returns the end of following.
   */
  function follow(tenant: TenantId, shard: number, wake: () => void): () => void {
    let entry = followed.get(tenant);
    if (entry === undefined) {
      entry = openTail(shard);
      followed.set(tenant, entry);
    }
    const { followers } = entry;
    followers.add(wake);
    return () => {
      if (followers.delete(wake) && followers.size === 0) closeTail(tenant);
    };
  }

  /** Tells what happens to the tenants of a shard, followed or not. Returns the end of it. */
  function watch(shard: number, tell: Watch): () => void {
    const { watches } = subscribe(shard);
    watches.add(tell);
    return () => {
      watches.delete(tell);
      unsubscribe(shard);
    };
  }

  async function stop(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    for (const tenant of [...followed.keys()]) closeTail(tenant);
    await rechecking;
  }

  function openTail(shard: number): Followed {
    const followers = new Set<() => void>();
    const tail = createTail(
      () => {
        for (const wake of followers) wake();
      },
      (bytes) => {
        ringBytes += bytes;
      },
      counts.gap,
    );
    subscribe(shard).tenants += 1;
    return { shard, tail, followers };
  }

  function closeTail(tenant: TenantId) {
    const entry = followed.get(tenant);
    if (entry === undefined) return;
    followed.delete(tenant);
    entry.tail.close();
    const shard = shards.get(entry.shard);
    if (shard !== undefined) shard.tenants -= 1;
    unsubscribe(entry.shard);
  }

  function subscribe(number: number): Shard {
    let shard = shards.get(number);
    if (shard === undefined) {
      shard = { tenants: 0, watches: new Set(), unsubscribe: fanout.subscribe(number, receive) };
      shards.set(number, shard);
    }
    return shard;
  }

  function unsubscribe(number: number) {
    const shard = shards.get(number);
    if (shard === undefined || shard.tenants > 0 || shard.watches.size > 0) return;
    shards.delete(number);
    shard.unsubscribe();
  }

  function receive(frame: Frame) {
    if (frame.tenant === null) return;
    counts.received(frame);
    const tail = followed.get(frame.tenant)?.tail;
    if (frame.kind === "events") tail?.offer(frame);
    // It may be about to be erased: nothing of it is handed out of memory then.
    else if (frame.kind === "changed" && frame.what === "tenants") tail?.flush();
    const news = newsOf(frame);
    for (const tell of shards.get(frame.shard)?.watches ?? []) tell(frame.tenant, news);
    if (ringBytes > ringsMaxBytes) emptyRings();
  }

  /** Empties whole rings, longest untouched first: their readers go to the log for a while. */
  function emptyRings() {
    for (const [tenant, entry] of followed) {
      if (ringBytes <= ringsMaxBytes) return;
      entry.tail.clear();
      followed.delete(tenant);
      followed.set(tenant, entry);
    }
  }

  function recheck() {
    rechecking = (async () => {
      try {
        if (shards.size > 0) await learnWhatMoved();
        else sinceMs = undefined;
      } catch (error) {
        logger.warn({ err: error }, "recheck failed; trying again in a second");
      }
      if (timer !== undefined) timer = setTimeout(recheck, recheckMs);
    })();
  }

  async function learnWhatMoved() {
    const { nowMs, tenants } = await log.moved(sinceMs ?? Date.now() - recheckOverlapMs);
    sinceMs = nowMs - recheckOverlapMs;
    for (const { tenant, shard, head } of tenants) {
      learn(tenant, head);
      for (const tell of shards.get(shard)?.watches ?? []) tell(tenant, { kind: "moved", head });
    }
    rechecks += 1;
    if (rechecks % sweepEvery === 0) {
      for (const { tenant, position } of await log.heads([...followed.keys()])) {
        learn(tenant, position.sequence);
      }
    }
  }

  function learn(tenant: TenantId, head: Sequence) {
    if (followed.get(tenant)?.tail.learn(head) === true) {
      logger.debug({ tenantId: tenant, head }, "the log grew without a frame");
    }
  }
}

function newsOf(frame: Frame): News {
  switch (frame.kind) {
    case "events":
      return { kind: "moved", head: frame.last };
    case "changed":
      return { kind: "changed", what: frame.what };
    case "receipt":
      return frame;
  }
}
