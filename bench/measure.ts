/** Figures: what is made of turns (turns.ts), and the targets that they are held to. */
import type { CostSummary } from "./cost.ts";

export type Summary = {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly turns: readonly number[];
};

export type Target = {
  readonly text: string;
  /** Undefined: what was measured cannot decide it. */
  readonly met: boolean | undefined;
};

/** Of `events/s` more is better, of all others less. */
export type Unit = "events/s" | "ms" | "MB" | "KB" | "CPU s" | "times";

export type Figure = {
  readonly name: string;
  readonly unit: Unit;
  readonly gateway: Summary;
  /** The other version's, where one is measured against. */
  readonly before?: Summary;
  /** How many times better than before, of neighbouring turns. */
  readonly gain?: Summary;
  readonly bare?: Summary;
  /** Gateway by bare, of neighbouring turns. */
  readonly ratio?: Summary;
  readonly target?: Target;
};

export type Costs = { readonly gateway: CostSummary; readonly before?: CostSummary };

export type Measured = {
  readonly figures: readonly Figure[];
  /** Of the same turns; none where they would say nothing. */
  readonly costs?: Costs;
  readonly notes: readonly string[];
};

/** What came of the turns of a row, in their order. */
export type Taken<Turn, Bare> = {
  readonly gateway: readonly Turn[];
  /** None without another version. */
  readonly before: readonly Turn[];
  /** None where no bare operation stands beside. */
  readonly bare: readonly Bare[];
};

type Decide = (figure: Figure) => Target;

export function figureOf<Turn, Bare>(
  taken: Taken<Turn, Bare>,
  given: {
    name: string;
    unit: Unit;
    of: (turn: Turn) => number;
    bare?: (turn: Bare) => number;
    target?: Decide | undefined;
  },
): Figure {
  const { name, unit, of, bare: ofBare, target } = given;
  const gateway = taken.gateway.map(of);
  const before = taken.before.map(of);
  const bare = ofBare === undefined ? [] : taken.bare.map(ofBare);
  const figure: Figure = {
    ...{ name, unit, gateway: summarize(gateway) },
    ...(before.length > 0 && { before: summarize(before), gain: gainOf(gateway, before, unit) }),
    ...(bare.length > 0 && { bare: summarize(bare), ratio: ratioOf(gateway, bare) }),
  };
  return target === undefined ? figure : { ...figure, target: target(figure) };
}

export function throughput(
  taken: Taken<{ rate: number }, { rate: number }>,
  target?: Decide,
): Figure {
  const rate = (turn: { rate: number }) => turn.rate;
  return figureOf(taken, { name: "throughput", unit: "events/s", of: rate, bare: rate, target });
}

const quantiles = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;

/** One quantile of each turn's latencies. */
export function latency(
  name: keyof typeof quantiles,
  taken: Taken<{ latencies: readonly number[] | Float64Array }, unknown>,
  target?: Decide,
): Figure {
  const q = quantiles[name];
  return figureOf(taken, {
    ...{ name, unit: "ms", target },
    of: ({ latencies }) => quantile(latencies, q),
  });
}

export function atMostMs(limit: number): Decide {
  return ({ gateway }) => ({ text: `≤ ${limit} ms`, met: gateway.median <= limit });
}

export function atLeast(rate: number): Decide {
  const text = `≥ ${rate.toLocaleString("en")}/s`;
  return ({ gateway }) => ({ text, met: gateway.median >= rate });
}

export function atLeastOfBare(share: number): Decide {
  const text = `≥ ${share * 100} % of bare`;
  return ({ ratio }) => ({ text, met: ratio === undefined ? undefined : ratio.median >= share });
}

function ratioOf(some: readonly number[], others: readonly number[]): Summary {
  return summarize(some.map((value, turn) => value / (others[turn] ?? Number.NaN)));
}

function gainOf(gateway: readonly number[], before: readonly number[], unit: Unit): Summary {
  return unit === "events/s" ? ratioOf(gateway, before) : ratioOf(before, gateway);
}

export function summarize(turns: readonly number[]): Summary {
  return { median: quantile(turns, 0.5), min: Math.min(...turns), max: Math.max(...turns), turns };
}

/** The nearest rank; of an even number of values the median is the mean of the middle two. */
export function quantile(values: readonly number[] | Float64Array, q: number): number {
  const sorted = Float64Array.from(values).sort();
  const at = (rank: number) => sorted[Math.min(Math.max(rank, 1), sorted.length) - 1] ?? Number.NaN;
  const rank = sorted.length * q;
  return q === 0.5 && Number.isInteger(rank) ? (at(rank) + at(rank + 1)) / 2 : at(Math.ceil(rank));
}
