/**
 * Whether a lane may begin an attempt now: its window, its rate and its circuit. What attempts say
 * of the endpoint comes back here.
 */
import type { Circuits, ProbeFailure } from "../deliveries/circuits.ts";
import type { DeliveryRecord, Fence } from "../deliveries/ledger.ts";
import { createBreaker } from "./breaker.ts";
import type { EndedAttempt } from "./delivery.ts";
import type { Endpoint } from "./endpoints.ts";
import type { LaneNotices } from "./notices.ts";
import { initialPace, paceAfter, type Standing } from "./pace.ts";
import { createRate } from "./rate.ts";

/**
 * Events read ahead for each attempt that the window allows, and at least. The next are read when half
 * of them are left, so a fast endpoint's statements give some hundred events each.
 */
const readAheadFactor = 8;
const readAheadMin = 4;

/** With ordering by subject, those that wait for another of their subject must not fill it. */
const readAheadMinBySubject = 200;

/** Events of which one becomes the probe, so that no single one decides for all. */
const probeChoice = 8;

export function createAdmission(options: {
  endpoint: Endpoint;
  fence: Fence;
  circuits: Circuits;
  /** `admits` may have changed. */
  ready: () => void;
  opened: () => void;
  /** The endpoint answers again, after an outage that began then. */
  closed: (outageSince: number) => void;
  notices: Pick<LaneNotices, "opened" | "closed">;
}) {
  const { endpoint, fence, circuits, ready, opened, closed, notices } = options;
  const isFifo = endpoint.ordering === "fifo";
  const rate = createRate(endpoint.ratePerSecond);
  let pace = initialPace(endpoint.standing);
  let failingSince = endpoint.failingSince;
  let lastError: string | null = null;
  let timer: NodeJS.Timeout | undefined;
  const breaker = createBreaker({
    fence,
    circuit: endpoint.circuit,
    circuits,
    probeDue: ready,
    opened,
    closed: recover,
    written: {
      opened: (outage) => notices.opened(endpoint, outage, lastError),
      closed: (outage) => notices.closed(endpoint, outage),
    },
  });

  return {
    admits,
    isHeld,
    hasRoom: (inFlight: number) => inFlight < Math.floor(pace.limit),
    began,
    learn,
    probeFailed,
    cancelProbe: breaker.cancelProbe,
    tellClosed: breaker.tellClosed,
    outageSince: breaker.outageSince,
    /** How its endpoint stands; one that is being probed is slow. */
    standing: (): Standing => (breaker.isClosed() ? pace.standing : "slow"),
    failingSince: () => failingSince,
    wanted,
    windowSize: () => Math.floor(pace.limit),
    stop,
  };

  /** An attempt, a probe, or nothing. */
  function admits(inFlight: number): "attempt" | "probe" | undefined {
    if (!breaker.isClosed()) return breaker.mayProbe() ? "probe" : undefined;
    if (inFlight >= Math.floor(pace.limit)) return undefined;
    const waitMs = rate.waitMs(performance.now());
    if (waitMs === 0) return "attempt";
    clearTimeout(timer);
    timer = setTimeout(ready, waitMs);
    return undefined;
  }

  /** By its circuit or its rate, whatever its window. */
  function isHeld(now: number): boolean {
    return !breaker.isClosed() || rate.waitMs(now) > 0;
  }

  function began(isProbe: boolean): void {
    rate.take();
    if (isProbe) breaker.beginProbe();
  }

  /** `inFlight`: with the attempt that has ended. `isFull`: its share of the window was. */
  function learn(
    record: DeliveryRecord,
    ended: EndedAttempt,
    { isProbe, isFull, inFlight }: { isProbe: boolean; isFull: boolean; inFlight: number },
  ): void {
    const full = isFull || inFlight >= Math.floor(pace.limit);
    const { verdict, latencyMs, at, now } = ended;
    pace = paceAfter(pace, { verdict, latencyMs, at, now, full }, endpoint);
    const accepted = record.kind === "delivered" || record.kind === "awaiting_receipt";
    failingSince = accepted ? undefined : (failingSince ?? record.at);
    if (!accepted) lastError = record.error;
    if (isProbe) breaker.afterProbe(ended);
    else breaker.afterAttempt(ended);
    // Under `fifo` the next probe is the next attempt of the event that stands first.
    if (isFifo && !accepted && record.dueAt !== null) breaker.postpone(record.dueAt);
  }

  function probeFailed(ended: EndedAttempt, failure: ProbeFailure): void {
    failingSince ??= ended.at;
    lastError = failure.error;
    breaker.afterProbe(ended, failure);
  }

  function recover(outageSince: number): void {
    pace = initialPace(pace.standing);
    rate.startRamp(performance.now());
    closed(outageSince);
  }

  /** How many events are worth reading ahead now. */
  function wanted(): number {
    if (!breaker.isClosed()) return breaker.mayProbe() ? probeChoice : 0;
    const least = endpoint.ordering === "subject" ? readAheadMinBySubject : readAheadMin;
    return Math.max(least, Math.floor(pace.limit) * readAheadFactor);
  }

  function stop(): void {
    clearTimeout(timer);
    breaker.stop();
  }
}
