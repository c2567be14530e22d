/**
 * What was to arrive and what did. Each tenant has one producer, which appends in order, so it is
 * known beforehand which payload has which sequence. Every consumer shows each event that it got
 * to `inspect`, which compares bytes, and says with `take` that it has it.
 */
import type { Payload } from "./payloads.ts";

export const consumers = ["steady", "flaky", "poller", "stream"] as const;

export type Consumer = (typeof consumers)[number];

/** An event that arrived, checked. */
export type Arrived = { readonly id: string; readonly sequence: number };

export type Ledger = ReturnType<typeof createLedger>;

/** After so many faults another one tells nothing new. */
const faultsKept = 10;

type Envelope = {
  readonly id: string;
  readonly type: string;
  readonly subject?: string;
  readonly tenant: string;
  readonly sequence: string;
};

export function createLedger(plans: ReadonlyMap<string, readonly Payload[]>) {
  const expected = [...plans.values()].reduce((sum, plan) => sum + plan.length, 0);
  /** Consumer and tenant → the sequences taken. */
  const taken = new Map<string, Set<number>>();
  const duplicates: Record<Consumer, number> = { steady: 0, flaky: 0, poller: 0, stream: 0 };
  /** Tenant and sequence → the event as the first consumer got it. */
  const firstSeen = new Map<string, string>();
  const faults: string[] = [];
  const counts = {
    appended: 0,
    signatures: 0,
    refused: 0,
    hung: 0,
    retried: 0,
    pages: 0,
    cuts: 0,
    cutsInside: 0,
    faults: 0,
  };

  return {
    counts,
    faults,
    expected,
    duplicates: (consumer: Consumer) => duplicates[consumer],
    plan,
    inspect,
    take,
    takenOf,
    took,
    fault,
  };

  /** What a tenant's producer appends; the first has sequence 1. */
  function plan(tenant: string): readonly Payload[] {
    return plans.get(tenant) ?? [];
  }

  /** Compares an event, byte for byte, with what was appended and with what others got. */
  function inspect(consumer: Consumer, tenant: string, envelope: string): Arrived | undefined {
    const event = parse(envelope);
    const sequence = Number(event?.sequence);
    const payload = plan(tenant)[sequence - 1];
    const place = `${consumer} of ${tenant}`;
    if (event === undefined || payload === undefined) {
      fault(`${place}: got what was never appended: ${envelope.slice(0, 200)}`);
      return undefined;
    }
    const same =
      event.tenant === tenant &&
      event.type === payload.type &&
      event.subject === payload.subject &&
      envelope.endsWith(`,"data":${payload.data}}`);
    if (!same) fault(`${place}: event ${sequence} differs from what was appended`);
    const first = firstSeen.get(`${tenant}/${sequence}`);
    if (first === undefined) firstSeen.set(`${tenant}/${sequence}`, envelope);
    else if (first !== envelope) fault(`${place}: event ${sequence} differs from what others got`);
    return { id: event.id, sequence };
  }

  function take(consumer: Consumer, tenant: string, sequence: number): void {
    const sequences = takenOf(consumer, tenant);
    if (sequences.has(sequence)) duplicates[consumer] += 1;
    sequences.add(sequence);
  }

  function takenOf(consumer: Consumer, tenant: string): Set<number> {
    const key = `${consumer}/${tenant}`;
    const sequences = taken.get(key) ?? new Set();
    taken.set(key, sequences);
    return sequences;
  }

  /** How many different events a consumer has, over all tenants. */
  function took(consumer: Consumer): number {
    let sum = 0;
    for (const tenant of plans.keys()) sum += takenOf(consumer, tenant).size;
    return sum;
  }

  function fault(text: string): void {
    counts.faults += 1;
    if (faults.length < faultsKept) faults.push(text);
  }
}

function parse(envelope: string): Envelope | undefined {
  try {
    return JSON.parse(envelope) as Envelope;
  } catch {
    return undefined;
  }
}
