/** Pages of the feed, one request each. */
import type { Connection } from "./connection.ts";
import { ConnectionError } from "./errors.ts";
import { isEvent, type TidegateEvent } from "./event.ts";

/** An event and the cursor that continues right after it, where there is one. */
export type Item = { readonly event: TidegateEvent; readonly cursor: string | undefined };

/** What came together. Its cursor continues after all of it, and may have come further. */
export type Batch = { readonly items: readonly Item[]; readonly cursor: string };

/** Which events: those that match all that is given. */
export type Selection = {
  /** Exact types, or `order.*` for all below `order.`. */
  readonly types?: readonly string[] | undefined;
  readonly subjects?: readonly string[] | undefined;
  /** Those that this endpoint is pushed. */
  readonly endpoint?: string | undefined;
};

type Query = Readonly<Record<string, string | undefined>>;

/** Beyond the time that was asked for. */
const graceMs = 30_000;

/** The parameters of a selection. An empty list is an error of its maker's: it would mean all. */
export function selectionQuery({ types, subjects, endpoint }: Selection): Query {
  if (types?.length === 0 || subjects?.length === 0) {
    throw new TypeError("types and subjects must not be empty: leave them out to read all");
  }
  return {
    types: types?.join(","),
    // Subjects may have commas.
    subjects: subjects?.map((subject) => subject.replace(/[\\,]/g, "\\$&")).join(","),
    endpoint,
  };
}

/** The next page. Throws what the connection throws. */
export async function readPage(
  connection: Connection,
  query: Query,
  options: {
    readonly limit: number;
    /** How long the gateway waits for the first event. */
    readonly waitSeconds: number;
    readonly signal: AbortSignal | undefined;
  },
): Promise<Batch & { readonly hasMore: boolean }> {
  const { limit, waitSeconds, signal } = options;
  const page = await connection.call({
    path: "/events",
    query: { ...query, limit, ...(waitSeconds > 0 && { wait: waitSeconds }) },
    signal,
    timeoutMs: waitSeconds * 1_000 + graceMs,
  });
  const { events, cursor, has_more: hasMore } = (page ?? {}) as Record<string, unknown>;
  if (!Array.isArray(events) || typeof cursor !== "string" || !events.every(isEvent)) {
    throw new ConnectionError("the answer is no page of events: is there a proxy between?");
  }
  const last = events.length - 1;
  const items = events.map((event, at) => ({ event, cursor: at === last ? cursor : undefined }));
  return { items, cursor, hasMore: hasMore === true };
}
