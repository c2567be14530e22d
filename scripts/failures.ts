/**
 * `npm run test:failures`: the failure modes alone, and a table of what was measured in each: what
 * the endpoint was told, how many attempts it took, what arrived twice, what was lost. `--full`
 * takes the large sizes, for some minutes more.
 *
 * It fails when a test fails, and also when a mode has no row: a test that was skipped, renamed or
 * never written must not look like one that passed.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { failureModes } from "../test/support/failure-modes.ts";
import type { FailureRow } from "../test/support/failure-report.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

const { values: options } = parseArgs({ options: { full: { type: "boolean", default: false } } });
const directory = await mkdtemp(join(tmpdir(), "tidegate-failures-"));
try {
  const rowsFile = join(directory, "rows");
  const passed = await runTests(rowsFile, options.full);
  const rows = await readRows(rowsFile);
  console.log(`\n${tableOf(rows)}\n`);
  const missing = failureModes.filter((mode) => !rows.some((row) => row.mode === mode));
  for (const mode of missing) console.error(`nothing was measured for: ${mode}`);
  const lost = rows.reduce((sum, row) => sum + row.lost, 0);
  console.log(`${rows.length} rows of ${failureModes.length} modes, ${lost} events lost`);
  if (!passed || missing.length > 0 || lost > 0) process.exitCode = 1;
} finally {
  await rm(directory, { recursive: true });
}

/** Tells whether all passed. */
async function runTests(rowsFile: string, full: boolean): Promise<boolean> {
  const path = [join(root, "node_modules/.bin"), process.env["PATH"]].join(delimiter);
  const tests = spawn("vitest", ["run", "test/failures"], {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      PATH: path,
      TEST_FAILURE_ROWS: rowsFile,
      TEST_FAILURES_FULL: full ? "1" : "0",
    },
  });
  const [code] = await once(tests, "close");
  return code === 0;
}

/** In the order of the modes, whatever order the tests ran in. */
async function readRows(rowsFile: string): Promise<FailureRow[]> {
  const text = await readFile(rowsFile, "utf8").catch(() => "");
  const lines = text.split("\n").filter((line) => line !== "");
  const rows = lines.map((line) => JSON.parse(line) as FailureRow);
  return rows.toSorted((a, b) => failureModes.indexOf(a.mode) - failureModes.indexOf(b.mode));
}

function tableOf(rows: readonly FailureRow[]): string {
  const head = ["mode", "the endpoint was told", "attempts", "duplicates", "lost", "outcome"];
  const lines = [head, ...rows.map(cellsOf)];
  const widths = head.map((_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  const [first = "", ...rest] = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(" | ")
      .trimEnd(),
  );
  return [first, widths.map((each) => "-".repeat(each)).join("-|-"), ...rest].join("\n");
}

function cellsOf({ mode, told, attempts, duplicates, lost, outcome }: FailureRow): string[] {
  return [mode, told, `${attempts}`, `${duplicates}`, `${lost}`, outcome];
}
