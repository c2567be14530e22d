/** Prints the head and the tables. */
import type { Cost, CostSummary } from "./cost.ts";
import type { Figure, Measured, Summary, Unit } from "./measure.ts";
import { loadWarning, type Machine } from "./machine.ts";

export type RowReport = { readonly row: string; readonly what: string } & (
  | (Measured & { readonly took: number })
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
  const { at, machine, capacity } = report;
  const [alone, ...idle] = Object.entries(capacity);
  return linesText([
    ["at", at],
    ...machineLines(report),
    ["disk", `${alone?.[0]}: ${rateText(alone?.[1] ?? 0)}/s${diskWarning(machine)}`],
    ["workers", idle.map(([name, rate]) => `${name} ${rateText(rate)}/s`).join(", ")],
    [
      "turns",
      `${report.rounds} of ${report.seconds} s each, where a row does not say otherwise; medians, (least – most)`,
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

const compared = ["before", "gateway", "gain", "bare", "ratio"] as const;

/** What was measured, a line for each figure; columns that would be empty are left out. */
export function tableText(rows: readonly RowReport[]): string {
  const figures = rows.flatMap((row) => ("failed" in row ? [] : row.figures));
  const shown = compared.filter((name) => figures.some((figure) => figure[name] !== undefined));
  const head = ["row", "", ...shown.flatMap((name) => [name, ""]), "target", ""];
  const lines = rows.flatMap((row): string[][] => {
    if ("failed" in row) return [[row.row, "FAILED"]];
    return row.figures.map((figure, index) => [
      index === 0 ? row.row : "",
      `${figure.name}, ${figure.unit}`,
      ...shown.flatMap((name) => both(figure[name], showing(name, figure.unit))),
      figure.target?.text ?? "",
      verdict(figure),
    ]);
  });
  const medians = new Set(shown.map((_, index) => 2 + 2 * index));
  return columnsText([head, ...lines], medians);
}

const parts: readonly (readonly [keyof Cost, string])[] = [
  ["gateway", "gateway CPU s"],
  ["postgres", "postgres CPU s"],
  ["transactions", "transactions"],
  ["rows", "rows written"],
  ["wal", "WAL B/event"],
  ["rss", "gateway RSS MB"],
];

/** What 10,000 events cost, a line for each row: the medians, with another version's before them. */
export function costsText(rows: readonly RowReport[]): string {
  const lines = rows.flatMap((row) => {
    if ("failed" in row || row.costs === undefined) return [];
    const { gateway, before } = row.costs;
    return [[row.row, ...parts.map(([part]) => costText(part, gateway, before))]];
  });
  if (lines.length === 0) return "";
  const head = ["of 10,000 events", ...parts.map(([, name]) => name)];
  return columnsText([head, ...lines], new Set(parts.map((_, index) => index + 1)));
}

function costText(part: keyof Cost, gateway: CostSummary, before?: CostSummary): string {
  const isSeconds = part === "gateway" || part === "postgres";
  const show = isSeconds ? (value: number) => value.toFixed(2) : rateText;
  const of = ({ [part]: found }: CostSummary) => {
    const value = typeof found === "number" ? found : found.median;
    return Number.isNaN(value) ? "–" : show(value);
  };
  return before === undefined ? of(gateway) : `${of(before)} → ${of(gateway)}`;
}

function columnsText(lines: readonly (readonly string[])[], numbers: ReadonlySet<number>): string {
  const count = Math.max(...lines.map(({ length }) => length));
  const widths = Array.from({ length: count }, (_, at) =>
    Math.max(...lines.map((line) => line[at]?.length ?? 0)),
  );
  const fit = (cell: string, at: number) =>
    numbers.has(at) ? cell.padStart(widths[at] ?? 0) : cell.padEnd(widths[at] ?? 0);
  return lines.map((line) => line.map(fit).join("  ").trimEnd()).join("\n");
}

function showing(column: (typeof compared)[number], unit: Unit): (value: number) => string {
  if (column === "gain") return (value) => `${value.toFixed(2)}×`;
  if (column === "ratio") return (share) => `${(share * 100).toFixed(0)} %`;
  if (unit === "events/s") return rateText;
  return (value) => value.toFixed(value < 10 && unit !== "ms" ? 2 : value < 100 ? 1 : 0);
}

function both(summary: Summary | undefined, show: (value: number) => string): [string, string] {
  if (summary === undefined) return ["", ""];
  const { median, min, max } = summary;
  return [show(median), `(${show(min)} – ${show(max)})`];
}

function verdict({ target }: Figure): string {
  if (target === undefined) return "";
  if (target.met === undefined) return "not decided";
  return target.met ? "met" : "MISSED";
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
