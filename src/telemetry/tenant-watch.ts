/**
 * Which tenants have series of their own: the busiest, those that fail most and the pinned ones.
 * All others are told together as `other`, so the number of series is bounded whatever the number of
 * tenants is, and so is the memory for choosing them (leaders.ts).
 *
 * A tenant that comes in begins its own series at 0, and what it had before stays in `other`; one
 * that goes out takes its series with it, and what it has from then on is in `other`. So a series
 * never goes back while it is there, and rates over all of them never tell more than there was. To
 * add up the values themselves means nothing.
 *
 * A tenant that is really named `other` is told as such and has no series to itself.
 */
import { createLeaders } from "./leaders.ts";

export const otherTenants = "other";

export type TenantWatch = {
  /** Series that a metric may have for each label of this kind, beside `other`. */
  readonly places: number;
  /** Events of a tenant were appended here. Tenants by their uuids. */
  appended(tenant: string, events: number): void;
  /** An attempt was made. Whether the tenant has series of its own. */
  attempted(tenant: string, name: string, failed: boolean): boolean;
  isWatched(tenant: string, name: string): boolean;
  /** Those that are watched for what they do. */
  tenants(): readonly string[];
  /** The names of those that always are. */
  readonly pinned: readonly string[];
  /** Chooses anew, if it is time. Called at a scrape. */
  review(now: number): void;
};

export function createTenantWatch(options: {
  /** Half of them for the busiest, half for those that fail most. */
  places: number;
  pinned: readonly string[];
}): TenantWatch {
  const { places, pinned } = options;
  const pins = new Set(pinned);
  const busiest = createLeaders(Math.ceil(places / 2));
  const failing = createLeaders(Math.floor(places / 2));
  return {
    places: places + pins.size,
    appended: (tenant, events) => void busiest.add(tenant, events),
    attempted,
    isWatched,
    tenants: () => [...new Set([...busiest.keys(), ...failing.keys()])],
    pinned,
    review,
  };

  function attempted(tenant: string, name: string, failed: boolean): boolean {
    const isBusy = busiest.add(tenant, 1);
    const fails = failed ? failing.add(tenant, 1) : failing.has(tenant);
    return (isBusy || fails || pins.has(name)) && name !== otherTenants;
  }

  function isWatched(tenant: string, name: string): boolean {
    const does = busiest.has(tenant) || failing.has(tenant);
    return (does || pins.has(name)) && name !== otherTenants;
  }

  function review(now: number): void {
    busiest.review(now);
    failing.review(now);
  }
}
