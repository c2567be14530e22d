/**
 * `npm run trial -- <name>`: large runs that show what the log and the pushes promise. Exits with 1
 * when a promise is broken; a target of speed that is missed is only told. README.md lists them.
 *
 *     npm run trial -- keyed outage
 *     npm run trial -- depth --dir /var/tmp --seed 7
 */
import { randomInt } from "node:crypto";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { describeMachine, describeVersions } from "./machine.ts";
import { linesText, machineLines } from "./report.ts";
import { behind } from "./trials/behind.ts";
import { depth } from "./trials/depth.ts";
import { down } from "./trials/down.ts";
import { grown } from "./trials/grown.ts";
import { hung } from "./trials/hung.ts";
import { idle } from "./trials/idle.ts";
import { inbox } from "./trials/inbox.ts";
import { keyed } from "./trials/keyed.ts";
import { killed } from "./trials/killed.ts";
import { locked } from "./trials/locked.ts";
import { ndjson } from "./trials/ndjson.ts";
import { outage } from "./trials/outage.ts";
import { paced } from "./trials/paced.ts";
import { portal } from "./trials/portal.ts";
import { receipt } from "./trials/receipt.ts";
import { replay } from "./trials/replay.ts";
import { retention } from "./trials/retention.ts";
import { scrape } from "./trials/scrape.ts";
import { spread } from "./trials/spread.ts";
import { observed } from "./trials/observed.ts";
import { openStage, type Stage, type StageOptions } from "./trials/stage.ts";
import { textbook } from "./trials/textbook.ts";
import { findingsText, type Outcome, type Trial } from "./trials/trial.ts";
import { undelivered } from "./trials/undelivered.ts";

const allTrials: readonly Trial[] = [
  ...[locked, keyed, outage, ndjson, retention, depth],
  ...[textbook, hung, paced, down, behind, spread, killed, idle],
  ...[receipt, replay, inbox, observed, scrape, undelivered, grown, portal],
];

/** Of the gateways' own warnings: kinds, and characters of each. */
const complaintsShown = 8;
const complaintMaxLength = 200;

class Interrupted extends Error {}

type Options = Pick<StageOptions, "small" | "seed" | "server" | "shape"> & {
  trials: readonly Trial[];
  dir: string;
};

const options = readOptions(process.argv.slice(2));
const interruption = Promise.withResolvers<never>();
interruption.promise.catch(() => {});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => interruption.reject(new Interrupted(`ended by ${signal}`)));
}
try {
  for (const trial of options.trials) {
    const kept = await run(trial, options);
    if (!kept) process.exitCode = 1;
  }
} catch (error) {
  console.error(error instanceof Interrupted ? error.message : error);
  // What is still under way would go on.
  process.exit(error instanceof Interrupted ? 130 : 1);
}

/** Tells whether every promise was kept. */
async function run(trial: Trial, { small, seed, server, shape, dir }: Options): Promise<boolean> {
  await using opening = new AsyncDisposableStack();
  const startedAt = performance.now();
  const machine = await describeMachine(dir);
  const say = (progress: string) => console.error(`${trial.name}: ${progress}`);
  const stage = await openStage({ parent: dir, seed, small, server, shape, say }, opening);
  const { findings, notes = [] } = await perform(trial, stage);
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  const head = linesText([
    ["trial", `${trial.name}: ${trial.what}${small ? " (small)" : ""}`],
    ...machineLines({ machine, versions: await describeVersions() }),
    ["run", `seed ${seed}, ${seconds} s`],
  ]);
  console.log([head, findingsText(findings), ...notes].join("\n\n"));
  const broken = findings.filter((finding) => finding.broken);
  if (broken.length > 0) console.log(`\n${broken.length} promises BROKEN, seed ${seed}`);
  return broken.length === 0;
}

async function perform(trial: Trial, stage: Stage): Promise<Outcome> {
  try {
    return await Promise.race([trial.run(stage), interruption.promise]);
  } finally {
    await stage.end();
    await showComplaints(stage);
  }
}

/** The gateways' own warnings and errors, by what they say and how often. */
async function showComplaints(stage: Stage): Promise<void> {
  const lines = await stage.complaints();
  // Not parsed: the last line may be half written.
  const member = (line: string, name: string) => line.split(`"${name}":"`)[1]?.split('"')[0] ?? "";
  const kinds = Map.groupBy(lines, (line) => `${member(line, "msg")}: ${member(line, "message")}`);
  for (const [kind, { length }] of [...kinds].slice(0, complaintsShown)) {
    stage.say(`logged ${length} times: ${kind.slice(0, complaintMaxLength)}`);
  }
}

function readOptions(args: string[]): Options {
  const { values, positionals } = parseOptions(args);
  const trials = positionals.flatMap((name) => allTrials.filter((trial) => trial.name === name));
  const seed = Number(values.seed);
  if (trials.length === 0 || trials.length < positionals.length) refuse("name one or more trials");
  if (!Number.isSafeInteger(seed) || seed < 0) refuse("--seed must be a whole number");
  const { small, server, shape, dir } = values;
  return { trials, small, seed, server, shape, dir };
}

function parseOptions(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        small: { type: "boolean", default: false },
        seed: { type: "string", default: String(randomInt(1, 1_000_000)) },
        dir: { type: "string", default: tmpdir() },
        server: { type: "string" },
        shape: { type: "string" },
      },
    });
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function refuse(fault: string): never {
  console.error(`${fault}\n\nusage: npm run trial -- <trial> … [--small] [--seed n]`);
  console.error(
    "         [--dir directory for the database] [--server url of one to use instead]\n" +
      "         [--shape of what is stored, where there are several]\n",
  );
  for (const { name, what } of allTrials) console.error(`  ${name.padEnd(12)}${what}`);
  process.exit(2);
}
