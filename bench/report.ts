/** Prints the head and the table. */
import type { Figure, Measured, Summary } from "./measure.ts";
import { loadWarning, type Machine } from "./machine.ts";

export type RowReport = { readonly row: string; readonly what: string } & (
  | Measured
  | { readonly failed: string }
);

export type Report = {
  readonly at: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly rounds: number;
  readonly seconds: number;
  /** Events a second. */
  readonly capacity: Readonly<Record<string, number>>;
  readonly rows: readonly RowReport[];
};

export function headText(report: Omit<Report, "rows">): string {
  const { machine, capacity } = report;
  const [alone, ...idle] = Object.entries(capacity);
  return linesText([
    ...machineLines(report),
    ["disk", `${alone?.[0]}: ${rateText(alone?.[1] ?? 0)}/s${diskWarning(machine)}`],
    ["workers", idle.map(([name, rate]) => `${name} ${rateText(rate)}/s`).join(", ")],
    [
      "turns",
      `${report.rounds} of ${report.seconds} s each, twice that where latency alone is measured; medians, (least – most)`,
    ],
  ]);
}

/** What any figure stands on. */
export function machineLines({
  machine,
  versions,
}: Pick<Report, "machine" | "versions">): [string, string][] {
  const memory = `${machine.memoryGiB.toFixed(1)} GiB`;
  const named = Object.entries(versions).map((pair) => pair.join(" "));
  return [
    ["machine", `${machine.processor}, ${machine.cores} cores, ${memory}, ${machine.system}`],
    ["versions", named.join(", ")],
    ["load", loadText(machine)],
  ];
}

export function linesText(lines: readonly (readonly [string, string])[]): string {
  return lines.map(([name, text]) => `${name.padEnd(10)}${text}`).join("\n");
}

function loadText({ loadBefore, cores }: Machine): string {
  const text = `${loadBefore.toFixed(2)} in the minute before`;
  return loadBefore > cores * loadWarning
    ? `${text}: this machine was NOT idle, the figures are too low and spread too far`
    : text;
}

function diskWarning({ diskInMemory }: Machine): string {
  return diskInMemory ? " on a disk in MEMORY: commits are too cheap, choose another --dir" : "";
}

const columns = ["row", "", "gateway", "", "bare", "", "ratio", "", "target", ""];

export function tableText(rows: readonly RowReport[]): string {
  const lines = rows.flatMap((row): string[][] => {
    if ("failed" in row) return [[row.row, "FAILED"]];
    return row.figures.map((figure, index) => [index === 0 ? row.row : "", ...cells(figure)]);
  });
  const all = [columns, ...lines];
  const widths = columns.map((_, at) => Math.max(...all.map((line) => line[at]?.length ?? 0)));
  const isNumber = (at: number) => at === 2 || at === 4 || at === 6;
  return all
    .map((line) =>
      line
        .map((cell, at) =>
          isNumber(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function cells({ name, unit, gateway, bare, ratio, target }: Figure): string[] {
  const show = unit === "ms" ? msText : rateText;
  return [
    `${name}, ${unit}`,
    ...both(gateway, show),
    ...both(bare, show),
    ...both(ratio, shareText),
    target?.text ?? "",
    target === undefined ? "" : verdict(target.met),
  ];
}

function both(summary: Summary | undefined, show: (value: number) => string): [string, string] {
  if (summary === undefined) return ["", ""];
  const { median, min, max } = summary;
  return [show(median), `(${show(min)} – ${show(max)})`];
}

function verdict(met: boolean | undefined): string {
  if (met === undefined) return "not decided";
  return met ? "met" : "MISSED";
}

export function notesText(rows: readonly RowReport[]): string {
  return rows
    .map((row) => {
      const said = "failed" in row ? [row.failed] : row.notes;
      return [`${row.row}: ${row.what}`, ...said.map((note) => `  ${note}`)].join("\n");
    })
    .join("\n");
}

function rateText(rate: number): string {
  return Math.round(rate).toLocaleString("en");
}

function msText(ms: number): string {
  return ms.toFixed(ms < 100 ? 1 : 0);
}

function shareText(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
