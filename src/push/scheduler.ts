/**
 * Shares the process's slots: tenants take turns, and within a tenant its lanes do, one delivery a
 * turn. So neither an endpoint nor a tenant with a great deal to send holds back the others.
 */
import type { TenantId } from "../log/event.ts";
import type { Delivery, Lane } from "./lane.ts";

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
  const running = new Set<Promise<void>>();
  let stopped = false;

  return { ready, pump, inFlight: () => running.size, stop };

  function ready(lane: Lane): void {
    const { tenant } = lane.endpoint;
    let lanes = waiting.get(tenant);
    if (lanes === undefined) waiting.set(tenant, (lanes = new Set()));
    lanes.add(lane);
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
      for (const lane of lanes) {
        lanes.delete(lane);
        const delivery = lane.take();
        if (delivery === undefined) continue;
        lanes.add(lane);
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
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    await Promise.race([Promise.all(running), grace]);
    clearTimeout(timer);
  }
}
