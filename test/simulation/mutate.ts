/**
 * `npm run simulate:mutations`: shows that the simulation notices. Every mutation is applied to a
 * copy of the repository and simulated there, and one of the checks it names must find it; the same
 * run without it must find nothing. It fails when a mutation survives or does not apply.
 *
 *     npm run simulate:mutations
 *     npm run simulate:mutations -- no-fencing splice-accepts-gap --jobs 1
 *     npm run simulate:mutations -- no-fencing --seed 12
 *
 * All that a run starts and writes is under one temporary directory: interrupted or out of time, it
 * ends whatever runs from there and removes it.
 */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { applyPatch, loadMutations, type Mutation } from "./mutations.ts";
import { table } from "./report.ts";

/** A run without a mutation, or with one. */
type Trial = { readonly mutation: Mutation | undefined; readonly run: readonly string[] };

type Verdict = Trial & {
  readonly ok: boolean;
  readonly what:
    | "kept all"
    | "caught"
    | "survived"
    | "does not apply"
    | "out of time"
    | "not judged"
    | "caught by others"
    | "broken";
  /** Checks. */
  readonly broken: readonly string[];
  readonly seconds: number;
  readonly output: string;
};

/** What a simulation needs of the repository. */
const parts = ["src", "drizzle", "test", "package.json"];

/** Beyond the time of the faults: to start, to come to rest, and to wait for who is late. */
const aroundMaxSeconds = 360;

const endPauseMs = 100;
const endTriesMax = 50;

const outputKept = 6_000;

const root = fileURLToPath(new URL("../..", import.meta.url));

const runProgram = promisify(execFile);

const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: {
    jobs: { type: "string", default: "2" },
    /** In place of each run's own. */
    seed: { type: "string" },
  },
});
const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => interrupted.abort());
}
// As processes see it: on macOS the directory is behind a link.
const workshop = await mkdtemp(join(await realpath(tmpdir()), "tidegate-mutations-"));
// The user that Postgres runs as passes through it.
await chmod(workshop, 0o755);
try {
  const verdicts = await runAll(trialsOf(chosen(await loadMutations())));
  console.log(`\n${table([["mutation", "breaks", "", "by", "after"], ...verdicts.map(rowOf)])}`);
  if (interrupted.signal.aborted || verdicts.some(({ ok }) => !ok)) process.exitCode = 1;
} finally {
  await clear(workshop);
}

function chosen(all: readonly Mutation[]): readonly Mutation[] {
  const unknown = names.filter((name) => !all.some((mutation) => mutation.name === name));
  if (unknown.length > 0) {
    const known = all.map(({ name }) => name).join(", ");
    throw new Error(`there is no mutation ${unknown.join(", ")}; there are ${known}`);
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

/** Each run once without a mutation, and then with each of its own. */
function trialsOf(mutations: readonly Mutation[]): Trial[] {
  const { seed } = options;
  const trials = mutations.map((mutation) => {
    const run = seed === undefined ? mutation.run : [...mutation.run, "--seed", seed];
    return { mutation, run };
  });
  const runs = new Map(trials.map(({ run }) => [run.join(" "), run]));
  return [...Array.from(runs.values(), (run) => ({ mutation: undefined, run })), ...trials];
}

async function runAll(trials: readonly Trial[]): Promise<Verdict[]> {
  const waiting = [...trials];
  const verdicts: Verdict[] = [];
  await Promise.all(Array.from({ length: Math.max(1, Number(options.jobs)) }, work));
  return trials.flatMap((trial) =>
    verdicts.filter(({ mutation, run }) => mutation === trial.mutation && run === trial.run),
  );

  async function work(): Promise<void> {
    while (!interrupted.signal.aborted) {
      const trial = waiting.shift();
      if (trial === undefined) return;
      let verdict = await judge(trial);
      // A machine that is busy may not even bring up what is to be judged.
      if (verdict.what === "not judged") verdict = await judge(trial);
      if (interrupted.signal.aborted) return;
      verdicts.push(verdict);
      console.log(rowOf(verdict).join("  "));
      if (!verdict.ok) console.log(verdict.output);
    }
  }
}

async function judge(trial: Trial): Promise<Verdict> {
  const { mutation, run } = trial;
  const startedAt = performance.now();
  const copy = await mkdtemp(join(workshop, `${mutation?.name ?? "control"}-`));
  try {
    await copyTo(copy);
    if (mutation !== undefined) await applyPatch(mutation, copy);
  } catch (error) {
    return verdict("does not apply", { output: String(error) });
  }
  const { code, output, late } = await simulate(copy, run, mutation?.caughtBy ?? []);
  const found = output.matchAll(/\bBROKEN {2}(\w+):/g);
  const broken = [...new Set(Array.from(found, ([, check = ""]) => check))];
  await clear(copy);
  const told = { broken, output: output.slice(-outputKept) };
  if (late) return verdict("out of time", told);
  if (code === 0) return verdict(mutation === undefined ? "kept all" : "survived", told);
  if (broken.length === 0) return verdict("not judged", told);
  if (mutation === undefined) return verdict("broken", told);
  const isCaught = mutation.caughtBy.some((check) => broken.includes(check));
  return verdict(isCaught ? "caught" : "caught by others", told);

  function verdict(what: Verdict["what"], more: Partial<Verdict>): Verdict {
    const seconds = (performance.now() - startedAt) / 1_000;
    const ok = what === "caught" || what === "kept all";
    return { ...trial, ok, what, broken: [], seconds, output: "", ...more };
  }
}

async function copyTo(copy: string): Promise<void> {
  await chmod(copy, 0o755);
  for (const part of parts) await cp(join(root, part), join(copy, part), { recursive: true });
  await symlink(join(root, "node_modules"), join(copy, "node_modules"));
  await mkdir(join(copy, "tmp"));
}

async function simulate(copy: string, run: readonly string[], until: readonly string[]) {
  const minutes = Number(run[run.indexOf("--minutes") + 1] ?? 0);
  const signal = AbortSignal.any([
    interrupted.signal,
    AbortSignal.timeout((minutes * 60 + aroundMaxSeconds) * 1_000),
  ]);
  const program = join(copy, "test/simulation/simulate.ts");
  const early = until.length === 0 ? [] : ["--until", until.join(",")];
  const child = spawn(process.execPath, [program, ...run, ...early], {
    cwd: copy,
    env: { ...process.env, TMPDIR: join(copy, "tmp") },
    // Not of this terminal's group: an interrupt comes here first.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stderr, child.stdout]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
  }
  // What it has started may hold its output open: who interrupts does not wait for the end of that.
  const over = once(signal, "abort").then(() => [null]);
  const [code] = (await Promise.race([once(child, "close"), over])) as [number | null];
  child.kill("SIGKILL");
  return { code, output, late: signal.aborted };
}

/** Ends what runs from the directory, each by its number, and removes it. */
async function clear(directory: string): Promise<void> {
  for (let tries = 1; tries <= endTriesMax; tries += 1) {
    const left = await processesOf(directory);
    if (left.length === 0) break;
    for (const pid of left) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It was faster.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, endPauseMs));
  }
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
}

/** Those that name it in their command line: simulations, gateways, Postgres and brokers. */
async function processesOf(directory: string): Promise<number[]> {
  const { stdout } = await runProgram("ps", ["-A", "-ww", "-o", "pid=,stat=,args="]);
  return Array.from(stdout.matchAll(/^\s*(\d+)\s+([^Z\s]\S*)\s+(.*)$/gm))
    .filter(([, , , command = ""]) => command.includes(`${directory}/`))
    .map(([, pid]) => Number(pid));
}

function rowOf({ mutation, run, what, broken, seconds }: Verdict): string[] {
  const [name, guarantee] = [mutation?.name ?? "none", mutation?.guarantee ?? run.join(" ")];
  return [name, guarantee, what, broken.join(", "), `${seconds.toFixed(0)} s`];
}
