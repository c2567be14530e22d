/**
 * Compares the endpoints that are driven with those that there are, for changes whose frame was
 * lost, and has their lanes write how far they have come. Each tenant's turn comes every few seconds,
 * and turns are spread over that time: for 2,000 tenants at once the database had statements of 37 and
 * 46 ms, while all others wait for its processor and for the event loop.
 */
import type { TenantId } from "../log/event.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { InForce } from "./endpoints.ts";
import type { Roster } from "./roster.ts";

/** For how long a change that nobody told of may go unnoticed. */
const roundMs = 5_000;

/** Those whose turn comes within it share a statement, and so there are five a second at most. */
const turnMs = 200;

export function startComparison(options: {
  /** Those that are busy now, in the order of their turns: who comes is added, at the end. */
  rosters: Map<TenantId, Roster>;
  inForce: (tenants: readonly TenantId[]) => Promise<ReadonlyMap<TenantId, InForce>>;
  /** The attempts a second that a tenant has now. */
  limit: (tenant: TenantId, perSecond: number | null) => void;
  log: Logger;
}): { stop(): void } {
  const { rosters, inForce, limit, log } = options;
  /** Of all tenants together: each whole round of it is one tenant whose turn has come. */
  let waitedMs = 0;
  const timer = setInterval(takeTurn, turnMs);

  return { stop: () => clearInterval(timer) };

  function takeTurn(): void {
    waitedMs += rosters.size * turnMs;
    const some = [...rosters].slice(0, Math.floor(waitedMs / roundMs));
    waitedMs -= some.length * roundMs;
    if (some.length === 0) return;
    for (const [tenant, roster] of some) {
      rosters.delete(tenant);
      rosters.set(tenant, roster);
    }
    compare(some.map(([tenant]) => tenant));
  }

  function compare(tenants: readonly TenantId[]): void {
    for (const tenant of tenants) rosters.get(tenant)?.checkpoint();
    inForce(tenants).then(
      (found) => {
        for (const tenant of tenants) tell(tenant, found.get(tenant));
      },
      (error: unknown) => log.warn({ err: error }, "cannot compare endpoints, trying again later"),
    );
  }

  function tell(tenant: TenantId, its: InForce | undefined): void {
    const roster = rosters.get(tenant);
    if (roster === undefined) return;
    if (!roster.isCurrent(its?.generations)) roster.reload();
    else if (its !== undefined) {
      limit(tenant, its.pushesPerSecond);
      roster.tellReplays(its.replaying);
    }
    if (its !== undefined) roster.learn(its.receipts);
  }
}
