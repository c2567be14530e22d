/**
 * Pages of what an endpoint matched and has not received, in order. A page is made of looks at one
 * day each (deliveries/missed.ts), and its cursor has moved past all that they looked at.
 *
 * It is a walk over something that changes: what is delivered meanwhile is not shown, and what is
 * missed later, behind the reader, is only met by the next walk. Nothing that was missed before a
 * page was asked for, and lies after its cursor, is passed over.
 */
import type { ServerResponse } from "node:http";
import { isDeepStrictEqual } from "node:util";
import type { Misser, MissedReader } from "../deliveries/missed.ts";
import type { Feed } from "../feed/feed.ts";
import { markOf, type Mark, type Marks } from "../feed/marks.ts";
import type { Tenant } from "../http/auth.ts";
import { ClientGone } from "../http/body.ts";
import { pageMaxBytes } from "../log/day.ts";
import type { LogEvent, Position, Sequence } from "../log/event.ts";
import { unfiltered } from "../log/filter.ts";
import type { Log } from "../log/log.ts";
import { Problem } from "../problem.ts";
import type { Page } from "./pull.ts";
import type { Wait } from "./wait.ts";
import type { Waits } from "./waits.ts";

export type MissedRequest = {
  readonly tenant: Tenant;
  readonly misser: Misser;
  /** The endpoint again, as it is by now. Throws when it is gone. */
  readonly find: () => Promise<Misser>;
  /** Where the page before this one ended; the beginning unless given. */
  readonly cursor: string | undefined;
  /** Events. */
  readonly limit: number;
  /** How long to wait until something is missed; 0 does not wait. */
  readonly waitMs: number;
  /** Throws when whoever asked may not read any more. */
  readonly reauthorize: () => Promise<void>;
};

/** Nothing tells when a retry comes up, so whoever waits looks again this often. */
const recheckMs = 1_000;

/** Between two looks of one who waits, however often the log grows. */
const lookPauseMs = 250;

/** One page's share of the database. A page that would need more comes short. */
const looksMax = 60;
const scannedMax = 10_000;

/** Rows of one kind in one look: about as many as are wanted, and more while few of them are. */
const scanGrowth = 4;
const scanMax = 4_000;

type Walked = {
  readonly events: readonly LogEvent[];
  /** Up to here it was looked. */
  readonly end: Position;
  /** There is nothing more for now. */
  readonly atEnd: boolean;
};

export type Missed = ReturnType<typeof createMissed>;

export function createMissed(options: {
  missed: MissedReader;
  log: Log;
  feed: Feed;
  marks: Marks;
  waits: Waits;
}) {
  const { missed, log, feed, marks, waits } = options;

  return { page };

  /** Throws the problem of a cursor that cannot be read on from, `ClientGone`, and as `request` does. */
  async function page(request: MissedRequest, outgoing: ServerResponse): Promise<Page> {
    const { tenant } = request;
    const from = await startOf(request);
    const wait = waits.open(request.waitMs, outgoing);
    const walked =
      wait === undefined
        ? await walk(request.misser, from, request.limit)
        : await walkOrWait(request, from, wait);
    if (outgoing.destroyed) throw new ClientGone();
    if (wait !== undefined) await request.reauthorize();
    const { events, atEnd } = walked;
    const end = await markAt(tenant, from, walked);
    const head = await log.head(tenant.id);
    return {
      events: events.map(({ envelope }) => envelope).join(","),
      cursor: marks.cursorAt(tenant.id, end, "any"),
      end: walked.end,
      head: Math.max(head.sequence, end.sequence),
      hasMore: !atEnd,
      lastingFrom: undefined,
    };
  }

  async function startOf({ tenant, cursor }: MissedRequest): Promise<Mark> {
    const start =
      cursor === undefined
        ? ({ kind: "earliest" } as const)
        : ({ kind: "cursor", cursor } as const);
    // Whatever it was made for: a place is a place.
    const selection = { start, filter: unfiltered, rebase: true };
    const { mark, filter } = await marks.start(tenant.id, selection);
    if (cursor === undefined) return mark;
    const read = await marks.firstRead(tenant.id, mark)(mark, 1, 1);
    if (read.kind !== "events") throw await marks.refusal(tenant.id, filter, read);
    return mark;
  }

  async function markAt(tenant: Tenant, from: Mark, { events, end }: Walked): Promise<Mark> {
    if (end.sequence === from.sequence) return from;
    const last = events.at(-1);
    return last?.sequence === end.sequence ? markOf(last) : marks.at(tenant.id, end);
  }

  async function walkOrWait(request: MissedRequest, from: Mark, wait: Wait): Promise<Walked> {
    const { tenant } = request;
    let timer: NodeJS.Timeout | undefined;
    let lookedAt = performance.now();
    // Before the first look: what is appended in between wakes.
    const unfollow = feed.follow(tenant.id, tenant.shard, () => {
      ringIn(Math.max(0, lookedAt + lookPauseMs - performance.now()));
    });
    try {
      return await walkUntilMissed(request, from, wait, () => {
        lookedAt = performance.now();
        if (timer === undefined) ringIn(recheckMs);
      });
    } finally {
      clearTimeout(timer);
      unfollow();
      waits.close(wait);
    }

    function ringIn(ms: number) {
      clearTimeout(timer);
      timer = setTimeout(() => {
        timer = undefined;
        waits.wake(wait);
      }, ms);
    }
  }

  async function walkUntilMissed(
    { misser: first, find, limit, reauthorize }: MissedRequest,
    from: Mark,
    wait: Wait,
    looked: () => void,
  ): Promise<Walked> {
    let misser = first;
    let walked = await walk(misser, from, limit);
    while (walked.events.length === 0 && !wait.isOver()) {
      looked();
      if (walked.atEnd && !(await wait.next())) break;
      if (wait.takeDoubt()) await reauthorize();
      const before = misser;
      misser = await find();
      // What is missed by now may lie before what was looked at: a retry that came up again. Only
      // beyond the position nothing becomes so, as long as it matches the same and is not moved.
      const same = isDeepStrictEqual(before, misser);
      const { end, atEnd } = walked;
      walked = await walk(misser, atEnd || !same ? from : end, limit, same ? end.sequence : 0);
    }
    return walked;
  }

  async function walk(
    misser: Misser,
    from: Position,
    limit: number,
    scanned: Sequence = 0,
  ): Promise<Walked> {
    const events: LogEvent[] = [];
    let bytes = 0;
    let end = from;
    let at = from.sequence;
    let looks = 0;
    let rows = 0;
    let scanLimit = limit + 1;
    for (const { day, first } of await missed.days(misser, from)) {
      for (;;) {
        if (events.length === limit || looks === looksMax || rows >= scannedMax)
          return found(false);
        const range = { day, after: at, scanned, limit: limit - events.length, scanLimit };
        const look = await missed.look(misser, range);
        if (look === undefined) throw new Problem("not-found", "there is no such endpoint");
        if (look.end === undefined) break;
        looks += 1;
        rows += look.scanned;
        scanLimit = Math.min(scanLimit * scanGrowth, scanMax);
        await take(day, look.sequences);
        if (bytes >= pageMaxBytes) return found(false);
        at = Math.max(at, look.end);
        if (at >= first) end = { sequence: at, day };
        if (look.endedBy === "on its way") return found(true);
        if (look.endedBy === "day") break;
      }
    }
    return found(true);

    async function take(day: string, sequences: readonly Sequence[]) {
      if (sequences.length === 0) return;
      const left = pageMaxBytes - bytes;
      for (const event of await missed.events(misser.tenant, day, sequences, left)) {
        events.push(event);
        bytes += Buffer.byteLength(event.envelope);
        end = { sequence: event.sequence, day };
      }
    }

    function found(atEnd: boolean): Walked {
      return { events, end, atEnd };
    }
  }
}
