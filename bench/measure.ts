/**
 * Turns and what is made of them. The gateway and the bare operation take turns, A B A B …, so
 * that whatever else the machine does falls on both; a ratio is made of two neighbouring turns,
 * and what is told is the median of the turns and how far they spread.
 */

export type Turns = {
  /** Pairs that count. One shorter pair goes before them and does not. */
  readonly rounds: number;
  /** Of one turn. */
  readonly seconds: number;
};

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

export type Figure = {
  readonly name: string;
  readonly unit: "events/s" | "ms";
  readonly gateway: Summary;
  readonly bare?: Summary;
  /** Gateway by bare, of neighbouring turns. */
  readonly ratio?: Summary;
  readonly target?: Target;
};

export type Measured = { readonly figures: readonly Figure[]; readonly notes: readonly string[] };

/** Enough to open connections, plan statements and compile what is hot. */
const warmUpShare = 1 / 3;

export async function interleave<Gateway, Bare>(
  { rounds, seconds }: Turns,
  gateway: (seconds: number) => Promise<Gateway>,
  bare: (seconds: number) => Promise<Bare>,
): Promise<{ gateway: Gateway[]; bare: Bare[] }> {
  const turns: { gateway: Gateway[]; bare: Bare[] } = { gateway: [], bare: [] };
  await gateway(seconds * warmUpShare);
  await bare(seconds * warmUpShare);
  for (let round = 0; round < rounds; round += 1) {
    turns.gateway.push(await gateway(seconds));
    turns.bare.push(await bare(seconds));
  }
  return turns;
}

/** The same for what has no bare operation beside it. */
export async function repeat<Gateway>(
  { rounds, seconds }: Turns,
  gateway: (seconds: number) => Promise<Gateway>,
): Promise<Gateway[]> {
  const turns: Gateway[] = [];
  await gateway(seconds * warmUpShare);
  for (let round = 0; round < rounds; round += 1) turns.push(await gateway(seconds));
  return turns;
}

export function throughput(
  gateway: readonly number[],
  bare: readonly number[],
): Pick<Figure, "name" | "unit" | "gateway"> & { bare: Summary; ratio: Summary } {
  return {
    name: "throughput",
    unit: "events/s",
    gateway: summarize(gateway),
    bare: summarize(bare),
    ratio: summarize(gateway.map((rate, turn) => rate / (bare[turn] ?? Number.NaN))),
  };
}

/** One quantile of each turn's latencies. */
export function latency(
  name: "p50" | "p99",
  turns: readonly { latencies: readonly number[] | Float64Array }[],
  target?: (median: number) => Target,
): Figure {
  const q = { p50: 0.5, p99: 0.99 }[name];
  const gateway = summarize(turns.map(({ latencies }) => quantile(latencies, q)));
  return { name, unit: "ms", gateway, ...(target && { target: target(gateway.median) }) };
}

export function atMostMs(limit: number): (median: number) => Target {
  return (median) => ({ text: `≤ ${limit} ms`, met: median <= limit });
}

export function atLeastOfBare(share: number, ratio: Summary): Target {
  return { text: `≥ ${share * 100} % of bare`, met: ratio.median >= share };
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
