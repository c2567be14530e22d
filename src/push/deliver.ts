/**
 * One delivery: builds the request, makes the attempt, decides what follows and hands the outcome
 * to the lane. The body is the stored envelope, the same bytes on every attempt and replay; the
 * timestamp and the signature are new each time.
 */
import type { AttemptDetail, DeliveryRecord, Trigger } from "../deliveries/ledger.ts";
import { replayName } from "../deliveries/replays.ts";
import type { Logger } from "../telemetry/logger.ts";
import { tellAll } from "../telemetry/observers.ts";
import type { TraceContext } from "../telemetry/trace-context.ts";
import type { Attempter, Stopped } from "./attempt.ts";
import type { AttemptTrace, TraceAttempt } from "./attempt-tracing.ts";
import { isFault, verdictOf, type Verdict } from "./health.ts";
import type { EndedAttempt } from "./delivery.ts";
import type { Delivery, Lane } from "./lane.ts";
import { bodyText, type Outcome } from "./outcome.ts";
import type { AttemptReport, ObserveAttempt } from "./report.ts";
import type { PushRequest } from "./request.ts";
import { decide, type Decision } from "./retry.ts";
import { decideUnsent, giveUpTime, missedReceipt } from "./unsent.ts";

/** How long a replay waits where its receiver asks for less and does not say for how long. */
const replayScheduleMs = [5_000];

/** Switches an endpoint off by what its receiver answered; false when the fence holds no longer. */
export type Disable = (lane: Pick<Lane, "endpoint" | "fence">, reason: string) => Promise<boolean>;

/** Calls `done` once, when the delivery is settled or given back. */
export type Deliver = (delivery: Delivery, done: () => void) => void;

export function createDeliverer(options: {
  attempter: Attempter;
  pushRequest: PushRequest;
  log: Logger;
  disable: Disable;
  observers: readonly ObserveAttempt[];
  traceAttempt: TraceAttempt;
}): Deliver {
  const { attempter, pushRequest, log, disable, observers, traceAttempt } = options;

  return (delivery, done) => {
    const { lane } = delivery;
    const unsent = decideUnsent(delivery, Date.now());
    if (unsent !== undefined) {
      lane.settle(delivery, { record: unsent, ended: undefined });
      return done();
    }
    const startedAt = performance.now();
    const queueMs = Math.round(startedAt - delivery.readyAt);
    const at = Date.now();
    const trace = traceAttempt(delivery, triggerOf(delivery), startedAt);
    // Without an async function: each attempt would pay for three more promises.
    attempt(delivery, at, trace.context).then(
      (outcome) => {
        conclude(delivery, outcome, { at, queueMs, trace });
        done();
      },
      (error: unknown) => {
        conclude(delivery, notMadeFor(delivery, error), { at, queueMs, trace });
        done();
      },
    );
  };

  /** Settles the delivery by the outcome of its attempt. */
  function conclude(
    delivery: Delivery,
    outcome: Outcome | Stopped,
    { at, queueMs, trace }: { at: number; queueMs: number; trace: AttemptTrace },
  ): void {
    const { lane } = delivery;
    if (outcome.kind === "stopped") {
      trace.end(undefined);
      return lane.abandon(delivery);
    }
    const [now, chance] = [Date.now(), Math.random()];
    const verdict = verdictOf(outcome);
    const decision = decisionOn(delivery, outcome, { at, now, chance, verdict });
    const ended = { verdict, at, now, chance, latencyMs: outcome.latencyMs };
    const record = toRecord(delivery, outcome, decision, { at, queueMs });
    const isProbeOnly = isFailedProbe(delivery, verdict, decision);
    const known = { record, traceId: trace.context?.traceId ?? null };
    trace.end(report(delivery, outcome, known, isProbeOnly ? undefined : decision));
    if (isProbeOnly) {
      return probeFailed(delivery, ended, { error: record.error ?? "", decision });
    }
    if (decision.kind !== "disable") return lane.settle(delivery, { record, ended });
    // Disabling voids what is not written yet, so this outcome first. Meanwhile nothing more goes
    // out: its own retry would be due at once.
    const release = lane.hold();
    const written = () => switchOff(lane, decision.reason, release);
    lane.settle(delivery, { record, ended, written });
  }

  /** Nothing is recorded of the event: it was no attempt of its own. */
  function probeFailed(
    delivery: Delivery,
    ended: EndedAttempt,
    { error, decision }: { error: string; decision: Decision },
  ) {
    const { lane } = delivery;
    if (decision.kind === "disable") switchOff(lane, decision.reason, lane.hold());
    lane.probeFailed(delivery, ended, { at: ended.at, error });
  }

  function attempt(
    delivery: Delivery,
    at: number,
    trace: TraceContext | undefined,
  ): Promise<Outcome | Stopped> {
    const { event, previous, attempt: number, replay, lane } = delivery;
    const { endpoint } = lane;
    try {
      const { headers, body } = pushRequest({
        endpoint,
        event,
        previous,
        attempt: number,
        replay: replay && replayName(replay.run.id),
        trace,
        at,
      });
      const { url, timeoutMs } = endpoint;
      return attempter.attempt({ url, headers, body, timeoutMs });
    } catch (error) {
      return Promise.resolve(notMadeFor(delivery, error));
    }
  }

  /** A fault of ours is one failed attempt, so that it cannot stop the other deliveries. */
  function notMadeFor({ lane }: Delivery, error: unknown): Outcome {
    const { tenantName: tenant, name: endpoint } = lane.endpoint;
    log.error({ tenant, endpoint, err: error }, "an attempt could not be made");
    return notMade;
  }

  /** When it fails, the next answer of this kind tries again. */
  function switchOff({ endpoint, fence }: Lane, reason: string, done: () => void) {
    const { tenantName: tenant, name } = endpoint;
    disable({ endpoint, fence }, reason)
      .then(
        (disabled) => {
          if (disabled) log.warn({ tenant, endpoint: name, reason }, "endpoint disabled");
          else log.info({ tenant, endpoint: name, reason }, "not disabled: it is served anew");
        },
        (error: unknown) =>
          log.error({ tenant, endpoint: name, err: error }, "endpoint not disabled"),
      )
      .finally(done);
  }

  /** `decision` is undefined for a probe that failed. */
  function report(
    delivery: Delivery,
    outcome: Outcome,
    known: Pick<AttemptReport, "record" | "traceId">,
    decision: Decision | undefined,
  ): AttemptReport {
    const told = {
      delivery,
      record: known.record,
      traceId: known.traceId,
      trigger: triggerOf(delivery),
      outcome: decision?.kind ?? ("probe failed" as const),
      errorClass: outcome.kind === "failed" ? outcome.class : null,
      retryInMs: decision?.kind === "retry" ? Math.round(decision.delayMs) : null,
    };
    tellAll(observers, told, log);
    return told;
  }
}

/** What follows from an outcome. */
function decisionOn(
  delivery: Delivery,
  outcome: Outcome,
  known: { at: number; now: number; chance: number; verdict: Verdict },
): Decision {
  const { at, now, chance, verdict } = known;
  const { lane } = delivery;
  const isReplay = delivery.source === "replay";
  const decided = decide(outcome, {
    attempt: isReplay ? 1 : delivery.attempt,
    scheduleMs: isReplay ? replayScheduleMs : lane.endpoint.scheduleMs,
    chance,
    now,
    giveUpAt: giveUpTime(delivery),
    failingSince: lane.failingSince() ?? at,
  });
  return isReplay ? decisionOnReplay(decided, verdict) : decided;
}

const notMade: Outcome = {
  kind: "failed",
  class: "http",
  message: "the gateway could not make the request",
  response: undefined,
  latencyMs: 0,
  headMs: undefined,
  tries: 1,
};

function toRecord(
  delivery: Delivery,
  outcome: Outcome,
  decision: Decision,
  { at, queueMs }: { at: number; queueMs: number },
): DeliveryRecord {
  const { event, previous, attempt, retry, isProbe, source } = delivery;
  const { requireReceipt, receiptTimeoutMs } = delivery.lane.endpoint;
  const awaits = requireReceipt && source !== "replay";
  const stands = standing(decision, awaits ? receiptTimeoutMs : undefined);
  const isFirst = attempt === 1 && !isProbe && source !== "replay";
  const isPlain = stands.kind === "delivered" && isFirst;
  return {
    kind: stands.kind,
    dueAt: stands.dueAt,
    day: event.day,
    sequence: event.sequence,
    previous,
    attempts: attempt,
    retried: retry !== undefined,
    requeued: retry?.requeued ?? false,
    firstAt: retry?.firstAt ?? at,
    at,
    queueMs,
    latencyMs: Math.round(outcome.latencyMs),
    statusCode: outcome.response?.status ?? null,
    error: errorText(outcome, decision),
    missed: missedReceipt(delivery),
    detail: isPlain ? null : detailOf(delivery, outcome),
  };
}

/**
 * A replay has one attempt: whoever asked for it asks again, and what is owed has its own times. A
 * receiver that only asks for less (429) is heard.
 */
function decisionOnReplay(decision: Decision, verdict: Verdict): Decision {
  const hasFailed = decision.kind === "retry" || (decision.kind === "dead" && !decision.asked);
  if (!hasFailed || (decision.kind === "retry" && verdict === "busy")) return decision;
  return { kind: "dead", reason: "replayed", asked: false };
}

/** Under `fifo` a probe is the head's own attempt. What the receiver asks for is an answer too. */
function isFailedProbe(delivery: Delivery, verdict: Verdict, decision: Decision): boolean {
  if (!delivery.isProbe || !isFault(verdict)) return false;
  if (delivery.lane.endpoint.ordering === "fifo" && delivery.source !== "replay") return false;
  return !(decision.kind === "dead" && decision.asked);
}

function triggerOf({ isProbe, retry, source }: Delivery): Trigger {
  if (source === "replay") return "replay";
  if (isProbe) return "probe";
  if (retry === undefined) return "event";
  return retry.requeued ? "drain" : "retry";
}

/** `receiptMs`: how long what was accepted waits for its receipt, if it has to. */
function standing(
  decision: Decision,
  receiptMs: number | undefined,
): Pick<DeliveryRecord, "kind" | "dueAt"> {
  const delivered =
    receiptMs === undefined
      ? ({ kind: "delivered", dueAt: null } as const)
      : ({ kind: "awaiting_receipt", dueAt: Date.now() + receiptMs } as const);
  switch (decision.kind) {
    case "delivered":
      return delivered;
    case "retry":
      return { kind: "retrying", dueAt: Math.round(Date.now() + decision.delayMs) };
    case "dead":
      return { kind: "dead", dueAt: null };
    case "disable":
      // Held: it is due as soon as the endpoint is enabled again.
      return decision.delivered ? delivered : { kind: "retrying", dueAt: Date.now() };
  }
}

function errorText(outcome: Outcome, decision: Decision): string | null {
  if (decision.kind === "delivered") return null;
  const cause =
    outcome.kind === "failed"
      ? `${outcome.class}: ${outcome.message}`
      : `http: status ${outcome.response.status}`;
  return decision.kind === "retry" ? cause : `${cause} (${decision.reason})`;
}

function detailOf(delivery: Delivery, outcome: Outcome): AttemptDetail {
  const { response } = outcome;
  return {
    trigger: triggerOf(delivery),
    url: delivery.lane.endpoint.url,
    errorClass: outcome.kind === "failed" ? outcome.class : null,
    responseHeaders: response ? JSON.stringify(response.headers).replaceAll("\\u0000", "") : null,
    responseBody: response ? bodyText(response) : null,
    truncated: response?.truncated ?? false,
  };
}
