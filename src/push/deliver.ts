/**
 * One delivery: builds the request, makes the attempt, decides what follows and hands the outcome
 * to the lane. The body is the stored envelope, the same bytes on every attempt and replay; the
 * timestamp and the signature are new each time.
 */
import type { AttemptDetail, DeliveryRecord } from "../deliveries/ledger.ts";
import { eventId } from "../log/event.ts";
import type { Logger } from "../telemetry.ts";
import type { Attempter, Stopped } from "./attempt.ts";
import type { Endpoint } from "./endpoints.ts";
import type { Delivery } from "./lane.ts";
import { bodyText, type Outcome } from "./outcome.ts";
import type { PushHeaders } from "./request.ts";
import { decide, type Decision } from "./retry.ts";

/** Why an endpoint is switched off by what its receiver answered. */
export type Disable = (endpoint: Endpoint, reason: string) => Promise<void>;

export function createDeliverer(options: {
  attempter: Attempter;
  pushHeaders: PushHeaders;
  log: Logger;
  disable: Disable;
}): (delivery: Delivery) => Promise<void> {
  const { attempter, pushHeaders, log, disable } = options;

  return async (delivery) => {
    const { lane } = delivery;
    const { endpoint } = lane;
    const queueMs = Math.round(performance.now() - delivery.readyAt);
    const at = Date.now();
    const outcome = await attempt(delivery, at);
    if (outcome.kind === "stopped") return lane.abandon(delivery);

    const decision = decide(outcome, {
      attempt: delivery.attempt,
      scheduleMs: endpoint.scheduleMs,
      chance: Math.random(),
      now: Date.now(),
    });
    const record = toRecord(delivery, outcome, decision, { at, queueMs });
    logAttempt(delivery, record, decision);
    if (decision.kind !== "disable") return lane.settle(delivery, record);
    // Disabling voids what is not written yet, so this outcome first. Meanwhile nothing more goes
    // out: its own retry would be due at once.
    const release = lane.hold();
    lane.settle(delivery, record, () => switchOff(endpoint, decision.reason, release));
  };

  /** A fault of ours is one failed attempt, so that it cannot stop the other deliveries. */
  async function attempt(delivery: Delivery, at: number): Promise<Outcome | Stopped> {
    const { url, timeoutMs, tenantName: tenant, name } = delivery.lane.endpoint;
    try {
      const body = Buffer.from(delivery.event.envelope);
      const { event, previous, attempt: number, lane } = delivery;
      const { endpoint } = lane;
      const headers = pushHeaders({ endpoint, event, previous, attempt: number, body, at });
      return await attempter.attempt({ url, headers, body, timeoutMs });
    } catch (error) {
      log.error({ tenant, endpoint: name, err: error }, "an attempt could not be made");
      return notMade;
    }
  }

  /** When it fails, the next answer of this kind tries again. */
  function switchOff(endpoint: Endpoint, reason: string, done: () => void) {
    const { tenantName: tenant, name } = endpoint;
    disable(endpoint, reason)
      .then(
        () => log.warn({ tenant, endpoint: name, reason }, "endpoint disabled"),
        (error: unknown) =>
          log.error({ tenant, endpoint: name, err: error }, "endpoint not disabled"),
      )
      .finally(done);
  }

  function logAttempt(delivery: Delivery, record: DeliveryRecord, decision: Decision) {
    const { tenantName: tenant, name } = delivery.lane.endpoint;
    const line = {
      tenant,
      event: eventId(delivery.event),
      endpoint: name,
      attempt: delivery.attempt,
      outcome: decision.kind,
      status: record.statusCode,
      error: record.error,
      queueMs: record.queueMs,
      latencyMs: record.latencyMs,
      retryInMs: decision.kind === "retry" ? Math.round(decision.delayMs) : null,
    };
    // Successes are most of the lines and least of the news.
    if (decision.kind === "delivered") log.debug(line, "attempt");
    else log.info(line, "attempt");
  }
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
  { event, previous, attempt, retry }: Delivery,
  outcome: Outcome,
  decision: Decision,
  { at, queueMs }: { at: number; queueMs: number },
): DeliveryRecord {
  return {
    ...standing(decision),
    day: event.day,
    sequence: event.sequence,
    previous,
    attempts: attempt,
    firstAt: retry?.firstAt ?? at,
    at,
    queueMs,
    latencyMs: Math.round(outcome.latencyMs),
    statusCode: outcome.response?.status ?? null,
    error: errorText(outcome, decision),
    detail: decision.kind === "delivered" && attempt === 1 ? null : detailOf(outcome),
  };
}

function standing(decision: Decision): Pick<DeliveryRecord, "kind" | "dueAt"> {
  switch (decision.kind) {
    case "delivered":
      return { kind: "delivered", dueAt: null };
    case "retry":
      return { kind: "retrying", dueAt: Math.round(Date.now() + decision.delayMs) };
    case "dead":
      return { kind: "dead", dueAt: null };
    case "disable":
      // Held: it is due as soon as the endpoint is enabled again.
      return decision.delivered
        ? { kind: "delivered", dueAt: null }
        : { kind: "retrying", dueAt: Date.now() };
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

function detailOf(outcome: Outcome): AttemptDetail {
  const { response } = outcome;
  return {
    errorClass: outcome.kind === "failed" ? outcome.class : null,
    responseHeaders: response ? JSON.stringify(response.headers).replaceAll("\\u0000", "") : null,
    responseBody: response ? bodyText(response) : null,
    truncated: response?.truncated ?? false,
  };
}
