/** Pages of the feed after a cursor, by the endpoint's own filter unless another one is given. */
import { createDeadline, known, type Connection } from "../connection.ts";
import { ConnectionError } from "../errors.ts";
import { isEvent, type TidegateEvent } from "../event.ts";

/** Where reading begins without a cursor: with the log's oldest event, or at an append time. */
export type PageStart = "earliest" | { readonly time: string | Date };

export type Page = {
  readonly events: readonly TidegateEvent[];
  /** Undefined inside of what was read: then the place it was read from is the last one known. */
  readonly cursor: string | undefined;
  readonly hasMore: boolean;
  /** All that matches up to this sequence is in here or was before. */
  readonly complete: number;
};

export type PageRequest = {
  readonly cursor: string | undefined;
  readonly limit: number;
  /** For the first event. */
  readonly waitSeconds: number;
  readonly signal: AbortSignal;
};

export type Pages = {
  read(request: PageRequest): Promise<Page>;
  /** An empty one, where the feed ends now. */
  end(signal: AbortSignal): Promise<Page>;
};

/** Beyond what the gateway waits for: pages are up to 4 MiB, and networks are slow. */
const timeoutMs = 30_000;

export function createPages(
  connection: Connection,
  selection: Readonly<Record<string, string | undefined>>,
  start: PageStart,
): Pages {
  return {
    read({ cursor, limit, waitSeconds, signal }) {
      const place = cursor === undefined ? { from: textOf(start) } : { cursor, rebase: true };
      const query = { ...place, limit, ...(waitSeconds > 0 && { wait: waitSeconds }) };
      return get(query, waitSeconds * 1_000 + timeoutMs, signal);
    },
    end: (signal) => get({ from: "latest", limit: 1 }, timeoutMs, signal),
  };

  async function get(
    query: Readonly<Record<string, string | number | boolean>>,
    withinMs: number,
    signal: AbortSignal,
  ): Promise<Page> {
    const deadline = createDeadline(signal);
    deadline.set(withinMs);
    try {
      const response = await connection.open({
        path: "/events",
        query: { ...selection, ...query },
        accept: "application/json",
        signal: deadline.signal,
      });
      const body: unknown = JSON.parse(await response.text());
      return readPage(body, Number(response.headers.get("tidegate-head")));
    } catch (error) {
      signal.throwIfAborted();
      throw known(error, deadline.signal);
    } finally {
      deadline.clear();
    }
  }
}

/** The part of a page up to this sequence: what follows is on its way by push. */
export function pageUpTo(page: Page, end: number): Page {
  const events = page.events.filter(({ sequence }) => Number(sequence) <= end);
  if (events.length === page.events.length) return page;
  return { events, cursor: undefined, hasMore: true, complete: end };
}

function readPage(body: unknown, head: number): Page {
  const { events, cursor, has_more: hasMore } = (body ?? {}) as Record<string, unknown>;
  const isPage = Array.isArray(events) && events.every(isEvent) && typeof cursor === "string";
  if (!isPage)
    throw new ConnectionError("the answer is no page of a feed: is the url a gateway's?");
  const last = Number(events.at(-1)?.sequence ?? 0);
  // At the end of the log the page's cursor stands at its head.
  const complete = hasMore === false && head > 0 ? Math.max(last, head) : last;
  return { events, cursor, hasMore: hasMore === true, complete };
}

function textOf(start: PageStart): string {
  return typeof start === "string" ? start : new Date(start.time).toISOString();
}
