/**
 * Shares the process's slots. Lanes stand in three lines, by how their endpoints stand (pace.ts):
 * proven ones may use all slots; new and slow ones a quarter together, and slow ones, which includes
 * silent ones and those that are being probed, half of that. So neither one endpoint that hangs nor
 * thousands of them slow down those that answer, or keep new ones from proving themselves; and the
 * lines take turns, so that those that answer do not either.
 *
 * While others wait a tenant has at most a quarter of the slots, and never more than three quarters:
 * the rest is there for whoever comes next.
 *
 * A tenant that has used up its rate is left out until it may start another attempt. What waits
 * for that is still in its lane: it holds no slot, and no attempt of it has begun.
 */
import { createBucket, type Bucket } from "../bucket.ts";
import type { TenantId } from "../log/event.ts";
import type { Delivery, Lane } from "./lane.ts";
import { createLine, slotsOf } from "./line.ts";
import type { Standing } from "./pace.ts";

/** Of all slots. */
const unprovenShare = 1 / 4;
const slowShare = 1 / 8;
const tenantShare = 1 / 4;
const tenantAloneShare = 3 / 4;

/** Started in one turn of the event loop: what comes in meanwhile must not wait for all of them. */
const startsMax = 64;

/**
 * Of those that are not proven so few at a time, and then none for a moment, which makes 500 a
 * second: each needs a new connection, and those that begin together time out together. Beside 2,000
 * endpoints that hang, with four times as many, the p99 of all others doubled.
 */
const unprovenStartsMax = 2;
const unprovenPauseMs = 4;

/** In the order of their turns. */
const standings: readonly Standing[] = ["proven", "new", "slow"];

/** A tenant's attempts a second. */
type Rate = {
  perSecond: number;
  readonly bucket: Bucket;
  /** Its lanes, while it is left out. */
  held: Set<Lane> | undefined;
  timer: NodeJS.Timeout | undefined;
};

export function createScheduler(options: {
  /** Attempts in flight at once, in the whole process. */
  slots: number;
  /** Attempts and settles; calls `done` once. */
  deliver: (delivery: Delivery, done: () => void) => void;
  /** False while outcomes cannot be written: nothing new is started then. */
  mayStart: () => boolean;
}) {
  const { slots, deliver, mayStart } = options;
  const lines = { proven: lineOf("proven"), new: lineOf("new"), slow: lineOf("slow") };
  const rates = new Map<TenantId, Rate>();
  let inFlight = 0;
  /** By shard. */
  const inFlightOf = new Map<number, number>();
  /** Called when nothing is in flight any more, once stopped. */
  let atRest: (() => void) | undefined;
  /** Slots in use: of all, by standing, and by tenant. */
  let used = 0;
  const usedBy: Record<Standing, number> = { proven: 0, new: 0, slow: 0 };
  const usedByTenant = new Map<TenantId, number>();
  let turn = 0;
  let pumping = false;
  /** What may still be started in this turn of the event loop. */
  let startsLeft = startsMax;
  let nextTurn: NodeJS.Immediate | undefined;
  /** Until the pause ends, those that are not proven. */
  let unprovenStartsLeft = unprovenStartsMax;
  let pause: NodeJS.Timeout | undefined;
  let stopped = false;

  return {
    ...{ ready, limit, pump, busyShards, stop, keepsBack },
    inFlight: () => inFlight,
    /** Slots, of which what is large takes several. */
    used: () => used,
    /** Lanes that are to be asked when there is a slot. */
    waiting: () => Object.values(lines).flatMap((line) => line.all()),
  };

  function ready(lane: Lane): void {
    const held = rates.get(lane.endpoint.tenant)?.held;
    if (held !== undefined) return void held.add(lane);
    place(lane);
    pump();
  }

  function place(lane: Lane): void {
    lines[lane.standing()].add(lane);
  }

  function lineOf(standing: Standing) {
    return createLine({ belongs: (lane) => lane.standing() === standing, moved: place });
  }

  /** Holds the tenant to so many attempts a second from now on; null is no limit. */
  function limit(tenant: TenantId, perSecond: number | null): void {
    const rate = rates.get(tenant);
    if (rate?.perSecond === perSecond) return;
    if (perSecond === null) rates.delete(tenant);
    else if (rate !== undefined) rate.perSecond = perSecond;
    else rates.set(tenant, newRate(perSecond));
    if (rate !== undefined) letIn(rate);
  }

  /** Whether the tenant's rate lets it start an attempt now; if not, it is left out until then. */
  function isInRate(tenant: TenantId): boolean {
    const rate = rates.get(tenant);
    if (rate === undefined) return true;
    const waitMs = rate.bucket.waitMs(1, rate.perSecond, performance.now());
    if (waitMs === 0) return true;
    rate.held = new Set(Object.values(lines).flatMap((line) => line.takeOut(tenant)));
    rate.timer = setTimeout(() => letIn(rate), waitMs);
    return false;
  }

  /** Whether the rate of its tenant keeps a lane back. `now` is by `performance.now()`. */
  function keepsBack({ endpoint: { tenant } }: Lane, now: number): boolean {
    const rate = rates.get(tenant);
    return rate !== undefined && rate.bucket.waitMs(1, rate.perSecond, now) > 0;
  }

  function letIn(rate: Rate): void {
    clearTimeout(rate.timer);
    const lanes = rate.held ?? [];
    rate.held = undefined;
    for (const lane of lanes) place(lane);
    pump();
  }

  /** Starts what there is room for. */
  function pump(): void {
    // Lanes say that they are ready while they are being asked.
    if (pumping) return;
    pumping = true;
    try {
      while (!stopped && used < slots && startsLeft > 0 && mayStart()) {
        const delivery = next();
        if (delivery === undefined) break;
        start(delivery);
      }
    } finally {
      pumping = false;
    }
  }

  function beginTurn(): void {
    nextTurn = undefined;
    startsLeft = startsMax;
    pump();
  }

  function endPause(): void {
    pause = undefined;
    unprovenStartsLeft = unprovenStartsMax;
    pump();
  }

  function next(): Delivery | undefined {
    return nextOf(isWithinShare) ?? nextOf(mayGoAlone);
  }

  function isWithinShare(tenant: TenantId): boolean {
    return usedOf(tenant) < Math.ceil(slots * tenantShare) && isInRate(tenant);
  }

  function mayGoAlone(tenant: TenantId): boolean {
    return usedOf(tenant) < Math.ceil(slots * tenantAloneShare) && isInRate(tenant);
  }

  function nextOf(mayBegin: (tenant: TenantId) => boolean): Delivery | undefined {
    turn += 1;
    for (let n = 0; n < standings.length; n += 1) {
      const standing = standings[(turn + n) % standings.length];
      if (standing === undefined || lines[standing].isEmpty() || !hasRoom(standing)) continue;
      const delivery = lines[standing].next(mayBegin);
      if (delivery !== undefined) return delivery;
    }
    return undefined;
  }

  function hasRoom(standing: Standing): boolean {
    if (standing === "proven") return true;
    if (unprovenStartsLeft === 0) return false;
    if (usedBy.new + usedBy.slow >= Math.ceil(slots * unprovenShare)) return false;
    return standing === "new" || usedBy.slow < Math.ceil(slots * slowShare);
  }

  function start(delivery: Delivery): void {
    const { lane } = delivery;
    const { tenant, shard } = lane.endpoint;
    const taken = slotsOf(delivery);
    // As it is now: what is counted is given back as it was counted.
    const standing = lane.standing();
    count(1, taken);
    nextTurn ??= setImmediate(beginTurn);
    startsLeft -= 1;
    if (standing !== "proven") {
      unprovenStartsLeft -= 1;
      pause ??= setTimeout(endPause, unprovenPauseMs);
    }
    rates.get(tenant)?.bucket.take(1);
    try {
      deliver(delivery, () => {
        count(-1, -taken);
        pump();
        if (inFlight === 0) atRest?.();
      });
    } catch (error) {
      // Not to whoever is pumping, who may take it for a fault of the log and go on without this
      // lane: a fault of ours ends the process, and what was under way is delivered by another.
      queueMicrotask(() => {
        throw error;
      });
    }

    function count(attempts: number, change: number) {
      inFlight += attempts;
      add(inFlightOf, shard, attempts);
      used += change;
      usedBy[standing] += change;
      add(usedByTenant, tenant, change);
    }
  }

  function usedOf(tenant: TenantId): number {
    return usedByTenant.get(tenant) ?? 0;
  }

  /** Those with attempts under way. */
  function busyShards(): ReadonlySet<number> {
    return new Set(inFlightOf.keys());
  }

  /** Starts nothing more; resolves when what is in flight has ended, or after `graceMs`. */
  async function stop(graceMs: number): Promise<void> {
    stopped = true;
    clearImmediate(nextTurn);
    clearTimeout(pause);
    for (const rate of rates.values()) clearTimeout(rate.timer);
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    const rest = new Promise<void>((resolve) => {
      atRest = resolve;
    });
    if (inFlight > 0) await Promise.race([rest, grace]);
    clearTimeout(timer);
  }
}

/** Keys of which nothing is left are not kept. */
function add<Key>(counts: Map<Key, number>, key: Key, change: number): void {
  const left = (counts.get(key) ?? 0) + change;
  if (left > 0) counts.set(key, left);
  else counts.delete(key);
}

function newRate(perSecond: number): Rate {
  return { perSecond, bucket: createBucket(), held: undefined, timer: undefined };
}
