/**
 * Producers that never give up: with a key they repeat what had no answer, without one they leave
 * it in doubt. Each writes down what it sent and what it was told.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Apis, Caller } from "./apis.ts";
import { createPhaseLatencies, createPulse, type Phase, type Violations } from "./records.ts";

export type Producer = ReturnType<typeof createProducer>;

/** What is known of an event that was sent. */
export type SentEvent = {
  readonly n: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  fate: "sent" | "acknowledged" | "refused" | "in doubt";
  sequence: number;
  id: string;
};

/** Of the four events one is of the other type, and subjects go round. */
export const types = ["order.created", "order.paid"] as const;
export const subjects = 12;

/** A number that whoever parses it and writes it anew does not write so. */
const exact = "9.90";
const quoted = JSON.stringify(exact);

type Result = { status: number; id?: string; sequence?: string; problem?: { detail?: string } };

export function createProducer(options: {
  name: string;
  tenant: string;
  keyed: boolean;
  /** Events of a request, and from one request to the next. */
  batch: number;
  everyMs: number;
  apis: Apis;
  phase: () => Phase;
  violations: Violations;
}) {
  const { name, tenant, keyed, batch, everyMs, apis, phase, violations } = options;
  const caller: Caller = apis.caller();
  const sent: SentEvent[] = [];
  const pulse = createPulse();
  const latencies = createPhaseLatencies();
  /** Requests that failed, by what the connection broke of or by the status of the answer. */
  const failures = new Map<string, number>();
  return { name, tenant, keyed, sent, pulse, latencies, failures, run };

  /** Goes on until the signal; what was sent by then is known by the end. */
  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startedAt = performance.now();
      const events = Array.from({ length: batch }, (): SentEvent => {
        const event: SentEvent = {
          n: sent.length,
          at: Date.now(),
          fate: "sent",
          sequence: 0,
          id: "",
        };
        sent.push(event);
        return event;
      });
      const during = phase();
      await send(events);
      latencies[during].record(performance.now() - startedAt);
      await delay(Math.max(0, everyMs - (performance.now() - startedAt)));
    }
  }

  async function send(events: SentEvent[]): Promise<void> {
    let waiting = events;
    while (waiting.length > 0) {
      let isAnswered = true;
      const body = JSON.stringify({ events: waiting.map(toJson) }).replaceAll(quoted, exact);
      try {
        const { status, text } = await caller.ask("POST", "/events", { body });
        take(waiting, status, text);
        if (status !== 200) isAnswered = false;
      } catch (error) {
        isAnswered = false;
        const reason = reasonOf(error);
        fail(reason);
        // A connection that was refused has carried nothing.
        const inDoubt = !keyed && reason !== "ECONNREFUSED";
        if (inDoubt) for (const event of waiting) event.fate = "in doubt";
      }
      waiting = waiting.filter(({ fate }) => fate === "sent");
      if (!isAnswered || waiting.length > 0) await caller.next();
    }
  }

  function take(events: SentEvent[], status: number, text: string): void {
    const answer = JSON.parse(text) as { results?: Result[]; detail?: string };
    if (status !== 200) fail(`status ${status}`);
    const whole: Result = { status, problem: answer };
    const results = status === 200 ? (answer.results ?? []) : events.map(() => whole);
    events.forEach((event, index) => takeResult(event, results[index] ?? whole));
    if (status === 200) pulse.beat();
  }

  function fail(reason: string): void {
    failures.set(reason, (failures.get(reason) ?? 0) + 1);
  }

  function takeResult(event: SentEvent, { status, id, sequence, problem }: Result): void {
    if (status === 201 || status === 200) {
      Object.assign(event, { fate: "acknowledged", id, sequence: Number(sequence) });
    } else if (status !== 503) {
      violations.report("answered", `${name}: ${status} ${problem?.detail ?? ""}`);
      event.fate = "in doubt";
    } else if (!keyed) {
      event.fate = problem?.detail?.includes("was not appended") === true ? "refused" : "in doubt";
    }
  }

  /** The same however often it is sent. */
  function toJson({ n, at }: SentEvent) {
    return {
      tenant,
      type: types[n % 4 === 3 ? 1 : 0],
      subject: `order_${n % subjects}`,
      ...(keyed && { key: `${name}:${n}` }),
      data: { producer: name, n, at, total: exact },
    };
  }
}

/** As a client sees it: `ECONNREFUSED`, `UND_ERR_SOCKET`, `TimeoutError` … */
function reasonOf(error: unknown): string {
  const { code, name } = error as { code?: string | number; name?: string };
  return typeof code === "string" ? code : (name ?? String(error));
}
