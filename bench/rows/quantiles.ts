/** Rows of latencies show their middle and their ends, beside the bare ones where there are any. */
import { figureOf, quantile, type Figure, type Taken, type Target } from "../measure.ts";

export type Timed = { readonly latencies: readonly number[] | Float64Array };

type Targets = { readonly [name in keyof typeof shown]?: (figure: Figure) => Target };

const shown = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;

export function quantileFigures(taken: Taken<Timed, Timed>, targets: Targets = {}): Figure[] {
  return Object.entries(shown).map(([name, q]) => {
    const of = ({ latencies }: Timed) => quantile(latencies, q);
    const target = targets[name as keyof Targets];
    return figureOf(taken, { name, unit: "ms", of, bare: of, target });
  });
}

/** How late the generator was is part of each latency. */
export function lateNote(late: readonly number[]): string {
  return `the generator itself was late by p99 ${quantile(late, 0.5).toFixed(1)} ms`;
}
