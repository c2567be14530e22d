/**
 * One replay job while its endpoint is driven here: reads on through its range, gives out what is to
 * be sent, and writes what became of it. Outcomes are counted where they are written, and the
 * position is that of the first event that is not settled: whoever goes on from there passes over
 * what the job has told of beyond it, so nothing is counted twice or not at all.
 *
 * Every event has one attempt. A fault of the receiver (no answer, a 5xx) is not held against it
 * before it is known that the receiver is there: when the circuit opens it is sent again after the
 * outage, and when anything else is answered, or nothing else is left to send, it has failed.
 */
import { classifyFailure } from "../db/database.ts";
import type { DeliveryRecord, Fence } from "../deliveries/ledger.ts";
import type {
  ReplayJob,
  ReplayLedger,
  ReplayProgress,
  ReplayStanding,
  ReplayTelling,
} from "../deliveries/replay-ledger.ts";
import { replayName } from "../deliveries/replays.ts";
import type { Day, LogEvent, Position, Sequence } from "../log/event.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { BufferBudget } from "./budget.ts";
import { before, createReplayBuffer } from "./replay-buffer.ts";
import type { ReadReplayPage, ReplayItem } from "./replay-pages.ts";

type Doubtful = { readonly item: ReplayItem; readonly record: DeliveryRecord };

export type ReplayRun = ReturnType<typeof createReplayRun>;

/** Outcomes of one statement gather so long. */
const gatherMs = 100;

/** Less in hand and the next page is read. */
const refillBelow = 50;

/** Sent behind one that hangs, or not written yet: beyond it the job waits. */
const aheadMaxEvents = 1_000;

/** A position that moved only over what is not to be sent is written after so many. */
const unwrittenMaxEvents = 10_000;

/** Of an event whose receiver answers only that it wants less (429). */
const triesMax = 10;

/** Pause after a statement that failed. */
const pauseMs = 500;

export function createReplayRun(options: {
  job: ReplayJob;
  fence: Fence;
  ledger: Pick<ReplayLedger, "record">;
  read: ReadReplayPage;
  budget: BufferBudget;
  log: Logger;
  /** `take` may have something to give. */
  ready: () => void;
  /** It is completed or cancelled, or somebody else does it: nothing more comes of it here. */
  ended: () => void;
}) {
  const { job, fence, ledger, read, budget, log, ready, ended } = options;
  let written = job.progress;
  let counts = { sent: written.sent, failed: written.failed };
  const buffer = createReplayBuffer(budget, written.position);
  /** Given out, with the day of each. */
  const open = new Map<Sequence, Day>();
  /** Settled beyond the first that is not. */
  const results = new Set<Sequence>();
  /** Ended in a fault, of which nobody knows yet whose it was. */
  let doubtful: Doubtful[] = [];
  const records: DeliveryRecord[] = [];
  const notes: (() => void)[] = [];
  let matched: { at: Sequence; last: Sequence | undefined } | undefined;
  let reading = false;
  let writing = false;
  /** The receiver is not there. */
  let away = false;
  let wantsProbe = false;
  /** Nothing more is given out. */
  let stopped = false;
  let over = false;
  /** How it ended is in the log. */
  let isTold = false;
  /** How often each was sent in vain because its receiver asked for less. */
  const postponed = new Map<Sequence, number>();
  /** Since it did, milliseconds since 1970. */
  let notBefore = 0;
  let waitTimer: NodeJS.Timeout | undefined;
  let readTimer: NodeJS.Timeout | undefined;
  let writeTimer: NodeJS.Timeout | undefined;

  return {
    id: job.id,
    ...{ fill, take, settle, answered, giveBack, letGo, resume, stop },
    hasItems: () => buffer.size() > 0,
    inFlight: () => open.size,
    isWritten: () => !writing && records.length === 0,
  };

  /** The first that may go now. */
  function take(mayGo: (event: LogEvent) => boolean, isProbe: boolean): ReplayItem | undefined {
    if (stopped || unfinished() >= aheadMaxEvents || mustWait()) return undefined;
    wantsProbe = isProbe;
    const item = buffer.take(mayGo);
    if (item !== undefined) open.set(item.event.sequence, item.event.day);
    fill();
    return item;
  }

  function mustWait(): boolean {
    const waitMs = notBefore - Date.now();
    if (waitMs <= 0) return false;
    clearTimeout(waitTimer);
    waitTimer = setTimeout(ready, waitMs);
    return true;
  }

  /** `note` is called when it is written, or is not going to be. */
  function settle(
    item: ReplayItem,
    record: DeliveryRecord,
    { isFault, note }: { isFault: boolean; note: () => void },
  ): void {
    const isOurs = open.delete(item.event.sequence);
    const tries = (postponed.get(item.event.sequence) ?? 0) + 1;
    const isToCome = record.kind === "retrying" && tries < triesMax;
    if (isToCome || (isFault && (away || stopped))) {
      // Its receiver asked for less, or the endpoint is switched off, and takes it when it is back.
      if (isToCome) postpone(item, tries, record.dueAt ?? 0);
      if (isOurs) putBack(item);
      note();
    } else if (isFault) {
      if (isOurs) doubtful.push({ item, record });
      note();
    } else {
      answered(record.at);
      notes.push(note);
      if (isOurs) finish(item, record);
      scheduleWrite();
    }
    answerIfLast();
    endIfOver();
    fill();
  }

  /**
   * The receiver is there, by an attempt that began then: what it had not taken before is the events'
   * own affair.
   */
  function answered(at = Infinity): void {
    const isBefore = ({ record }: Doubtful) => record.at + record.latencyMs <= at;
    const known = doubtful.filter(isBefore);
    doubtful = doubtful.filter((each) => !isBefore(each));
    for (const { item, record } of known) finish(item, record);
  }

  /** Nothing else is left to learn from. */
  function answerIfLast(): void {
    if (buffer.isExhausted() && buffer.size() + open.size === 0) answered();
  }

  function finish({ event }: ReplayItem, record: DeliveryRecord): void {
    postponed.delete(event.sequence);
    results.add(event.sequence);
    records.push({ ...record, kind: record.kind === "delivered" ? "delivered" : "dead" });
    scheduleWrite();
  }

  function postpone({ event }: ReplayItem, tries: number, dueAt: number): void {
    postponed.set(event.sequence, tries);
    notBefore = Math.max(notBefore, dueAt);
  }

  /** As if it had not been taken. */
  function giveBack(item: ReplayItem): void {
    if (open.delete(item.event.sequence)) putBack(item);
  }

  function putBack(item: ReplayItem): void {
    if (stopped) buffer.goBack(item.event);
    else buffer.putBack(item);
  }

  /** Nothing is kept in memory for a receiver that is not there. */
  function letGo(): void {
    away = true;
    wantsProbe = false;
    for (const { item } of doubtful.splice(0)) putBack(item);
    buffer.drop();
  }

  function resume(): void {
    away = false;
    fill();
  }

  /** Gives out nothing more. What is under way may still be settled, and is written. */
  function stop(): void {
    clearTimeout(readTimer);
    clearTimeout(waitTimer);
    for (const { item } of doubtful.splice(0)) putBack(item);
    buffer.drop();
    stopped = true;
    if (records.length > 0) void write();
    endIfOver();
  }

  function endIfOver(): void {
    if (!stopped || over || writing || open.size > 0 || records.length > 0) return;
    over = true;
    clearTimeout(writeTimer);
    for (const note of notes.splice(0)) note();
    ended();
  }

  /** Reads on until there is enough. One run at a time. */
  function fill(): void {
    if (!reading && mayRead()) void readWhileWanted();
  }

  function mayRead(): boolean {
    if (stopped || buffer.isExhausted() || (away && !wantsProbe)) return false;
    return buffer.size() < (away ? 1 : refillBelow) && unfinished() < aheadMaxEvents;
  }

  async function readWhileWanted(): Promise<void> {
    reading = true;
    try {
      while (mayRead()) await readOn();
    } catch (error) {
      log.warn({ err: error }, "replay cannot read on, trying again");
      clearTimeout(readTimer);
      if (!stopped) readTimer = setTimeout(fill, pauseMs);
    } finally {
      reading = false;
    }
  }

  async function readOn(): Promise<void> {
    const [from, epoch] = [buffer.scanned(), buffer.epoch()];
    const last = matched?.at === from.sequence ? matched.last : undefined;
    const page = await read(job, from, last);
    if (stopped || epoch !== buffer.epoch()) return;
    buffer.add({ ...page, items: page.items.filter(({ event }) => !isHere(event.sequence)) });
    matched = { at: page.position.sequence, last: page.matched };
    if (isDone() || low().sequence - written.position.sequence > unwrittenMaxEvents)
      scheduleWrite();
    answerIfLast();
    if (buffer.size() > 0) ready();
  }

  /** Read before, and not let go of. */
  function isHere(sequence: Sequence): boolean {
    if (open.has(sequence) || results.has(sequence)) return true;
    if (records.some((record) => record.sequence === sequence)) return true;
    return doubtful.some(({ item }) => item.event.sequence === sequence);
  }

  function unfinished(): number {
    return buffer.size() + open.size + results.size + doubtful.length;
  }

  /** Everything up to here is settled, or was not to be sent. */
  function low(): Position {
    let first: Position | undefined = buffer.first();
    const scanned = buffer.scanned();
    for (const [sequence, day] of open) {
      if (first === undefined || sequence < first.sequence) first = { sequence, day };
    }
    for (const { item } of doubtful) {
      if (first === undefined || item.event.sequence < first.sequence) first = item.event;
    }
    return first === undefined || first.sequence > scanned.sequence ? scanned : before(first);
  }

  function isDone(): boolean {
    return buffer.isExhausted() && buffer.size() + open.size + doubtful.length === 0;
  }

  function scheduleWrite(): void {
    if (!writing && !over) writeTimer ??= setTimeout(() => void write(), gatherMs);
  }

  async function write(): Promise<void> {
    clearTimeout(writeTimer);
    writeTimer = undefined;
    if (writing || over) return;
    writing = true;
    const [batch, told] = [records.splice(0), notes.splice(0)];
    const now = progress(batch);
    const telling = { job: job.id, known: written, now, isDone: isDone(), records: batch };
    const standing = await insist(telling);
    writing = false;
    for (const note of told) note();
    if (standing === undefined) return stop();
    tell(standing);
    if (isSame(standing.progress, now)) written = now;
    else begin(standing.progress);
    if (standing.status !== "running") return stop();
    if (records.length > 0 || isDone()) scheduleWrite();
    endIfOver();
    fill();
    ready();
  }

  /** By whoever finds that it is over, which may be twice when the job moves to another process. */
  function tell({ status, progress: { sent, failed } }: ReplayStanding): void {
    if (status === "running" || isTold) return;
    isTold = true;
    const durationMs = Date.now() - job.createdAt;
    const line = { replay: replayName(job.id), outcome: status, sent, failed, durationMs };
    log.info({ ...line, err: null }, "replay");
  }

  /** With what is about to be told. */
  function progress(batch: readonly DeliveryRecord[]): ReplayProgress {
    const { sequence, day } = low();
    for (const settled of results) if (settled <= sequence) results.delete(settled);
    for (const { kind } of batch) {
      if (kind === "delivered") counts.sent += 1;
      else counts.failed += 1;
    }
    return { position: { sequence, day }, ...counts };
  }

  /** Sends until the database answers; undefined when nobody waits for it any more. */
  async function insist(telling: ReplayTelling) {
    let sent = telling;
    for (;;) {
      try {
        return await ledger.record(fence, sent);
      } catch (error) {
        log.error({ outcomes: sent.records.length, err: error }, "replay not recorded");
        if (stopped) return undefined;
        // A response may hold what no text column can.
        if (classifyFailure(error) === "data")
          sent = { ...sent, records: sent.records.map(untold) };
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }

  /** Somebody has written meanwhile: what is there is right. */
  function begin(from: ReplayProgress): void {
    buffer.begin(from.position);
    doubtful = [];
    open.clear();
    results.clear();
    written = from;
    counts = { sent: from.sent, failed: from.failed };
  }
}

function isSame(a: ReplayProgress, b: ReplayProgress): boolean {
  return a.position.sequence === b.position.sequence && a.sent === b.sent && a.failed === b.failed;
}

function untold(record: DeliveryRecord): DeliveryRecord {
  const detail = record.detail && { ...record.detail, responseHeaders: null, responseBody: null };
  return { ...record, detail, error: record.error && "the response could not be recorded" };
}
