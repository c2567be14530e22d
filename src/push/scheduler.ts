/**
 * Shares the process's slots: tenants take turns, and within a tenant its lanes do, one delivery a
 * turn. So neither an endpoint nor a tenant with a great deal to send holds back the others.
 *
 * A tenant that has used up its rate is left out until it may start another attempt. What waits
 * for that is still in its lane: it holds no slot, and no attempt of it has begun.
 */
import { createBucket, type Bucket } from "../bucket.ts";
import type { TenantId } from "../log/event.ts";
import type { Delivery, Lane } from "./lane.ts";

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
  /** Attempts and settles; never rejects. */
  deliver: (delivery: Delivery) => Promise<void>;
  /** False while outcomes cannot be written: nothing new is started then. */
  mayStart: () => boolean;
}) {
  const { slots, deliver, mayStart } = options;
  /** Lanes that may have something to give, in the order of their turns. */
  const waiting = new Map<TenantId, Set<Lane>>();
  const rates = new Map<TenantId, Rate>();
  const running = new Set<Promise<void>>();
  let stopped = false;

  return { ready, limit, pump, inFlight: () => running.size, stop };

  function ready(lane: Lane): void {
    const { tenant } = lane.endpoint;
    const held = rates.get(tenant)?.held;
    if (held !== undefined) return void held.add(lane);
    let lanes = waiting.get(tenant);
    if (lanes === undefined) waiting.set(tenant, (lanes = new Set()));
    lanes.add(lane);
    pump();
  }

  /** Holds the tenant to so many attempts a second from now on; null is no limit. */
  function limit(tenant: TenantId, perSecond: number | null): void {
    const rate = rates.get(tenant);
    if (rate?.perSecond === perSecond) return;
    if (perSecond === null) rates.delete(tenant);
    else if (rate !== undefined) rate.perSecond = perSecond;
    else rates.set(tenant, newRate(perSecond));
    if (rate !== undefined) letIn(tenant, rate);
  }

  /** Whether the tenant may start an attempt now; if not, it is left out until then. */
  function mayGoOn(tenant: TenantId, lanes: Set<Lane>): boolean {
    const rate = rates.get(tenant);
    if (rate === undefined) return true;
    const waitMs = rate.bucket.waitMs(1, rate.perSecond, performance.now());
    if (waitMs === 0) return true;
    waiting.delete(tenant);
    rate.held = lanes;
    rate.timer = setTimeout(() => letIn(tenant, rate), waitMs);
    return false;
  }

  function letIn(tenant: TenantId, rate: Rate): void {
    clearTimeout(rate.timer);
    if (rate.held === undefined) return;
    waiting.set(tenant, rate.held);
    rate.held = undefined;
    pump();
  }

  /** Starts what there is room for. */
  function pump(): void {
    while (!stopped && running.size < slots && mayStart()) {
      const delivery = next();
      if (delivery === undefined) return;
      const done = deliver(delivery).finally(() => {
        running.delete(done);
        pump();
      });
      running.add(done);
    }
  }

  function next(): Delivery | undefined {
    for (const [tenant, lanes] of waiting) {
      if (!mayGoOn(tenant, lanes)) continue;
      for (const lane of lanes) {
        lanes.delete(lane);
        const delivery = lane.take();
        if (delivery === undefined) continue;
        lanes.add(lane);
        rates.get(tenant)?.bucket.take(1);
        waiting.delete(tenant);
        waiting.set(tenant, lanes);
        return delivery;
      }
      waiting.delete(tenant);
    }
    return undefined;
  }

  /** Starts nothing more; resolves when what is in flight has ended, or after `graceMs`. */
  async function stop(graceMs: number): Promise<void> {
    stopped = true;
    for (const rate of rates.values()) clearTimeout(rate.timer);
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    await Promise.race([Promise.all(running), grace]);
    clearTimeout(timer);
  }
}

function newRate(perSecond: number): Rate {
  return { perSecond, bucket: createBucket(), held: undefined, timer: undefined };
}
