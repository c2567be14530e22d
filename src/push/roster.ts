/** The lanes of one tenant in this process: loaded when there is something to do, together. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Fence } from "../deliveries/ledger.ts";
import type { ReceiptFrame } from "../fanout/fanout.ts";
import type { Feed } from "../feed/feed.ts";
import { createTurns } from "../feed/turns.ts";
import type { TenantId } from "../log/event.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Driven, Endpoint, Loaded } from "./endpoints.ts";
import { createLane, type Lane, type LaneContext } from "./lane.ts";

export type Roster = {
  readonly shard: number;
  /**
   * Reads the endpoints again: lanes whose endpoint changed are replaced, the others go on. Until
   * it is read nothing new is sent, so that a change takes effect where it is told. `onNone` is
   * called when there are none: the tenant may be gone.
   */
  reload(onNone?: () => void): void;
  /** Stops driving an endpoint under this fence, and soon drives it anew from what is written. */
  reopen(fence: Fence): void;
  /** What a consumer has said of an endpoint's events. */
  hear(receipt: ReceiptFrame): void;
  /** How many such receipts endpoints have had by now. */
  learn(receipts: ReadonlyMap<string, number>): void;
  /** Whether it drives these endpoints under these generations, or is about to read anew. */
  isCurrent(generations: Driven | undefined): boolean;
  /** Tells the lanes which of their endpoints have replay jobs that are running. */
  tellReplays(replaying: ReadonlySet<string>): void;
  /** Writes how far the lanes have come over events that do not match, for whoever asks for lag. */
  checkpoint(): void;
  /** True when no lane owes anything and the log has not moved for a while. */
  isQuiet(): boolean;
  close(): void;
};

/** A tenant that had an event lately will likely have another, and loading costs two queries. */
const quietMs = 60_000;

/** Lanes opened or woken in one turn of the event loop: about a millisecond. */
const turnMaxLanes = 32;

const reloadPauseMs = 500;
const reopenPauseMs = 1_000;

export function createRoster(options: {
  tenant: TenantId;
  shard: number;
  /** Of the shard's lease. */
  epoch: number;
  feed: Feed;
  log: Logger;
  load: (tenant: TenantId, driven: Driven) => Promise<Loaded | undefined>;
  context: Omit<LaneContext, "outdated">;
}): Roster {
  const { tenant, shard, epoch, feed, log, load, context } = options;
  const lanes = new Map<string, Lane>();
  let releases: (() => void)[] = [];
  /** Whose secrets cannot be opened, say: no reason to read them again and again. */
  let undrivable: Driven = new Map();
  const reopening = new WeakSet<Lane>();
  const rereading = new WeakSet<Lane>();
  let movedAt = performance.now();
  /** In turns of their own: whoever told us is in the middle of an append. */
  const woken = createTurns<Lane>((lane) => lane.wake(), turnMaxLanes);
  let loading = false;
  let stale = true;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let tellNone: (() => void) | undefined;

  // Before the first read, so that nothing falls between the two.
  const unfollow = feed.follow(tenant, shard, wake);
  reload();
  return {
    ...{ shard, reload, reopen, hear, learn, isCurrent, tellReplays, checkpoint, isQuiet, close },
  };

  function wake(): void {
    movedAt = performance.now();
    for (const lane of lanes.values()) woken.add(lane);
  }

  function reload(onNone?: () => void): void {
    stale = true;
    tellNone ??= onNone;
    if (releases.length === 0) releases = Array.from(lanes.values(), (lane) => lane.hold());
    if (!loading) void loadWhileStale();
  }

  function reopen(fence: Fence): void {
    const lane = lanes.get(fence.endpoint);
    if (lane?.fence !== fence || reopening.has(lane)) return;
    reopening.add(lane);
    lane.hold();
    // Not at once: whatever is wrong with it may be wrong again.
    setTimeout(() => {
      if (lanes.get(fence.endpoint) !== lane) return;
      lane.close();
      lanes.delete(fence.endpoint);
      reload();
    }, reopenPauseMs);
  }

  function hear(receipt: ReceiptFrame): void {
    const lane = lanes.get(receipt.endpoint);
    lane?.receipts.hear(receipt);
    // What is being read may have been read before it.
    if (lane === undefined && loading) stale = true;
  }

  function learn(receipts: ReadonlyMap<string, number>): void {
    for (const [id, count] of receipts) lanes.get(id)?.receipts.learn(count);
  }

  /**
   * Opens a lane anew from what is written, under the claims that it has: so what is in flight is
   * first let end, or it would be sent twice. The other lanes go on.
   */
  function reread(lane: Lane): void {
    if (rereading.has(lane)) return;
    rereading.add(lane);
    lane.hold();
    lane.closeAtRest(() => {
      const { id } = lane.endpoint;
      if (closed || lanes.get(id) !== lane) return;
      lanes.delete(id);
      stale = true;
      if (!loading) void loadWhileStale();
    });
  }

  async function loadWhileStale(): Promise<void> {
    loading = true;
    try {
      while (stale && !closed) {
        stale = false;
        const loaded = await load(tenant, driven());
        // Changed again meanwhile: what was read may be superseded already.
        if (!stale) await replaceLanes(loaded);
        if (loaded !== undefined) tellReplays(loaded.replaying);
        if (!stale && !closed && loaded === undefined) tellNone?.();
      }
      tellNone = undefined;
      for (const release of releases.splice(0)) release();
    } catch (error) {
      log.warn({ tenantId: tenant, err: error }, "endpoints not loaded, trying again");
      timer = setTimeout(() => reload(), reloadPauseMs);
    } finally {
      loading = false;
    }
  }

  function driven(): Map<string, number> {
    return new Map(Array.from(lanes, ([id, { fence }]) => [id, fence.generation]));
  }

  async function replaceLanes(loaded: Loaded | undefined): Promise<void> {
    if (closed) return;
    const { generations = new Map<string, number>(), endpoints = [] } = loaded ?? {};
    for (const [id, lane] of lanes) {
      if (generations.get(id) === lane.fence.generation) continue;
      lane.close();
      lanes.delete(id);
    }
    for (const [index, endpoint] of endpoints.entries()) {
      if (index % turnMaxLanes === turnMaxLanes - 1) await nextTurn();
      if (closed || stale) return;
      openLane(endpoint);
    }
    undrivable = new Map([...generations].filter(([id]) => !lanes.has(id)));
  }

  function openLane(endpoint: Endpoint): void {
    const { id, generation } = endpoint;
    if (lanes.has(id)) return;
    const fence = { tenant, endpoint: id, shard, epoch, generation };
    const lane = createLane(endpoint, fence, { ...context, outdated: reread });
    lanes.set(id, lane);
    woken.add(lane);
  }

  function isCurrent(generations: Driven = new Map()): boolean {
    if (loading || stale) return true;
    if (generations.size !== lanes.size + undrivable.size) return false;
    const known = (id: string) => lanes.get(id)?.fence.generation ?? undrivable.get(id);
    return [...generations].every(([id, generation]) => known(id) === generation);
  }

  function tellReplays(replaying: ReadonlySet<string>): void {
    for (const [id, lane] of lanes) lane.tellReplays(replaying.has(id));
  }

  function checkpoint(): void {
    for (const lane of lanes.values()) lane.checkpoint();
  }

  function isQuiet(): boolean {
    if (loading || performance.now() - movedAt < quietMs) return false;
    return [...lanes.values()].every((lane) => lane.isIdle());
  }

  function close(): void {
    closed = true;
    unfollow();
    clearTimeout(timer);
    for (const lane of lanes.values()) {
      woken.delete(lane);
      lane.close();
    }
    lanes.clear();
  }
}
