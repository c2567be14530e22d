/**
 * One endpoint that has something to do: a cursor over its tenant's log, with a bounded window of
 * deliveries that are not settled yet. The log is the queue; a lane holds a few events of it.
 *
 *     scanned ──► read ahead ──► in flight ──► settled
 *                                    └─ failed ──► due again later (`retries`) ──► in flight
 *
 * The position that is written is the low-water mark: everything up to it is settled, which
 * includes failed deliveries, since those are in `retries` by then, and events of subjects that the
 * lane is behind with, since those are owed by a position of their own.
 *
 * A lane starts nothing itself: it tells the scheduler that it is ready and is asked for deliveries
 * one at a time. What it may send next is decided by its sources, whether it may now by its
 * admission. While its circuit is open it gives out probes only, keeps nothing in memory and writes
 * nothing, however much waits.
 */
import type { Circuits, ProbeFailure } from "../deliveries/circuits.ts";
import type { DeliveryRecord, Fence, Ledger, SubjectMove, Told } from "../deliveries/ledger.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createAdmission } from "./admission.ts";
import { createDeadLetters } from "./dead-letters.ts";
import type { EndedAttempt, Next, Settled } from "./delivery.ts";
import type { Endpoint } from "./endpoints.ts";
import type { Standing } from "./pace.ts";
import { createReceipts, type Receipts } from "./receipts.ts";
import { createSources, type SourceContext, type Waiting } from "./sources.ts";
import { createWindow } from "./window.ts";

/** One event on its way to one endpoint. */
export type Delivery = Next & {
  readonly lane: Lane;
  /** Sent to find out whether the endpoint is back. */
  readonly isProbe: boolean;
};

export type Lane = {
  readonly endpoint: Endpoint;
  readonly fence: Fence;
  /** How its endpoint stands, by which it gets its slots. */
  standing(): Standing;
  /** Since when nothing but failures has come, milliseconds since 1970. */
  failingSince(): number | undefined;
  /** What consumers say of its events. */
  readonly receipts: Pick<Receipts, "hear" | "learn">;
  /** The log may have grown. */
  wake(): void;
  /** Whether there are replay jobs for its endpoint, as of now. */
  tellReplays(areRunning: boolean): void;
  /** The next delivery, if it may go now and there is one. */
  take(): Delivery | undefined;
  /** Records what became of a delivery that `take` gave out. */
  settle(delivery: Delivery, settled: Settled): void;
  /** The endpoint is not back. The delivery is as if it had never been taken. */
  probeFailed(delivery: Delivery, ended: EndedAttempt, failure: ProbeFailure): void;
  /** Gives a delivery back as if it had never been taken: its attempt was cut short by us. */
  abandon(delivery: Delivery): void;
  /** Gives out nothing until the returned function is called: its settings may hold no longer. */
  hold(): () => void;
  /**
   * Stops when nothing is in flight, and calls back when all is written, how far it has come too:
   * whoever reads that earlier begins behind what the database is about to say, and would merge
   * subjects whose events it has yet to come to.
   */
  closeAtRest(atRest: () => void): void;
  /** True when it has delivered all there is and owes nothing. */
  isIdle(): boolean;
  /** What it is at; `now` is by `performance.now()`. */
  survey(now: number): LaneSurvey;
  /**
   * Since when what it could send now has waited for a slot, milliseconds since 1970; undefined when
   * there is nothing, or its endpoint takes no more at the moment.
   */
  waitsSince(now: number): number | undefined;
  /** Writes how far it has come and what is under way, if that is not what is written. */
  checkpoint(): void;
  /** Writes how far it has come, and stops. Deliveries in flight may still be settled. */
  close(): void;
};

export type LaneSurvey = {
  /** `held`: by its circuit, a rate or a change; `lagging`: its first event has waited for long. */
  readonly state: "idle" | "live" | "lagging" | "held";
  /** Retries that are due and loaded. */
  readonly retriesDue: number;
};

export type LaneContext = SourceContext & {
  ledger: Ledger;
  circuits: Circuits;
  log: Logger;
  /** Those that are open. */
  lanes: Set<Lane>;
  /** Called when `take` may have something to give. */
  ready: (lane: Lane) => void;
  /** Called when receipts say more than the lane can make of them: it has to be opened anew. */
  outdated: (lane: Lane) => void;
};

/** A position that moved only over events that do not match is written after so many. */
const unwrittenMaxEvents = 10_000;

/** Longer than a lane that keeps up is behind in a burst, or while it is handed over. */
const lagMs = 10_000;

/** Replays tell nobody when theirs is written. */
const restPauseMs = 50;

export function createLane(endpoint: Endpoint, fence: Fence, context: LaneContext): Lane {
  const { ledger, circuits } = context;
  const log = context.log.child({ tenant: endpoint.tenantName, endpoint: endpoint.name });
  const window = createWindow(endpoint.position, endpoint.lastMatched);
  let inFlight = 0;
  let holds = 0;
  let closed = false;
  let written = { sequence: endpoint.position.sequence, inFlight: 0 };
  /** Records on their way: who opened the endpoint anew meanwhile would not see them. */
  let unwritten = 0;
  let atRest: (() => void) | undefined;
  let restTimer: NodeJS.Timeout | undefined;
  const receipts = createReceipts({
    version: endpoint.receipts,
    // While its circuit is open a receipt may bring the next probe forward, which is read anew.
    apply: (receipt) =>
      (receipt.through === 0 || admission.outageSince() === undefined) && sources.overrule(receipt),
    outdated: () => context.outdated(lane),
  });

  const lane: Lane = {
    ...{ endpoint, fence, receipts, take, settle, probeFailed, abandon, hold },
    ...{ closeAtRest, isIdle, survey, waitsSince, checkpoint, close },
    wake: () => sources.wake(),
    tellReplays: (areRunning) => sources.tellReplays(areRunning),
    standing: () => admission.standing(),
    failingSince: () => admission.failingSince(),
  };
  const sources = createSources({
    ...{ endpoint, fence, context, log, window, write },
    wanted: () => (closed ? 0 : admission.wanted()),
    windowSize: () => admission.windowSize(),
    hasReceipts: receipts.areAny,
    ready,
    moved,
    nothingToProbe,
  });
  const deadLetters = createDeadLetters({
    ...{ endpoint, fence, circuits, log },
    found: () => {
      sources.lookForRetries();
      ready();
    },
  });
  const admission = createAdmission({
    ...{ endpoint, fence, circuits, ready, notices: context.notices },
    opened: () => {
      log.warn("circuit opened");
      sources.letGo();
    },
    closed: recover,
  });
  if (admission.outageSince() !== undefined) sources.letGo();
  context.lanes.add(lane);
  return lane;

  function ready(): void {
    if (!closed) context.ready(lane);
  }

  function take(): Delivery | undefined {
    if (closed || holds > 0) return undefined;
    const admitted = admission.admits(inFlight);
    if (admitted === undefined) return undefined;
    const isProbe = admitted === "probe";
    const next = sources.next(inFlight, isProbe);
    if (next === undefined) {
      if (isProbe) sources.seekProbe();
      return undefined;
    }
    inFlight += 1;
    admission.began(isProbe);
    const { event, previous, attempt, source, retry, replay, readyAt } = next;
    return { event, previous, attempt, source, retry, replay, readyAt, lane, isProbe };
  }

  function settle(delivery: Delivery, { record, ended, written: onWritten }: Settled): void {
    const { isProbe } = delivery;
    // What they may use of the window is what holds them back, and so what lets it grow.
    const isFull = delivery.source === "replay" && sources.isFullOfReplays();
    const with_ = { isProbe, isFull, inFlight };
    inFlight -= 1;
    sources.settle(delivery, record, { ended, written: onWritten });
    if (ended !== undefined) admission.learn(record, ended, with_);
    else if (isProbe) admission.cancelProbe();
    ready();
    settleDown();
  }

  function probeFailed(delivery: Delivery, ended: EndedAttempt, failure: ProbeFailure): void {
    inFlight -= 1;
    sources.giveBack(delivery);
    admission.probeFailed(ended, failure);
    sources.letGo();
    settleDown();
  }

  function abandon(delivery: Delivery): void {
    inFlight -= 1;
    sources.giveBack(delivery);
    if (delivery.isProbe) admission.cancelProbe();
    settleDown();
  }

  function closeAtRest(then: () => void): void {
    atRest = then;
    settleDown();
  }

  function settleDown(): void {
    if (atRest === undefined || inFlight > 0 || unwritten > 0) return;
    clearTimeout(restTimer);
    if (!sources.isWritten()) {
      restTimer = setTimeout(settleDown, restPauseMs);
      return;
    }
    close();
    if (unwritten > 0) return;
    const then = atRest;
    atRest = undefined;
    then();
  }

  function recover(outageSince: number): void {
    log.info({ outageMs: Date.now() - outageSince }, "circuit closed");
    sources.resume();
    // Until it is done the circuit is kept as it was: whoever follows would close and drain again.
    void deadLetters.drain(outageSince, admission.tellClosed);
  }

  function nothingToProbe(): void {
    const outageSince = admission.outageSince();
    if (outageSince !== undefined) void deadLetters.takeOne(outageSince);
  }

  function hold(): () => void {
    holds += 1;
    let over = false;
    return () => {
      if (over) return;
      over = true;
      holds -= 1;
      ready();
    };
  }

  function moved(): void {
    if (window.low().sequence - written.sequence > unwrittenMaxEvents) write(null);
    ready();
  }

  function isIdle(): boolean {
    if (window.size() > 0 || unwritten > 0 || !sources.isEmpty()) return false;
    // While it is open there may be something to probe with.
    return admission.outageSince() === undefined || deadLetters.isExhausted();
  }

  function survey(now: number): LaneSurvey {
    const waiting = sources.waiting();
    return { state: stateOf(waiting, now), retriesDue: waiting.retries };
  }

  function stateOf({ since, read }: Waiting, now: number): LaneSurvey["state"] {
    const isOut = admission.outageSince() !== undefined;
    if (isOut || holds > 0 || (since !== undefined && admission.isHeld(now))) return "held";
    if (since === undefined) return inFlight > 0 || !read ? "live" : "idle";
    return Date.now() - since > lagMs ? "lagging" : "live";
  }

  function waitsSince(now: number): number | undefined {
    if (closed || holds > 0 || admission.isHeld(now) || !admission.hasRoom(inFlight))
      return undefined;
    if (endpoint.ordering === "fifo" && inFlight > 0) return undefined;
    return sources.waiting().since;
  }

  function close(): void {
    if (closed) return;
    closed = true;
    context.lanes.delete(lane);
    clearTimeout(restTimer);
    receipts.close();
    admission.stop();
    deadLetters.stop();
    sources.close();
    checkpoint();
  }

  function checkpoint(): void {
    const { sequence } = window.low();
    if (sequence !== written.sequence || inFlight !== written.inFlight) write(null);
  }

  function write(
    record: DeliveryRecord | null,
    also: { move?: SubjectMove | undefined; written?: (told: Told) => void } = {},
  ): void {
    const settledTo = window.low();
    written = { sequence: settledTo.sequence, inFlight: closed ? 0 : inFlight };
    unwritten += 1;
    ledger.record({
      fence,
      settledTo,
      inFlight: written.inFlight,
      record,
      subject: also.move,
      written: (told) => {
        unwritten -= 1;
        also.written?.(told);
        receipts.learn(told.receipts);
        settleDown();
      },
    });
  }
}
