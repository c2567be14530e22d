/** What the parties of a simulation write down, in little memory: a run may see millions of pushes. */

/** Millisecond values, kept as counts of buckets a twentieth apart: quantiles are that exact. */
export type Latencies = ReturnType<typeof createLatencies>;

const bucketRatio = 1.05;

function createLatencies() {
  let buckets: number[] = [];
  let total = 0;
  return { record, quantile, restart };

  function restart(): void {
    buckets = [];
    total = 0;
  }

  function record(ms: number): void {
    const bucket = Math.max(0, Math.round(Math.log(Math.max(ms, 1)) / Math.log(bucketRatio)));
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    total += 1;
  }

  /** Milliseconds; undefined when nothing was recorded. */
  function quantile(share: number): number | undefined {
    let left = Math.ceil(share * total);
    for (const [bucket, count = 0] of buckets.entries()) {
      left -= count;
      if (left <= 0 && total > 0) return bucketRatio ** bucket;
    }
    return undefined;
  }
}

/** Of a run, around what it is about. */
export type Phase = (typeof phases)[number];

export const phases = ["before", "during", "after"] as const;

export function createPhaseLatencies(): Record<Phase, Latencies> {
  return { before: createLatencies(), during: createLatencies(), after: createLatencies() };
}

/** When something last happened, and the longest time in which nothing did. */
export type Pulse = ReturnType<typeof createPulse>;

export function createPulse() {
  let lastAt: number | undefined;
  let longest = 0;
  return {
    beat(): void {
      const now = performance.now();
      if (lastAt !== undefined) longest = Math.max(longest, now - lastAt);
      lastAt = now;
    },
    /** What follows is another time: the pause before it does not count. */
    rest(): void {
      lastAt = undefined;
    },
    /** Forgets the pauses so far; the one that goes on counts. */
    restart(): void {
      longest = 0;
    },
    longestMs: () => longest,
  };
}

/** The longest pause of several that go on beside each other. */
export function longestMs(pulses: readonly Pulse[]): number {
  return Math.max(0, ...pulses.map((pulse) => pulse.longestMs()));
}

/** What a consumer has said to have processed, and when that was answered. Only answers count. */
export type Confirmations = ReturnType<typeof createConfirmations>;

export function createConfirmations() {
  const each = new Map<number, number>();
  /** Each reaches further than the one before. */
  const runs: { readonly through: number; readonly at: number }[] = [];
  return { settle, settleThrough, at };

  function settle(sequence: number): void {
    if (!each.has(sequence)) each.set(sequence, performance.now());
  }

  function settleThrough(sequence: number): void {
    if (sequence <= (runs.at(-1)?.through ?? 0)) return;
    runs.push({ through: sequence, at: performance.now() });
  }

  /** By `performance.now()`; undefined for what was not confirmed. */
  function at(sequence: number): number | undefined {
    const byId = each.get(sequence);
    const byRun = runs.find(({ through }) => through >= sequence)?.at;
    return byId === undefined || byRun === undefined ? (byId ?? byRun) : Math.min(byId, byRun);
  }
}

/** Each thing that went against a promise, by the check that found it. */
export type Violations = ReturnType<typeof createViolations>;

/** Enough to see what is wrong; the rest is counted. */
const examplesMax = 5;

/** `told` hears of each as it is found. */
export function createViolations(told: (check: Check, what: string) => void = () => {}) {
  const found = new Map<Check, { count: number; examples: string[] }>();
  return { report, of: (check: Check) => found.get(check), all: () => found };

  function report(check: Check, what: string): void {
    const entry = found.get(check) ?? { count: 0, examples: [] };
    found.set(check, entry);
    entry.count += 1;
    if (entry.examples.length < examplesMax) entry.examples.push(what);
    told(check, what);
  }
}

/** The checks by name: what a mutation is caught by. */
export const checks = {
  acknowledged: "an acknowledged append is in the log, where it was said to be",
  once: "nothing is in the log twice, or without having been sent",
  refused: "what was said not to be appended is not there",
  answered: "an append is answered with success, or with a reason to come back",
  dense: "sequences are dense",
  readers: "pollers and streams have each matching event once, in order",
  resumable: "no reader is told that its cursor is of no use",
  caughtUp: "everybody comes to the end of the log once the faults are over",
  delivered:
    "each matching event is accepted by its endpoint, or retrying, waiting or rightly dead",
  asked: "nothing is pushed to an endpoint that did not ask for it",
  accounted: "each event up to an endpoint's position is accounted for in the ledger",
  claimed: "what the ledger calls delivered, its receiver has accepted",
  settled: "what was delivered once stays delivered",
  order: "an endpoint that asked for order has it",
  previous: "tidegate-previous-sequence names the matching event before",
  bytes: "a push is signed and carries the bytes of the log",
  duplicates: "duplicates stay within what the faults explain, and end with them",
  confirmed:
    "what a consumer has said to have processed stays so, and is not pushed to it any more",
  receipts: "a receipt is answered with what became of each event, and is found again",
  missed: "what an endpoint has missed is told in order, all of it and nothing else",
  undelivered: "what is told as undelivered adds up to a count by brute force",
  consumers: "a named consumer has each event in order, and none again that it has acknowledged",
  replays: "a replay comes to its end, sends each event of its range and counts each once",
  alive: "no process ends by itself, and each ends well when it is asked to",
  leases: "each shard has one owner, and who slept through its lease says so",
} as const;

export type Check = keyof typeof checks;
