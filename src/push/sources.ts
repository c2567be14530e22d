/**
 * What a lane may send next, by its ordering: the log, the retries that are due, and the subjects
 * that it is behind with.
 *
 * `parallel`: all in turns. `fifo`: one at a time, and nothing of the log before every retry is
 * settled. `subject`: as parallel, but of one subject one at a time; one whose event has failed
 * is a subject that the lane is behind with.
 *
 * Behind all that come replays, when nothing of it may go, and in one of so many turns.
 */
import type { DeliveryRecord, Fence, SubjectMove, Told } from "../deliveries/ledger.ts";
import type { Feed } from "../feed/feed.ts";
import type { LogEvent } from "../log/event.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { BufferBudget } from "./budget.ts";
import type { EndedAttempt, Next } from "./delivery.ts";
import type { Endpoint } from "./endpoints.ts";
import { expired } from "./expired.ts";
import { isFault } from "./health.ts";
import type { LaneNotices } from "./notices.ts";
import { createOverruled } from "./overruled.ts";
import { createReadAhead } from "./read-ahead.ts";
import type { Receipt } from "./receipts.ts";
import { createRecorded, type ReadRecorded } from "./recorded.ts";
import { createReplays, type ReplayContext, type Replayed } from "./replays.ts";
import { createRetryQueue, type LoadRetries, type Retry } from "./retries.ts";
import { createSubjects, type SubjectReads, type Subjects } from "./subjects.ts";
import { createTurns } from "./turns.ts";
import type { Window } from "./window.ts";

/** What the sources of all lanes of a process share. */
export type SourceContext = {
  readonly feed: Feed;
  readonly budget: BufferBudget;
  readonly loadRetries: LoadRetries;
  readonly subjectReads: SubjectReads;
  readonly readRecorded: ReadRecorded;
  readonly replays: ReplayContext;
  readonly notices: LaneNotices;
};

/** What an attempt says besides its outcome, and who waits for that to be written. */
export type Aftermath = {
  readonly ended: EndedAttempt | undefined;
  readonly written: (() => void) | undefined;
};

export type Waiting = {
  /** Those that are due and here. */
  readonly retries: number;
  readonly since: number | undefined;
  /** There is no more in the log. */
  readonly read: boolean;
};

type SourcesOptions = {
  endpoint: Endpoint;
  fence: Fence;
  context: SourceContext;
  log: Logger;
  window: Window;
  /** How many events to read ahead; 0 while nothing may be sent. */
  wanted: () => number;
  /** How many attempts may be under way. */
  windowSize: () => number;
  /** Whether its endpoint has had any, as far as is known: one may overrule what was accepted. */
  hasReceipts: () => boolean;
  /** `next` may have something to give. */
  ready: () => void;
  /** The window has moved on, maybe over events that do not match. */
  moved: () => void;
  /** There is nothing that the endpoint could be probed with. */
  nothingToProbe: () => void;
  write: (
    record: DeliveryRecord | null,
    also: { move?: SubjectMove | undefined; written?: (told: Told) => void },
  ) => void;
};

export function createSources(options: SourcesOptions) {
  const { endpoint, context, log, window, wanted, ready, moved, nothingToProbe, write } = options;
  const isFifo = endpoint.ordering === "fifo";
  const bySubject = endpoint.ordering === "subject";
  /** Outcomes that are not written yet and will be retries. */
  let joining = 0;
  /** Accepted, where the order is kept and a receipt may say that it failed, until it is written. */
  let unsure = 0;
  let retryNext = true;
  const overruled = createOverruled();
  const recorded = createRecorded(endpoint.recorded, context.readRecorded(endpoint));

  const retries = createRetryQueue({
    ...{ tenant: endpoint.tenant, endpoint: endpoint.id, filter: endpoint.wanted },
    ...{ load: context.loadRetries, isOver: overruled.isSettled, log, ready },
    order: isFifo ? "sequence" : "due",
    nextAt: endpoint.nextRetryAt,
    expired: recordExpired,
    none: () => {
      if (!subjects.hasten() && replays.isEmpty()) nothingToProbe();
    },
  });
  const ahead = createReadAhead({
    ...{ endpoint, window, log, wanted, ready, isKnown, moved: scannedOn },
    ...{ feed: context.feed, budget: context.budget, cover: recorded.cover },
  });
  const subjects: Subjects = createSubjects({
    ...{ log, ready },
    blocked: endpoint.blocked,
    // Under `fifo` only what the position had passed before is delivered apart.
    scanned: () => (isFifo ? endpoint.position : window.scanned()).sequence,
    low: () => window.low().sequence,
    known: recorded.highest,
    inOrder: isFifo,
    ...context.subjectReads(endpoint),
    merged: moveSubject,
  });
  const turns = createTurns({
    ...{ ordering: endpoint.ordering, bySubject, subjects, hasReceipts: options.hasReceipts },
    ...{ remove: ahead.remove, write: moveSubject },
  });
  const replays = createReplays({
    ...{ endpoint, fence: options.fence, context: context.replays, budget: context.budget, log },
    ...{ window: options.windowSize, ready },
  });
  subjects.advance();

  return {
    ...{ wake: ahead.wake, lookForRetries: retries.look, tellReplays: replays.tell },
    ...{ isFullOfReplays: replays.isFull, isWritten: replays.isWritten },
    ...{ next, seekProbe, settle, giveBack, overrule, letGo, resume },
    waiting: () => waitingIn(retries, ahead, bySubject ? turns.isFree : undefined),
    isEmpty: () => owesNothing() && replays.isEmpty(),
    close,
  };

  /**
   * Owed by its subject, which has to hear of it even when it is a retry already; or recorded before
   * a crash, above the position that was written.
   */
  function isKnown(event: LogEvent): boolean {
    const { sequence } = event;
    return subjects.owns(event) || recorded.has(sequence) || overruled.isKnown(sequence);
  }

  function scannedOn(): void {
    subjects.advance();
    moved();
  }

  function moveSubject(move: SubjectMove): void {
    write(null, { move });
    ready();
  }

  function next(inFlight: number, isProbe: boolean): Next | undefined {
    const late = isProbe || !replays.areLate() ? undefined : fromReplays(inFlight, false);
    const own = late ?? live(inFlight, isProbe);
    if (own === undefined) return fromReplays(inFlight, isProbe);
    if (own !== late) replays.passOver();
    return own;
  }

  function owesNothing(): boolean {
    return ahead.isIdle() && subjects.size() === 0 && retries.isEmpty();
  }

  function live(inFlight: number, isProbe: boolean): Next | undefined {
    if (isFifo) {
      if (inFlight > 0 || unsure > 0) return undefined;
      const earlier = fromRetries() ?? fromSubjects();
      const owes = joining > 0 || subjects.behind() > 0 || !retries.isEmpty();
      return earlier ?? (owes ? undefined : fromLog(false));
    }
    // In turns: neither a heap of retries nor a heap of events keeps the other waiting.
    retryNext = !retryNext;
    return retryNext
      ? (fromRetries() ?? fromSubjects() ?? fromLog(isProbe))
      : (fromSubjects() ?? fromLog(isProbe) ?? fromRetries());
  }

  function fromRetries(): Next | undefined {
    const retry = retries.take();
    if (retry === undefined) return undefined;
    const { event, previous, attempts } = retry;
    if (subjects.isAhead(event)) subjects.begin(event.subject ?? "");
    const readyAt = performance.now();
    return { event, previous, attempt: attempts + 1, source: "retry", retry, readyAt };
  }

  function fromSubjects(): Next | undefined {
    const item = subjects.take();
    const readyAt = performance.now();
    return item && { ...item, attempt: 1, source: "subject", retry: undefined, readyAt };
  }

  /** Where order is kept, one at a time. It is a probe only where there is nothing else. */
  function fromReplays(inFlight: number, isProbe: boolean): Next | undefined {
    if ((isFifo && inFlight > 0) || (isProbe && !owesNothing())) return undefined;
    const replay = replays.take(mayBeReplayed, isProbe);
    if (replay === undefined) return undefined;
    const { event, previous, attempt } = replay.item;
    turns.begin(event);
    const readyAt = performance.now();
    return { event, previous, attempt, source: "replay", retry: undefined, replay, readyAt };
  }

  /** The first event of which this is true is sent. */
  function mayBeReplayed(event: LogEvent): boolean {
    return turns.isFree(event) && retries.reserve(event.sequence);
  }

  /**
   * A probe is any of the next events and not always the first: one that is refused for what it is
   * would keep the circuit open for ever, since a probe that failed stays where it was.
   */
  function fromLog(isProbe: boolean): Next | undefined {
    if (bySubject && subjects.isFull()) return undefined;
    const item = isProbe
      ? ahead.takeAny(bySubject ? firstOfSubject(turns.isFree) : () => true, Math.random())
      : ahead.take(bySubject ? turns.isFree : undefined);
    if (item === undefined) return undefined;
    turns.begin(item.event);
    const { event, previous, readyAt } = item;
    return { event, previous, attempt: 1, source: "log", retry: undefined, readyAt };
  }

  function firstOfSubject(mayGo: (event: LogEvent) => boolean) {
    const seen = new Set<string | null>();
    return (event: LogEvent) => {
      const isFirst = event.subject === null || !seen.has(event.subject);
      seen.add(event.subject);
      return isFirst && mayGo(event);
    };
  }

  /** What `next` has nothing for: reads on, or takes the earliest retry before it is due. */
  function seekProbe(): void {
    // What has been read may have to wait for others.
    if (ahead.hasMore() && ahead.size() === 0) ahead.fill();
    else if (!isFifo) retries.hasten();
    else if (joining === 0 && retries.isEmpty()) subjects.hasten();
  }

  /** The outcome of what `next` gave, to be written together with what follows from it here. */
  function settle(sent: Next, record: DeliveryRecord, { ended, written }: Aftermath): void {
    const { event, source, retry, replay } = sent;
    if (replay !== undefined) return settleReplay(replay, record, { ended, written });
    const isAccepted = record.kind === "delivered" || record.kind === "awaiting_receipt";
    if (isAccepted) replays.answered(record.at);
    const joins = record.kind === "retrying" || record.kind === "awaiting_receipt";
    const isUnsure = turns.isUnsure(sent, record);
    const move = turns.moveOf(sent, joins, isUnsure);
    if (source === "log") window.settle(event.sequence);
    if (joins) joining += 1;
    if (isUnsure) unsure += 1;
    write(record, {
      move,
      written: (told) => {
        const stays = joins && !told.overruled;
        if (joins) joining -= 1;
        if (isUnsure) unsure -= 1;
        // Only now: a load before that would find the retry as it was.
        if (joins || retry) retries.settled(event.sequence, stays ? record.dueAt : null);
        // Either there is no retry, or one where none was expected.
        if (told.overruled) retries.look();
        if (retry && !joins) subjects.written(event.sequence, event.subject);
        turns.decided(sent, isUnsure, told.revived);
        if (told.taken && !told.overruled) context.notices.written(endpoint, record, event);
        if (told.overruled) subjects.written(event.sequence, event.subject);
        written?.();
        if (isUnsure) ready();
      },
    });
    subjects.advance();
  }

  function settleReplay(
    replay: Replayed,
    record: DeliveryRecord,
    { ended, written }: Aftermath,
  ): void {
    const { sequence } = replay.item.event;
    turns.end(replay.item.event);
    replays.settle(replay, record, {
      isFault: ended !== undefined && isFault(ended.verdict),
      note: () => {
        retries.release(sequence);
        written?.();
      },
    });
  }

  /** As if `next` had never given it. */
  function giveBack(sent: Next): void {
    const { event, source, retry, replay } = sent;
    if (replay !== undefined) {
      turns.end(event);
      retries.release(event.sequence);
      return replays.giveBack(replay);
    }
    if (source === "log") {
      turns.end(event);
      if (overruled.isKnown(event.sequence)) return window.settle(event.sequence);
      return ahead.giveBack(sent);
    }
    if (subjects.isAhead(event)) subjects.giveBack(sent, retry !== undefined);
    if (retry !== undefined) retries.giveBack(retry);
    if (overruled.isSettled(event.sequence)) subjects.drop(overruled.isSettled);
  }

  /**
   * Takes out what a receipt has decided of; what is in flight is left to its outcome, which changes
   * nothing any more. False when that cannot be done: subjects that are behind have positions of their
   * own, which are to be read anew.
   */
  function overrule(receipt: Receipt): boolean {
    const { through, moved: place } = receipt;
    const isBeyond = through > window.scanned().sequence;
    if (through > 0 && (subjects.size() > 0 || (isBeyond && place === null))) return false;
    if (!overruled.add(receipt, window.low().sequence)) return false;
    if (isBeyond && place !== null) {
      ahead.skipTo({ sequence: through, day: place.day }, place.matched);
    }
    ahead.remove(({ sequence }) => overruled.isKnown(sequence));
    if (receipt.failed) retries.look();
    else retries.drop();
    subjects.drop(overruled.isSettled);
    moved();
    return true;
  }

  /** Nothing is kept in memory for an endpoint that is not there. */
  function letGo(): void {
    ahead.drop();
    subjects.pause();
    replays.letGo();
    // Under `fifo` the head's own attempts are the probes.
    if (!isFifo) retries.pause();
  }

  function resume(): void {
    subjects.resume();
    retries.resume();
    replays.resume();
  }

  function close(): void {
    replays.close();
    retries.close();
    subjects.close();
    ahead.close();
  }

  /** Retention took the event before the retries were over. */
  function recordExpired(retry: Retry): void {
    const record = expired(retry, Date.now());
    const { sequence } = retry;
    log.error({ sequence, outcome: "expired" }, "delivery");
    write(record, {
      written: (told) => {
        retries.settled(sequence, null);
        subjects.written(sequence, undefined);
        if (told.taken && !told.overruled) context.notices.written(endpoint, record, undefined);
      },
    });
  }
}

/**
 * Since when the first that could go now has waited, milliseconds since 1970: from its append on,
 * or from when it was due. Events of subjects that are behind are not looked at.
 */
function waitingIn(
  retries: Pick<ReturnType<typeof createRetryQueue>, "due">,
  ahead: Pick<ReturnType<typeof createReadAhead>, "first" | "isIdle">,
  mayGo: ((event: LogEvent) => boolean) | undefined,
): Waiting {
  const { count, since: dueSince = Infinity } = retries.due();
  const since = Math.min(ahead.first(mayGo)?.appendedAt ?? Infinity, dueSince);
  return { retries: count, since: since === Infinity ? undefined : since, read: ahead.isIdle() };
}
