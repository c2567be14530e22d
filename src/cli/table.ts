/** Text in columns, for people; whoever parses asks for `--json`. */
import type { Terminal } from "./terminal.ts";

/** Columns are as wide as their widest cell; nothing is cut, so that ids can be copied. */
export async function printTable(
  terminal: Terminal,
  heads: readonly string[],
  rows: readonly (readonly string[])[],
): Promise<void> {
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  await terminal.print(terminal.paint("dim", lineOf(heads, widths)));
  for (const row of rows) await terminal.print(lineOf(row, widths));
}

/** `name  value` lines. */
export async function printFacts(
  terminal: Terminal,
  facts: readonly (readonly [name: string, value: string | undefined])[],
): Promise<void> {
  const known = facts.filter(([, value]) => value !== undefined);
  const width = Math.max(...known.map(([name]) => name.length));
  for (const [name, value] of known) {
    await terminal.print(`${terminal.paint("dim", name.padEnd(width))}  ${value}`);
  }
}

/** The JSON of something, a line of it. */
export async function printJson(terminal: Terminal, value: unknown): Promise<void> {
  await terminal.print(JSON.stringify(value));
}

export function countText(count: number): string {
  return count.toLocaleString("en-US");
}

function lineOf(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => cell.padEnd(widths[column] ?? 0))
    .join("  ")
    .trimEnd();
}
