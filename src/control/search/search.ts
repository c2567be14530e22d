/**
 * Finds things of any tenant by what an operator has at hand. A text with the form of an id is looked
 * up by it and costs next to nothing. Anything else is looked for in names and URLs, at the cost of a
 * look at all of them: one search at a time in this process, so that a page which asks at every key
 * that is pressed takes one connection, and a kind that takes too long is left out and named.
 */
import type { Database } from "../../db/database.ts";
import { readWithin, type ReadSql } from "../../db/read-within.ts";
import type { TenantByPrefix } from "../../http/owner.ts";
import type { Log } from "../../log/log.ts";
import {
  consumerHit,
  endpointHit,
  eventTypeHit,
  tenantHit,
  type Hit,
  type HitKind,
} from "./hits.ts";
import { createIdLookups } from "./ids.ts";
import { findConsumers, findEndpoints, findEventTypes, findTenants } from "./statements.ts";

export type SearchAnswer = {
  readonly hits: readonly Hit[];
  /** Kinds of which there are more than were wanted. */
  readonly more: readonly HitKind[];
  /** Kinds that there was not the time to look at. */
  readonly incomplete: readonly HitKind[];
};

/** Looks no further, and throws, when `signal` tells that nobody waits for the answer any more. */
export type Search = (text: string, limit: number, signal: AbortSignal) => Promise<SearchAnswer>;

/** For each kind: some thirty times what 100,000 endpoints take. */
const defaultKindMaxMs = 1_000;

type Find = (sql: ReadSql, text: string, limit: number) => Promise<Hit[]>;

const finds: readonly (readonly [HitKind, Find])[] = [
  ["tenant", async (...asked) => (await findTenants(...asked)).map(tenantHit)],
  ["endpoint", async (...asked) => (await findEndpoints(...asked)).map(endpointHit)],
  ["consumer", async (...asked) => (await findConsumers(...asked)).map(consumerHit)],
  ["event_type", async (...asked) => (await findEventTypes(...asked)).map(eventTypeHit)],
];

export function createSearch(options: {
  database: Database;
  log: Log;
  tenantByPrefix: TenantByPrefix;
  kindMaxMs?: number;
}): Search {
  const { database, kindMaxMs = defaultKindMaxMs } = options;
  const ids = createIdLookups(options);
  let last: Promise<unknown> = Promise.resolve();
  return search;

  async function search(text: string, limit: number, signal: AbortSignal): Promise<SearchAnswer> {
    const lookUp = ids.lookupFor(text);
    if (lookUp === undefined) return inTurn(() => lookAtAll(text, limit, signal));
    const hit = await lookUp(text);
    return { hits: hit === undefined ? [] : [hit], more: [], incomplete: [] };
  }

  /** Of those that wait there are as many as `http/` lets in. */
  function inTurn<Answer>(work: () => Promise<Answer>): Promise<Answer> {
    const done = last.then(work);
    last = done.catch(() => {});
    return done;
  }

  async function lookAtAll(
    text: string,
    limit: number,
    signal: AbortSignal,
  ): Promise<SearchAnswer> {
    const hits: Hit[] = [];
    const more: HitKind[] = [];
    const incomplete: HitKind[] = [];
    for (const [kind, find] of finds) {
      signal.throwIfAborted();
      const found = await readWithin(database.sql, kindMaxMs, (sql) => find(sql, text, limit + 1));
      if (found === undefined) incomplete.push(kind);
      else hits.push(...found.slice(0, limit));
      if (found !== undefined && found.length > limit) more.push(kind);
    }
    return { hits, more, incomplete };
  }
}
