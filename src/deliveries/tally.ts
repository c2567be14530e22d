/**
 * Counts attempts in memory, by minute, tenant, endpoint and type, until they are written. Counting
 * is on the path of every delivery, so for an endpoint and a type that the minute has seen already
 * it is two look-ups and some additions.
 *
 * Memory is bounded, whatever tenants put in their types: beyond so many types of a tenant in a day
 * the type is `other`, and beyond so many endpoints and types between two writes attempts count for
 * their tenant and no endpoint, and at last for no tenant. The sum over all tenants is always whole.
 */
import type { TenantId } from "../log/event.ts";
import { addTo, increment } from "./histogram.ts";

export type Counts = {
  attempts: number;
  failures: number;
  /** Of the attempts, those that were not the first of their delivery. */
  retries: number;
  /** Histograms (histogram.ts). */
  readonly queueMs: number[];
  readonly latencyMs: number[];
};

export type Counted = {
  /** The start of the minute, milliseconds since 1970. */
  readonly minute: number;
  readonly tenant: string;
  readonly endpoint: string;
  readonly type: string;
  readonly counts: Counts;
};

export type Tally = ReturnType<typeof createTally>;

/** In place of a tenant or an endpoint: all of them. */
export const everything = "00000000-0000-0000-0000-000000000000";

/** In place of a type that is not told apart. An event may have this type, and counts as such. */
const otherTypes = "other";

const minuteMs = 60_000;

/** Of one tenant in a day (UTC), as far as this process knows. */
const typesMax = 200;

/** Of all tenants together, about 100 bytes each; then they are learnt anew. */
const namesMax = 50_000;

/** Endpoints and types between two writes, up to 600 bytes each. */
const entriesMax = 20_000;

/** Early enough for a write to be done before there are so many. */
const manyEntries = 8_000;

type Entries = Map<string, { readonly tenant: string; readonly types: Map<string, Counts> }>;

export function createTally({ many }: { many: () => void }) {
  const names = createTypeNames();
  let minute = 0;
  let entries: Entries = new Map();
  let size = 0;
  let ended: { minute: number; entries: Entries }[] = [];

  return { countsOf, typeOfAll, take };

  /** Where to count an attempt that ended now, which is in milliseconds since 1970. */
  function countsOf(owner: { tenant: TenantId; id: string }, type: string, now: number): Counts {
    if (now - minute >= minuteMs || now < minute) turn(now - (now % minuteMs));
    return entries.get(owner.id)?.types.get(type) ?? begin(owner, type);
  }

  /** The minute is another, be it an earlier one. */
  function turn(next: number): void {
    if (entries.size > 0) ended.push({ minute, entries });
    entries = new Map();
    minute = next;
  }

  function begin({ tenant, id }: { tenant: TenantId; id: string }, type: string): Counts {
    const named = names.of(tenant, type, minute);
    if (size < entriesMax) return entry(tenant, id, named);
    // Their own ids stand for what adds up all endpoints, until it is taken.
    if (size < 2 * entriesMax) return entry(tenant, tenant, otherTypes);
    return entry(everything, everything, otherTypes);
  }

  function entry(tenant: string, key: string, type: string): Counts {
    let found = entries.get(key);
    if (found === undefined) entries.set(key, (found = { tenant, types: new Map() }));
    let counts = found.types.get(type);
    if (counts === undefined) {
      found.types.set(type, (counts = noCounts()));
      size += 1;
      if (size === manyEntries) many();
    }
    return counts;
  }

  /** What a type is called in the sum over all tenants. */
  function typeOfAll(type: string, at: number): string {
    return names.of(everything, type, at);
  }

  /** What was counted since it was taken last. */
  function take(): Counted[] {
    turn(minute);
    const taken = ended.flatMap((past) => list(past.minute, past.entries));
    ended = [];
    size = 0;
    return taken;
  }
}

export function noCounts(): Counts {
  return { attempts: 0, failures: 0, retries: 0, queueMs: [], latencyMs: [] };
}

export function countAttempt(
  counts: Counts,
  attempt: { failed: boolean; retry: boolean; queueMs: number; latencyMs: number },
): void {
  counts.attempts += 1;
  if (attempt.failed) counts.failures += 1;
  if (attempt.retry) counts.retries += 1;
  increment(counts.queueMs, attempt.queueMs);
  increment(counts.latencyMs, attempt.latencyMs);
}

export function addCounts(counts: Counts, others: Counts): void {
  counts.attempts += others.attempts;
  counts.failures += others.failures;
  counts.retries += others.retries;
  addTo(counts.queueMs, others.queueMs);
  addTo(counts.latencyMs, others.latencyMs);
}

function list(minute: number, entries: Entries): Counted[] {
  const counted: Counted[] = [];
  for (const [key, { tenant, types }] of entries) {
    const endpoint = key === tenant ? everything : key;
    for (const [type, counts] of types) counted.push({ minute, tenant, endpoint, type, counts });
  }
  return counted;
}

/** Which types are told apart: the first of each tenant in a day. */
function createTypeNames() {
  const dayMs = 24 * 60 * minuteMs;
  let day = 0;
  let known = new Map<string, Set<string>>();
  let size = 0;

  return { of };

  function of(tenant: string, type: string, at: number): string {
    const today = Math.floor(at / dayMs);
    if (today !== day || size >= namesMax) {
      [day, known, size] = [today, new Map(), 0];
    }
    let types = known.get(tenant);
    if (types === undefined) known.set(tenant, (types = new Set()));
    if (types.has(type)) return type;
    if (types.size >= typesMax) return otherTypes;
    types.add(type);
    size += 1;
    return type;
  }
}
