/**
 * Which events a reader wants: by type, by subject, or both. Consumers are cursors over the whole
 * log, so a filter is asked about every event that is scanned and has to answer fast.
 *
 * A filter is known by its fingerprint: cursors carry it, and two filters that name the same things
 * in another order are the same filter. Two filters that name different things and happen to match
 * the same events (`order.*` with and without `order.created`) are different ones.
 */

import { createHash } from "node:crypto";
import type { LogEvent } from "./event.ts";

/** `null` asks for all; an empty list names nothing and so matches nothing. */
export type Filter = {
  /** Exact types, or `order.*` for everything below `order.` at any depth. */
  readonly types: readonly string[] | null;
  /** Exact subjects. An event without a subject matches none of them. */
  readonly subjects: readonly string[] | null;
};

export type CompiledFilter = {
  matches(event: Pick<LogEvent, "type" | "subject">): boolean;
  /** 7 bytes; a cursor made for this filter carries the same. */
  readonly fingerprint: Buffer;
  /** True when nothing is filtered, so that readers can leave out the question. */
  readonly all: boolean;
};

export const unfiltered: Filter = { types: null, subjects: null };

/** The type of an event: words between dots. */
export const eventTypeForm = /^[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)*$/;

/** What a filter may name: a type, or a type and `.*` behind it. A `*` stands nowhere else. */
export const typePatternForm = /^[a-zA-Z0-9_]+(\.[a-zA-Z0-9_]+)*(\.\*)?$/;

/** Bytes. 56 bits are no secret; they only have to tell apart the filters of one tenant. */
const fingerprintBytes = 7;

/**
 * Answers remembered per filter. Tenants have tens of types; the bound is there because each lane
 * has a filter of its own, and a full one then holds about 20 kB.
 */
const rememberedTypesMax = 256;

export function compileFilter(filter: Filter): CompiledFilter {
  const matchesType = filter.types === null ? null : compileTypes(filter.types);
  const subjects = filter.subjects === null ? null : new Set(filter.subjects);
  return {
    matches: ({ type, subject }) =>
      (subjects === null || (subject !== null && subjects.has(subject))) &&
      (matchesType === null || matchesType(type)),
    fingerprint: fingerprintOf(filter),
    all: matchesType === null && subjects === null,
  };
}

function compileTypes(patterns: readonly string[]): (type: string) => boolean {
  const below = new Set<string>();
  const exact = new Set<string>();
  for (const pattern of patterns) {
    if (pattern.endsWith(".*")) below.add(pattern.slice(0, -".*".length));
    else exact.add(pattern);
  }
  if (below.size === 0) return (type) => exact.has(type);

  const remembered = new Map<string, boolean>();
  return (type) => {
    const known = remembered.get(type);
    if (known !== undefined) return known;
    const answer = exact.has(type) || standsBelow(type, below);
    if (remembered.size >= rememberedTypesMax) remembered.clear();
    remembered.set(type, answer);
    return answer;
  };
}

/** Asks for `a`, then `a.b`, when the type is `a.b.c`: the cost does not grow with the patterns. */
function standsBelow(type: string, parents: ReadonlySet<string>): boolean {
  for (let dot = type.indexOf("."); dot !== -1; dot = type.indexOf(".", dot + 1)) {
    if (parents.has(type.slice(0, dot))) return true;
  }
  return false;
}

/** Zeros without a filter, else the start of a hash over the names in one order, each once. */
function fingerprintOf({ types, subjects }: Filter): Buffer {
  if (types === null && subjects === null) return Buffer.alloc(fingerprintBytes);
  const canonical = JSON.stringify([inOneOrder(types), inOneOrder(subjects)]);
  return createHash("sha256").update(canonical).digest().subarray(0, fingerprintBytes);
}

/** By code units, so that the order is the same on every machine, whatever its locale. */
function inOneOrder(names: readonly string[] | null): string[] | null {
  return names && [...new Set(names)].sort();
}
