/**
 * `npm run bench`: what the gateway does in one run on this machine, beside what the same work
 * costs bare, and the targets. It informs: a target that is missed is no error. README.md explains
 * the rows.
 *
 *     npm run bench -- push pull --seconds 10 --json results.json
 *     npm run bench -- --all --against ../before
 */
import { writeFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { describeCheckout, thisCheckout } from "./checkout.ts";
import { describeMachine, describeVersions, measureCapacity } from "./machine.ts";
import { readOptions, type Options } from "./options.ts";
import {
  costsText,
  headText,
  notesText,
  tableText,
  type Report,
  type RowReport,
} from "./report.ts";
import { openRigs, type Rig, type Rigs } from "./rig.ts";
import type { Row } from "./rows/row.ts";
import type { Turns } from "./turns.ts";

/** Of a gateway's own warnings, when it had any. */
const complaintsShown = 3;
const complaintMaxLength = 400;

/** Of a row: several times what the longest takes. One that hangs must not cost the others. */
const rowMaxMs = 20 * 60_000;

const startedAt = performance.now();
const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, interrupt);
try {
  const rows = await run(readOptions(process.argv.slice(2)));
  if (rows.some((row) => "failed" in row)) process.exitCode = 1;
} catch (error) {
  process.exitCode = interruption.signal.aborted ? 130 : 1;
  if (!interruption.signal.aborted) console.error(error);
}

/** Ends what is under way; everything is then stopped and removed in order. */
function interrupt(signal: NodeJS.Signals): void {
  console.error(`\n${signal}: stopping`);
  interruption.abort();
}

async function run(options: Options): Promise<readonly RowReport[]> {
  const { rows, turns, json, dir, against, server } = options;
  await using opening = new AsyncDisposableStack();
  const machine = await describeMachine(dir);
  const rigs = await openRigs({ parent: dir, against, server }, opening, interruption.signal);
  const head = {
    at: new Date().toISOString(),
    machine,
    versions: {
      ...{ ...(await describeVersions()), tidegate: await describeCheckout(thisCheckout) },
      ...(against !== undefined && { before: await describeCheckout(against) }),
    },
    ...turns,
    capacity: await withRig(rigs, {}, measureCapacity),
  };
  console.log(`${headText(head)}\n`);
  const reports: RowReport[] = [];
  try {
    for (const row of rows) {
      console.error(`[${reports.length + 1}/${rows.length}] ${row.name}`);
      reports.push(await measureRow(row, rigs, turns));
      await save({ ...head, rows: reports }, json);
    }
  } finally {
    // Also of a run that was cut off.
    const said = [tableText(reports), costsText(reports), notesText(reports)];
    if (reports.length > 0) console.log(said.filter((text) => text !== "").join("\n\n"));
  }
  return reports;
}

/** After each row, so that a run that is cut off is not lost. */
async function save(report: Report, json: string | undefined): Promise<void> {
  if (json !== undefined) await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
}

/** A row that fails is told and does not take the others with it. */
async function measureRow(row: Row, rigs: Rigs, turns: Turns): Promise<RowReport> {
  const { name, what, effort = {}, side = {} } = row;
  const rowStartedAt = performance.now();
  const seconds = turns.seconds * (effort.seconds ?? 1);
  const rounds = Math.max(1, Math.round(turns.rounds * (effort.rounds ?? 1)));
  try {
    const measured = await withRig(rigs, side, async (rig) => {
      const { notes, ...rest } = await inTime(row.measure(rig, { rounds, seconds }));
      const own = rounds === turns.rounds && seconds === turns.seconds;
      const length = own ? [] : [`${rounds} turns of ${seconds.toFixed(1)} s`];
      return { ...rest, notes: [...length, ...notes, busyNote(rig), ...(await complaints(rig))] };
    });
    const took = secondsSince(rowStartedAt);
    console.error(`  took ${took} s; ${Math.floor(secondsSince(startedAt) / 60)} min in all`);
    return { row: name, what, ...measured, took };
  } catch (error) {
    if (interruption.signal.aborted) throw error;
    const failed = error instanceof Error ? error.message : String(error);
    console.error(`  FAILED: ${failed}`);
    return { row: name, what, failed };
  }
}

/** What is still under way ends when its gateways are taken away. */
async function inTime<T>(measuring: Promise<T>): Promise<T> {
  const late = new AbortController();
  const deadline = delay(rowMaxMs, undefined, { signal: late.signal }).then(() => {
    throw new Error(`it took longer than ${rowMaxMs / 60_000} minutes`);
  });
  try {
    return await Promise.race([measuring, deadline]);
  } finally {
    late.abort();
    deadline.catch(() => {});
    measuring.catch(() => {});
  }
}

async function withRig<T>(
  rigs: Rigs,
  options: Parameters<Rigs["openRig"]>[0],
  use: (rig: Rig) => Promise<T>,
): Promise<T> {
  await using opening = new AsyncDisposableStack();
  const rig = await rigs.openRig(options, opening);
  return await use(rig);
}

/** How near the workers came to being the limit. The bare one is what it is: the comparison. */
function busyNote(rig: Rig): string {
  const busy = rig.busiest().flatMap(([name, share]) => {
    const isComparison = name.startsWith("bare");
    return share === 0 || isComparison ? [] : [`${name} ${Math.round(share * 100)} %`];
  });
  return `event loops of the workers at most busy: ${busy.join(", ")}`;
}

async function complaints({ sides }: Rig): Promise<string[]> {
  const gateways = new Set(sides.flatMap(({ gateway, partner }) => [gateway, partner]));
  const lines = (await Promise.all([...gateways].map((each) => each.complaints()))).flat();
  if (lines.length === 0) return [];
  const shown = lines.slice(0, complaintsShown).map((line) => line.slice(0, complaintMaxLength));
  return [`${lines.length} warnings and errors were logged, first:`, ...shown];
}

function secondsSince(at: number): number {
  return Math.round((performance.now() - at) / 1_000);
}
