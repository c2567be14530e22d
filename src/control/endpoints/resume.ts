/**
 * Serves an endpoint again, from where it stands or from another place in the log.
 *
 * Moving it takes three steps, since there may be a million retries to clear away. First it is put
 * where it is to go on, not served, under a new generation: from then on no outcome of before is
 * recorded. Then goes what it owed from where it stood, and last it is served. Another resume, or a
 * pause, that comes meanwhile ends what is left of this one, so no step of it touches what a later
 * one began; what was owed and not cleared away is then retried. A crash in the middle leaves the
 * endpoint paused, with a reason that says what to do.
 */
import type { Database } from "../../db/database.ts";
import { endpointName } from "../../deliveries/endpoint.ts";
import { skipOwed } from "../../deliveries/owed.ts";
import { readPosition, serve, serveMoved, type Moved } from "../../deliveries/positions.ts";
import type { Position, Sequence } from "../../log/event.ts";
import { createLastMatched } from "../../log/last-matched.ts";
import { unknownEndpoint, type EndpointAccess } from "./access.ts";
import type { StartOf } from "./start.ts";
import { filterOf, type Endpoint, type EndpointStore } from "./store.ts";

export type ResumeFrom = "position" | "latest" | { readonly cursor: string };

export function createResume(options: {
  database: Database;
  store: EndpointStore;
  access: EndpointAccess;
  startOf: StartOf;
}): (endpoint: Endpoint, from: ResumeFrom) => Promise<void> {
  const { database, store, access, startOf } = options;
  const lastMatched = createLastMatched(database.sql);

  return async (endpoint, from) => {
    if (from === "position") {
      if (!(await serve(database.orm, consumerOf(endpoint)))) throw unknownEndpoint();
    } else {
      await resumeAt(endpoint, await placeOf(endpoint, from));
    }
    access.announce(endpoint);
  };

  function placeOf({ tenant, row }: Endpoint, from: Exclude<ResumeFrom, "position">) {
    const start =
      from === "latest" ? ({ kind: "latest" } as const) : ({ kind: "cursor", ...from } as const);
    return startOf(tenant, start, filterOf(row));
  }

  async function resumeAt(endpoint: Endpoint, to: Position): Promise<void> {
    const moved = await move(endpoint, to);
    // So that nobody goes on serving it from where it stood.
    access.announce(endpoint);
    await skipOwed(database.orm, moved);
    await serveMoved(database.orm, moved);
  }

  /** What matched last is looked for without a lock, so the filter may change in the meantime. */
  async function move(endpoint: Endpoint, to: Position): Promise<Moved> {
    const moved = await store.move(endpoint, { to, lastMatched: await matchedAt(endpoint, to) });
    switch (moved) {
      case "gone":
        throw unknownEndpoint();
      case "filter-changed": {
        const { tenant, row } = endpoint;
        return move(await access.find(endpointName(row.id), tenant), to);
      }
      default:
        return moved;
    }
  }

  /**
   * The event that the first push from `to` names as the one before it: one that is skipped now is
   * the hole that its receiver sees. If nothing is skipped it is what it was.
   */
  async function matchedAt(endpoint: Endpoint, to: Position): Promise<Sequence> {
    const { tenant, row } = endpoint;
    const now = await readPosition(database.orm, consumerOf(endpoint));
    if (now === undefined) throw unknownEndpoint();
    if (to.sequence < now.sequence) return lastMatched(tenant.id, to, filterOf(row));
    const skipped = await lastMatched(tenant.id, to, filterOf(row), now.sequence);
    return skipped === now.sequence ? now.lastMatched : skipped;
  }
}

function consumerOf({ tenant, row }: Endpoint) {
  return { tenant: tenant.id, consumer: row.id };
}
