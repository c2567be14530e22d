/**
 * What goes wrong and when: a pure function of the seed. What becomes of it depends on how the
 * processes interleave; the schedule does not.
 */
import { createChance, type Chance } from "../support/chance.ts";

export type FaultKind = (typeof faultKinds)[number];

export const faultKinds = [
  "kill",
  "stop",
  "terminate",
  "skew-clock",
  "crash-postgres",
  "kill-nats",
  "wipe-nats",
  "delete-stream",
  "cut-postgres",
  "delay-postgres",
  "silence-postgres",
  "cut-nats",
  "delay-nats",
  "silence-nats",
  "cut-receivers",
  "delay-receivers",
  "silence-receivers",
  "rewind",
  "pause",
] as const;

export type Fault = {
  readonly kind: FaultKind;
  /** From the start of the schedule. */
  readonly atMs: number;
  /** How long it lasts. */
  readonly forMs: number;
  /** What it strikes: a gateway, a NATS server or a tenant, by its number. */
  readonly target: number;
  /** Of a delay, milliseconds; of a clock, seconds; of a rewind, events. */
  readonly amount: number;
};

export type PlanOptions = {
  readonly seed: number;
  readonly seconds: number;
  /** All of them when undefined. */
  readonly kinds?: readonly FaultKind[] | undefined;
  readonly gateways: number;
  readonly brokers: number;
  readonly tenants: number;
};

/**
 * On the average, so that one is mostly over before the next, and often enough not. A short run has
 * them closer, so that every kind comes.
 */
const everyMaxMs = 2_200;

/** Clocks that are off by more than this would only make the run wait for retries at its end. */
const skewMaxSeconds = 20;

/** Longest of each kind, in milliseconds; the leases of shards are 4 s. */
const longestMs: Record<FaultKind, number> = {
  kill: 3_000,
  stop: 9_000,
  terminate: 500,
  "skew-clock": 500,
  "crash-postgres": 2_000,
  "kill-nats": 4_000,
  "wipe-nats": 2_000,
  "delete-stream": 0,
  "cut-postgres": 3_000,
  "delay-postgres": 4_000,
  "silence-postgres": 6_000,
  "cut-nats": 4_000,
  "delay-nats": 5_000,
  "silence-nats": 8_000,
  "cut-receivers": 3_000,
  "delay-receivers": 5_000,
  "silence-receivers": 5_000,
  rewind: 0,
  pause: 3_000,
};

/** In the order of their times. Each of the kinds comes before one comes a second time. */
export function planFaults(options: PlanOptions): Fault[] {
  const { seed, seconds, kinds = faultKinds } = options;
  const chance = createChance(seed);
  const endMs = seconds * 1_000;
  const everyMs = Math.min(everyMaxMs, endMs / (1.2 * kinds.length));
  const faults: Fault[] = [];
  let deck: FaultKind[] = [];
  for (let atMs = Math.round(everyMs / 2); atMs < endMs;) {
    if (deck.length === 0) deck = shuffle(kinds, chance);
    const kind = deck.pop() ?? "kill";
    const { forMs, ...chosen } = choose(kind, options, chance);
    faults.push({ kind, atMs, forMs: Math.min(forMs, endMs - atMs), ...chosen });
    atMs += Math.round(everyMs / 2) + chance.below(Math.round(everyMs));
  }
  return faults;
}

function choose(kind: FaultKind, options: PlanOptions, chance: Chance) {
  const most = longestMs[kind];
  const forMs = most === 0 ? 0 : 200 + chance.below(most - 200 + 1);
  return { forMs, target: chance.below(targetsOf(kind, options)), amount: amountOf(kind, chance) };
}

function targetsOf(kind: FaultKind, { gateways, brokers, tenants }: PlanOptions): number {
  switch (kind) {
    case "kill-nats":
    case "wipe-nats":
      return brokers;
    case "cut-receivers":
    case "delay-receivers":
    case "silence-receivers":
    case "rewind":
    case "pause":
      return tenants;
    case "crash-postgres":
    case "delete-stream":
      return 1;
    default:
      return gateways;
  }
}

function amountOf(kind: FaultKind, chance: Chance): number {
  switch (kind) {
    case "skew-clock": {
      const seconds = 2 + chance.below(skewMaxSeconds - 1);
      return chance.below(2) === 0 ? seconds : -seconds;
    }
    case "rewind":
      return 5 + chance.below(40);
    default:
      return 20 + chance.below(300);
  }
}

function shuffle<T>(items: readonly T[], chance: Chance): T[] {
  const shuffled = [...items];
  for (let index = shuffled.length - 1; index > 0; index -= 1) {
    const other = chance.below(index + 1);
    const [a, b] = [shuffled[index], shuffled[other]];
    if (a === undefined || b === undefined) throw new Error("unreachable");
    [shuffled[index], shuffled[other]] = [b, a];
  }
  return shuffled;
}
