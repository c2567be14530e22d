/**
 * `npm run simulate`: scenarios of faults over real processes, and a count at the end. Ends with 1
 * when a promise was broken. The same seed brings the same schedule of faults.
 *
 *     npm run simulate -- --minutes 30 --seed 7
 *     npm run simulate -- rolling --from v0.1.0
 *
 * `--only kill,stop` leaves out all other kinds of faults. `--until order,readers` ends the run as soon
 * as one of these checks is broken, without the count.
 */
import { execFileSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { broker } from "./broker.ts";
import { chaos } from "./chaos.ts";
import { cluster } from "./cluster.ts";
import { faultKinds } from "./plan.ts";
import { checks, type Check } from "./records.ts";
import { rolling } from "./rolling.ts";
import type { Scenario, ScenarioOptions } from "./scenario.ts";
import { takeover } from "./takeover.ts";

const scenarios: readonly Scenario[] = [chaos, takeover, broker, rolling, cluster];

const root = fileURLToPath(new URL("../..", import.meta.url));

const usage = `usage: npm run simulate -- [scenario] [--minutes N] [--seed N] [--brokers 1|3]
                           [--rate events/s] [--from git revision to begin with]
                           [--only kinds of faults] [--until checks]

${scenarios.map(({ name, what }) => `  ${name.padEnd(10)}${what}`).join("\n")}`;

useOwnTemporaryFolder();
const { scenario, options } = readOptions(process.argv.slice(2));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  // What was started ends with this process.
  process.on(signal, () => process.exit(130));
}
const startedAt = performance.now();
const { report, broken } = await scenario.run(options);
const took = ((performance.now() - startedAt) / 60_000).toFixed(1);
const { seed, seconds, brokers, rate } = options;
const settings = `seed ${seed}, ${seconds} s, ${brokers} brokers, ${rate} events/s`;
console.log(`${scenario.name}: ${settings}; ${took} min in all\n\n${report}`);
if (broken.length > 0) console.log(`\n${broken.length} promises BROKEN: ${broken.join(", ")}`);
process.exit(broken.length > 0 ? 1 : 0);

function readOptions(args: string[]): { scenario: Scenario; options: ScenarioOptions } {
  const { values, positionals } = parse(args);
  const scenario = scenarios.find(({ name }) => name === (positionals[0] ?? chaos.name));
  if (scenario === undefined || positionals.length > 1) return refuse("no such scenario");
  const { defaults } = scenario;
  const brokers = values.brokers === undefined ? defaults.brokers : Number(values.brokers);
  if (brokers !== 1 && brokers !== 3) return refuse("--brokers is 1 or 3");
  const options = {
    seed: numberOf("seed", values.seed) ?? randomInt(1, 1_000_000),
    seconds: Math.round((numberOf("minutes", values.minutes) ?? defaults.seconds / 60) * 60),
    rate: numberOf("rate", values.rate) ?? defaults.rate,
    source: values.from === undefined ? undefined : checkOut(values.from),
    kinds: namesOf("fault", faultKinds, values.only),
  };
  const until = namesOf("check", Object.keys(checks) as Check[], values.until) ?? [];
  const known = new Set<Check>();
  const broken = (check: Check, what: string) => {
    if (!known.has(check)) say(`BROKEN  ${check}: ${what}`);
    known.add(check);
    if (until.includes(check)) endWith(check, what);
  };
  return { scenario, options: { ...options, brokers, say, broken } };
}

function parse(args: string[]) {
  const text = { type: "string" } as const;
  const known = { minutes: text, seed: text, brokers: text, rate: text, from: text };
  const lists = { only: text, until: text };
  try {
    return parseArgs({ args, allowPositionals: true, options: { ...known, ...lists } });
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  return value > 0 ? value : refuse(`--${name} is a number above 0`);
}

/** Of a list with commas. */
function namesOf<Name extends string>(
  what: string,
  names: readonly Name[],
  list: string | undefined,
): readonly Name[] | undefined {
  return list?.split(",").map((each) => {
    const name = names.find((known) => known === each);
    return name ?? refuse(`there is no ${what} ${each}; there are ${names.join(", ")}`);
  });
}

/** What was looked for is found; all that was started ends with this process. */
function endWith(check: Check, what: string): never {
  console.log(`BROKEN  ${check}: ${checks[check]}\n          ${what}`);
  process.exit(1);
}

/** Whatever the parts of a simulation write goes with this process, however it ends. */
function useOwnTemporaryFolder(): void {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-simulate-"));
  // Postgres may run as another user, who has to come through here.
  chmodSync(folder, 0o711);
  process.env["TMPDIR"] = folder;
  const options = { recursive: true, force: true, maxRetries: 10, retryDelay: 100 };
  process.once("exit", () => rmSync(folder, options));
}

/** The revision's files, in a folder of their own; its packages are those of here. */
function checkOut(revision: string): string {
  const folder = mkdtempSync(join(tmpdir(), "tidegate-version-"));
  const archive = execFileSync("git", ["archive", revision], { cwd: root, maxBuffer: 1 << 28 });
  execFileSync("tar", ["-x", "-C", folder], { input: archive });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
}

function say(progress: string): void {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  console.error(`${seconds.padStart(7)} s  ${progress}`);
}

function refuse(fault: string): never {
  console.error(`${fault}\n\n${usage}`);
  process.exit(2);
}
