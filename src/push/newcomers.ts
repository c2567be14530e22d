/**
 * Which of the tenants whose logs move have endpoints to push to. Most may have none. So all that
 * came while one look was under way are looked up together, and a tenant without an endpoint costs
 * no more than a place in a set, which is emptied every few seconds: whoever has moved since is
 * looked up anew then, in case that nobody told of an endpoint.
 */
import type { TenantId } from "../log/event.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { InForce } from "./endpoints.ts";

/** Of one look. The statement grows with them, and the first wait for the last. */
const lookMaxTenants = 1_000;

/** Pause after a look that failed. */
const lookPauseMs = 500;

export function createNewcomers(options: {
  inForce: (tenants: readonly TenantId[]) => Promise<ReadonlyMap<TenantId, InForce>>;
  /** A tenant that has endpoints. */
  found: (tenant: TenantId, shard: number, inForce: InForce) => void;
  log: Logger;
}) {
  const { inForce, found, log } = options;
  /** Tenants with their shards: to be looked up, and without endpoints. */
  const waiting = new Map<TenantId, number>();
  const without = new Set<TenantId>();
  /** Of those without, who has moved since. */
  const movedSince = new Map<TenantId, number>();
  let looking = false;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  return { moved, changed, lookAgain, stop };

  /** Something may have come to be sent. */
  function moved(tenant: TenantId, shard: number): void {
    if (without.has(tenant)) movedSince.set(tenant, shard);
    else changed(tenant, shard);
  }

  /** Its endpoints have changed. */
  function changed(tenant: TenantId, shard: number): void {
    without.delete(tenant);
    waiting.set(tenant, shard);
    look();
  }

  /** To be called every few seconds, and when changes may have been missed. */
  function lookAgain(): void {
    without.clear();
    for (const [tenant, shard] of movedSince) waiting.set(tenant, shard);
    movedSince.clear();
    look();
  }

  function stop(): void {
    stopped = true;
    clearTimeout(timer);
  }

  function look(): void {
    if (looking || stopped || timer !== undefined || waiting.size === 0) return;
    looking = true;
    void lookWhileWaiting().finally(() => {
      looking = false;
      // What came while the last answer was taken in.
      look();
    });
  }

  async function lookWhileWaiting(): Promise<void> {
    while (waiting.size > 0 && !stopped) {
      const some = takeSome();
      try {
        const answer = await inForce(some.map(([tenant]) => tenant));
        for (const [tenant, shard] of some) tell(tenant, shard, answer.get(tenant));
      } catch (error) {
        log.warn({ err: error }, "cannot look for endpoints, trying again");
        for (const [tenant, shard] of some) waiting.set(tenant, shard);
        timer = setTimeout(() => {
          timer = undefined;
          look();
        }, lookPauseMs);
        return;
      }
    }
  }

  /** No longer waiting: who comes again while the look is under way is looked up again. */
  function takeSome(): [TenantId, number][] {
    const some: [TenantId, number][] = [];
    for (const entry of waiting) {
      if (some.length === lookMaxTenants) break;
      some.push(entry);
      waiting.delete(entry[0]);
    }
    return some;
  }

  function tell(tenant: TenantId, shard: number, its: InForce | undefined): void {
    if (stopped || waiting.has(tenant)) return;
    if (its === undefined) without.add(tenant);
    else found(tenant, shard, its);
  }
}
