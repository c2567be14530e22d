/**
 * Cuts a window so that no part has more of a tenant's events than the tenant may append in a
 * second: each part passes the limit after a short wait, instead of all at once and into debt.
 */
import type { Tenant } from "../http/auth.ts";
import type { NewEvent } from "../log/new-event.ts";
import { Problem } from "../problem.ts";
import type { Prepared } from "./prepare.ts";

export type Slice = {
  /** The number of the line of each event. */
  readonly lines: readonly number[];
  readonly events: readonly (NewEvent | Problem)[];
  /** Of the events to append, by tenants with a limit. */
  readonly counts: ReadonlyMap<Tenant, number>;
};

export function cutToPace({ events, tenants }: Prepared, lines: readonly number[]): Slice[] {
  const limited = [...tenants.values()].some(({ limits }) => limits.appendsPerSecond !== null);
  if (!limited) return [{ lines, events, counts: new Map() }];
  const slices: Slice[] = [];
  let start = 0;
  let counts = new Map<Tenant, number>();
  events.forEach((event, index) => {
    const tenant = event instanceof Problem ? undefined : tenants.get(event.tenant);
    const limit = tenant?.limits.appendsPerSecond ?? null;
    if (tenant === undefined || limit === null) return;
    const count = counts.get(tenant) ?? 0;
    if (count >= Math.max(1, Math.floor(limit))) cut(index);
    counts.set(tenant, (counts.get(tenant) ?? 0) + 1);
  });
  cut(events.length);
  return slices;

  function cut(end: number): void {
    slices.push({ lines: lines.slice(start, end), events: events.slice(start, end), counts });
    start = end;
    counts = new Map();
  }
}
