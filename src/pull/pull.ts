/**
 * Hands out a log page by page. A page holds what matches after the reader's place, in order; its
 * cursor has moved past all that was scanned, so a reader that goes on with it gets every event
 * once, and a filter that matches nothing still comes forward.
 *
 * A page always shows what was committed before it was asked for. One that waits answers with the
 * first events that match, or empty when its time is over.
 */
import type { ServerResponse } from "node:http";
import type { Feed } from "../feed/feed.ts";
import { markOf, type Mark, type Marks, type Refused, type Started } from "../feed/marks.ts";
import { scan, type Scan } from "../feed/scan.ts";
import type { Tenant } from "../http/auth.ts";
import { ClientGone } from "../http/body.ts";
import type { Selection } from "../http/selection.ts";
import type { Position, Sequence } from "../log/event.ts";
import type { Log } from "../log/log.ts";
import type { Wait } from "./wait.ts";
import type { Waits } from "./waits.ts";

export type PageRequest = {
  readonly tenant: Tenant;
  readonly selection: Selection;
  /** Events. */
  readonly limit: number;
  /** How long to wait for the first event that matches; 0 does not wait. */
  readonly waitMs: number;
  /** Throws when whoever asked may not read any more. */
  readonly reauthorize: () => Promise<void>;
};

export type Page = {
  /** The stored envelopes, with commas between them. */
  readonly events: string;
  readonly cursor: string;
  /** Where that stands. */
  readonly end: Position;
  /** The end of the log, as far as it was seen. */
  readonly head: Sequence;
  /** Never false when more was committed before the page was asked for. */
  readonly hasMore: boolean;
  /**
   * The place it was read from, if it will never change: a full page reached by a cursor. Such a
   * page always says that there is more, since sooner or later there is.
   */
  readonly lastingFrom: Sequence | undefined;
};

/** A full page too, so that its answer can be built and sent in one piece. */
const pageMaxBytes = 4 << 20;

/**
 * From here on full pages are worth their own statement, which is in vain when the log ends before
 * the page is full.
 */
const bulkMinEvents = 200;

export type Pull = ReturnType<typeof createPull>;

export function createPull(options: { log: Log; feed: Feed; marks: Marks; waits: Waits }) {
  const { log, feed, marks, waits } = options;
  /** Since the start. */
  const counts = { pages: 0, events: 0 };

  return { page, counts: () => counts };

  /**
   * Throws the problem of a cursor that cannot be read on from, `ClientGone`, and after a wait what
   * a new request would be refused with.
   */
  async function page(request: PageRequest, outgoing: ServerResponse): Promise<Page> {
    const { tenant, selection } = request;
    const started = await marks.start(tenant.id, selection);
    const wait = waits.open(request.waitMs, outgoing);
    const found =
      wait === undefined
        ? await readFirst(request, started)
        : await readOrWait(request, started, wait);
    if (outgoing.destroyed) throw new ClientGone();
    // Before anything is told of the log: the key may have been revoked meanwhile, or the log ends
    // where it does because its tenant is gone.
    if (wait !== undefined) await request.reauthorize();
    if (found.kind !== "events") throw await marks.refusal(tenant.id, started.filter, found);
    const { mark, full } = found;
    const head = found.atHead ? mark.sequence : (await log.head(tenant.id)).sequence;
    const lasting = full && selection.start.kind === "cursor";
    counts.pages += 1;
    counts.events += found.count;
    return {
      events: found.events,
      cursor: marks.cursorAt(tenant.id, mark, started.filter.fingerprint),
      end: { sequence: mark.sequence, day: mark.day },
      head: Math.max(head, mark.sequence),
      hasMore: lasting || mark.sequence < head,
      lastingFrom: lasting ? started.mark.sequence : undefined,
    };
  }

  async function readFirst(
    { tenant, limit }: PageRequest,
    { mark, filter }: Started,
  ): Promise<Found> {
    if (filter.all && limit >= bulkMinEvents && mark.fingerprint !== 0) {
      const page = await log.fullPage(tenant.id, mark, { events: limit, bytes: pageMaxBytes });
      if (page !== undefined) {
        const { text: events, end } = page;
        // Nothing is left out, and the log has no holes.
        const count = end.sequence - mark.sequence;
        return { kind: "events", events, count, mark: end, atHead: false, full: true };
      }
    }
    const bounds = { filter, limit, maxBytes: pageMaxBytes };
    return toFound(mark, await scan(marks.firstRead(tenant.id, mark), mark, bounds));
  }

  async function readOrWait(request: PageRequest, started: Started, wait: Wait): Promise<Found> {
    const { tenant } = request;
    // Before the first read: what is appended in between wakes.
    const unfollow = feed.follow(tenant.id, tenant.shard, () => waits.wake(wait));
    try {
      return await readUntilMatch(request, started, wait);
    } finally {
      unfollow();
      waits.close(wait);
    }
  }

  async function readUntilMatch(
    request: PageRequest,
    started: Started,
    wait: Wait,
  ): Promise<Found> {
    const { tenant, limit } = request;
    const bounds = { filter: started.filter, limit, maxBytes: pageMaxBytes };
    const read = feed.read.bind(undefined, tenant.id);
    let found = await readFirst(request, started);
    while (found.kind === "events" && found.events === "" && !wait.isOver()) {
      if (found.atHead && !(await wait.next())) break;
      if (wait.takeDoubt()) await request.reauthorize();
      found = toFound(found.mark, await scan(read, found.mark, bounds));
    }
    return found;
  }
}

type Found =
  | {
      readonly kind: "events";
      readonly events: string;
      readonly count: number;
      /** Up to here it was scanned. */
      readonly mark: Mark;
      readonly atHead: boolean;
      readonly full: boolean;
    }
  | Refused;

/** What a scan found, and the mark to which it moved on from `from`. */
function toFound(from: Mark, found: Scan): Found {
  if (found.kind !== "events") return found;
  const { kind, events, last, atHead, full } = found;
  const mark = last === undefined ? from : markOf(last);
  const text = events.map(({ envelope }) => envelope).join(",");
  return { kind, events: text, count: events.length, mark, atHead, full };
}
