/**
 * `npm run bench`: what the gateway does in one run on this machine, beside what the same work
 * costs bare, and the targets. It informs: a target that is missed is no error. README.md explains
 * the rows.
 *
 *     npm run bench -- push pull --seconds 10 --json results.json
 */
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { describeMachine, describeVersions, measureCapacity } from "./machine.ts";
import type { Turns } from "./measure.ts";
import { headText, notesText, tableText, type Report, type RowReport } from "./report.ts";
import { openRig, type Rig } from "./rig.ts";
import { appendBatch, appendSingle } from "./rows/append.ts";
import { appendToWebhook } from "./rows/latency.ts";
import { pull } from "./rows/pull.ts";
import { push } from "./rows/push.ts";
import type { Row } from "./rows/row.ts";
import { catchUp, fanOut } from "./rows/stream.ts";

/** In the order of an event's journey. */
const allRows: readonly Row[] = [
  appendSingle,
  appendBatch,
  push,
  pull,
  catchUp,
  fanOut,
  appendToWebhook,
];

/** With seven rows a little over three minutes. */
const defaultRounds = "5";
const defaultSeconds = "2.5";

/** Of the gateway's own warnings, when it had any. */
const complaintsShown = 3;

type Options = { rows: readonly Row[]; turns: Turns; json: string | undefined; dir: string };

const options = readOptions(process.argv.slice(2));
const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);
try {
  const report = await run(options);
  if (report.rows.some((row) => "failed" in row)) process.exitCode = 1;
} catch (error) {
  process.exitCode = interruption.signal.aborted ? 130 : 1;
  if (!interruption.signal.aborted) console.error(error);
}

/** Ends what is under way; everything is then stopped and removed in order. */
function interrupt(signal: NodeJS.Signals): void {
  console.error(`\n${signal}: stopping`);
  interruption.abort();
}

async function run({ rows, turns, json, dir }: Options): Promise<Report> {
  await using opening = new AsyncDisposableStack();
  const machine = await describeMachine(dir);
  const rig = await openRig(dir, opening, interruption.signal);
  const head = {
    at: new Date().toISOString(),
    machine,
    versions: await describeVersions(),
    ...turns,
    capacity: await measureCapacity(rig),
  };
  console.log(`${headText(head)}\n`);
  const reports: RowReport[] = [];
  for (const row of rows) reports.push(await measureRow(row, rig, turns));
  console.log(`${tableText(reports)}\n\n${notesText(reports)}`);
  await showComplaints(rig);
  const report = { ...head, rows: reports };
  if (json !== undefined) await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
  return report;
}

/** A row that fails is told and does not take the others with it. */
async function measureRow(row: Row, rig: Rig, turns: Turns): Promise<RowReport> {
  const { name, what } = row;
  const startedAt = performance.now();
  try {
    const { figures, notes } = await row.measure(rig, turns);
    const seconds = Math.round((performance.now() - startedAt) / 1_000);
    console.error(`${name}: measured in ${seconds} s`);
    return { row: name, what, figures, notes: [...notes, busyNote(rig)] };
  } catch (error) {
    if (interruption.signal.aborted) throw error;
    const failed = error instanceof Error ? error.message : String(error);
    console.error(`${name}: ${failed}`);
    return { row: name, what, failed };
  }
}

/** How near the workers came to being the limit. The bare one is what it is: the comparison. */
function busyNote({ workers }: Rig): string {
  const busy = Object.entries(workers).flatMap(([name, worker]) => {
    const share = worker.busiest();
    return share === 0 || name === "bare" ? [] : [`${name} ${Math.round(share * 100)} %`];
  });
  return `event loops of the workers at most busy: ${busy.join(", ")}`;
}

async function showComplaints({ gateway }: Rig): Promise<void> {
  const lines = await gateway.complaints();
  if (lines.length === 0) return;
  console.log(`\nThe gateway logged ${lines.length} warnings and errors, first:`);
  for (const line of lines.slice(0, complaintsShown)) console.log(line.slice(0, 400));
}

function readOptions(args: string[]): Options {
  const { values, positionals } = parseOptions(args);
  const unknown = positionals.filter((name) => !allRows.some((row) => row.name === name));
  const turns = { rounds: Number(values.rounds), seconds: Number(values.seconds) };
  if (unknown.length > 0) refuse(`no such row: ${unknown.join(", ")}`);
  if (!(turns.seconds > 0)) refuse("--seconds must be a number above 0");
  if (!Number.isInteger(turns.rounds) || turns.rounds < 1) refuse("--rounds must be 1 or more");
  const rows = allRows.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  return { rows, turns, json: values.json, dir: values.dir };
}

function parseOptions(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        seconds: { type: "string", default: defaultSeconds },
        rounds: { type: "string", default: defaultRounds },
        json: { type: "string" },
        dir: { type: "string", default: tmpdir() },
      },
    });
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function refuse(fault: string): never {
  console.error(`${fault}\n\nusage: npm run bench -- [row …] [--seconds n] [--rounds n]`);
  console.error("         [--json file] [--dir directory for the database]\n");
  for (const { name, what } of allRows) console.error(`  ${name.padEnd(15)}${what}`);
  process.exit(2);
}
