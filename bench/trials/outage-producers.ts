/** The producers of the outage, and all that they sent and were told. */
import { setTimeout as delay } from "node:timers/promises";
import type { Answer, Client } from "./client.ts";

export const tenants = ["first", "second", "third", "fourth"];

/** Closed loops: each repeats what was refused until it is acknowledged. */
const singleLanes = 8;
const batchLanes = 4;
const batchEvents = 20;

/** An open loop beside them, since those wait while an outcome is looked up: it repeats nothing. */
const pacedPerSecond = 100;

/** Of a producer that is refused without being told how long to wait. */
const unaskedWaitMs = 100;

export type SentRequest = {
  readonly lane: number;
  readonly sentAt: number;
  readonly answeredAt: number;
  readonly status: number;
  /** Of a batch in which events were refused, what they were refused with. */
  readonly refusedWith: number | undefined;
  /** Whether it says when to come back. */
  readonly retryAfter: boolean;
  readonly acknowledged: boolean;
};

export type SentEvent = {
  /** What its data holds. */
  readonly n: number;
  readonly tenant: string;
  readonly keyed: boolean;
  /** Once it is acknowledged. */
  id: string | undefined;
  /** What the last answer that refused it said. */
  fate: "not appended" | "in doubt" | undefined;
};

export type Ledger = {
  readonly requests: SentRequest[];
  readonly events: Map<number, SentEvent>;
  readonly lanes: number;
};

type Result = { status: number; id?: string; problem?: { detail: string } };

export function startProducers(client: Client): { ledger: Ledger; stop(): Promise<void> } {
  const lanes = singleLanes + batchLanes + 1;
  const ledger: Ledger = { requests: [], events: new Map(), lanes };
  let running = true;
  const closed = Array.from({ length: lanes - 1 }, (_, lane) =>
    produce(lane, lane < singleLanes ? 1 : batchEvents),
  );
  // One that fails is told when they are stopped, not as a rejection that nobody handles.
  const ended = Promise.all([...closed, pace(lanes - 1)]);
  ended.catch(() => {});
  return {
    ledger,
    async stop() {
      running = false;
      await ended;
    },
  };

  async function produce(lane: number, size: number): Promise<void> {
    while (running) {
      let open = Array.from({ length: size }, () => newEvent(lane, true));
      while (open.length > 0) {
        const waitMs = await send(lane, open);
        open = open.filter(({ id }) => id === undefined);
        if (open.length > 0) await delay(waitMs);
      }
    }
  }

  async function pace(lane: number): Promise<void> {
    const startedAt = performance.now();
    const sending: Promise<unknown>[] = [];
    for (let due = startedAt; running; due += 1_000 / pacedPerSecond) {
      if (due > performance.now()) await delay(due - performance.now());
      const sent = send(lane, [newEvent(lane, false)]);
      sent.catch(() => {}); // told by `all` at the end
      sending.push(sent);
    }
    await Promise.all(sending);
  }

  function newEvent(lane: number, keyed: boolean): SentEvent {
    const n = ledger.events.size + 1;
    const tenant = tenants[(lane + n) % tenants.length] ?? "";
    const event: SentEvent = { n, tenant, keyed, id: undefined, fate: undefined };
    ledger.events.set(n, event);
    return event;
  }

  /** Notes what became of the events; gives how long to wait should any be refused. */
  async function send(lane: number, events: readonly SentEvent[]): Promise<number> {
    const bodies = events.map(bodyOf);
    const body = events.length === 1 ? (bodies[0] ?? "") : `{"events":[${bodies.join(",")}]}`;
    const sentAt = performance.now();
    const answer = await client.send("POST", "/events", body);
    const answeredAt = performance.now();
    const results = resultsOf(answer, events.length);
    events.forEach((event, index) => settle(event, results[index]));
    const refused = results.find(({ id }) => id === undefined);
    const retryAfter = Number(answer.headers["retry-after"] ?? 0);
    ledger.requests.push({
      ...{ lane, sentAt, answeredAt },
      status: answer.status,
      refusedWith: events.length > 1 ? refused?.status : undefined,
      retryAfter: retryAfter > 0,
      acknowledged: refused === undefined,
    });
    return retryAfter > 0 ? retryAfter * 1_000 : unaskedWaitMs;
  }
}

function settle(event: SentEvent, result: Result | undefined): void {
  event.id = result?.id;
  if (result?.status === 503) {
    const detail = result.problem?.detail ?? "";
    event.fate = detail.includes("may or may not") ? "in doubt" : "not appended";
  } else event.fate = undefined;
}

/** One result for each event, whichever form the answer has. */
function resultsOf({ status, text }: Answer, events: number): Result[] {
  const body = JSON.parse(text) as { id?: string; detail?: string; results?: Result[] };
  if (body.results !== undefined) return body.results;
  const problem = { detail: body.detail ?? "" };
  const { id } = body;
  return Array.from({ length: events }, () => ({
    status,
    problem,
    ...(id !== undefined && { id }),
  }));
}

function bodyOf({ n, tenant, keyed }: SentEvent): string {
  const key = keyed ? { key: `key ${n}` } : {};
  return JSON.stringify({ tenant, type: "order.created", ...key, data: { n } });
}
