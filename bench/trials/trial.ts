/**
 * What a trial is and how its outcome is told. A promise is about correctness: a broken one fails
 * the trial. A figure is about speed or size: it belongs to the machine, and a target that is
 * missed is told and is no failure.
 */
import type { Stage } from "./stage.ts";

export type Trial = {
  /** By which it is called on the command line. */
  readonly name: string;
  readonly what: string;
  run(stage: Stage): Promise<Outcome>;
};

export type Outcome = {
  readonly findings: readonly Finding[];
  /** What does not fit into a line of the table. */
  readonly notes?: readonly string[];
};

export type Finding = {
  readonly what: string;
  readonly measured: string;
  /** "kept", "BROKEN", "met", "missed", or nothing where there is nothing to hold it to. */
  readonly verdict: string;
  readonly broken: boolean;
};

export function promise(what: string, kept: boolean, measured: string): Finding {
  return { what, measured, verdict: kept ? "kept" : "BROKEN", broken: !kept };
}

export function figure(what: string, measured: string, target?: [string, boolean]): Finding {
  const verdict = target === undefined ? "" : `${target[0]}  ${target[1] ? "met" : "missed"}`;
  return { what, measured, verdict, broken: false };
}

export function findingsText(findings: readonly Finding[]): string {
  const width = (of: (finding: Finding) => string) =>
    Math.max(...findings.map((finding) => of(finding).length));
  const whatWidth = width(({ what }) => what);
  const measuredWidth = width(({ measured }) => measured);
  return findings
    .map(({ what, measured, verdict }) =>
      `${what.padEnd(whatWidth)}  ${measured.padEnd(measuredWidth)}  ${verdict}`.trimEnd(),
    )
    .join("\n");
}

export function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}

export function ms(value: number): string {
  return `${value.toFixed(value < 100 ? 1 : 0)} ms`;
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
