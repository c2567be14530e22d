/**
 * `npm run check`: everything that can be said about the code without running it, in one go. It
 * prints a line per part and, for those that fail, what they said; it does not run the tests.
 * `npm run check -- lint types` runs only the named parts.
 */
import { spawn } from "node:child_process";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

type Result = { ok: boolean; output: string };
type Part = { name: string; check: () => Promise<Result>; hint?: string };

const root = fileURLToPath(new URL("..", import.meta.url));

/** Many times what the slowest part takes; a tool that waits for an answer never gets one. */
const partTimeoutMs = 120_000;

/** The slow ones first, so that the quick ones fill the gaps. */
const parts: readonly Part[] = [
  { name: "types", check: () => run("tsc") },
  // With nothing but what all runtimes have.
  { name: "client-types", check: () => run("tsc", "-p", "tsconfig.client.json", "--noEmit") },
  { name: "page-types", check: () => run("tsc", "-p", "src/portal/page/tsconfig.json") },
  { name: "lint", check: () => run("oxlint", "--type-aware", "--deny-warnings", ".") },
  {
    name: "openapi",
    check: () => run("node", "scripts/openapi.ts", "--check"),
    hint: "npm run generate",
  },
  { name: "openapi-lint", check: () => run("redocly", "lint", "--format", "stylish") },
  { name: "migrations", check: checkMigrations, hint: "npm run migration" },
  { name: "unused", check: () => run("knip", "--no-progress", "--no-config-hints") },
  { name: "layers", check: () => run("depcruise", "src") },
  { name: "format", check: () => run("oxfmt", "--check", "."), hint: "npm run format" },
];

const failed = await checkAll(chosenParts(process.argv.slice(2)));
if (failed.length > 0) {
  console.error(`\ncheck failed: ${failed.join(", ")}`);
  process.exitCode = 1;
}

function chosenParts(names: readonly string[]): Part[] {
  const unknown = names.filter((name) => !parts.some((part) => part.name === name));
  if (unknown.length > 0) {
    console.error(`no such part: ${unknown.join(", ")}`);
    console.error(`there are: ${parts.map((part) => part.name).join(", ")}`);
    process.exit(2);
  }
  return parts.filter((part) => names.length === 0 || names.includes(part.name));
}

/** Runs the parts, as many at once as there are cores, and returns the names of those that failed. */
async function checkAll(chosen: readonly Part[]): Promise<string[]> {
  const waiting = [...chosen];
  const failures: string[] = [];
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return failures;

  async function work(): Promise<void> {
    for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
      const startedAt = performance.now();
      const { ok, output } = await part.check();
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
      console.log(`${ok ? "ok    " : "FAILED"} ${part.name.padEnd(12)} ${seconds} s`);
      if (ok) continue;
      failures.push(part.name);
      console.log(`\n${output.trim()}\n`);
      if (part.hint !== undefined) console.log(`To bring it up to date: ${part.hint}\n`);
    }
  }
}

/**
 * The migrations are current when there is nothing to generate. Done on a copy, so that a check
 * changes no file. (`drizzle-kit check` looks only at the history, never at the schema.) It goes
 * by what the tool says, because it ends with 0 even where it failed to ask about a rename.
 */
async function checkMigrations(): Promise<Result> {
  const directory = await mkdtemp(join(tmpdir(), "tidegate-migrations-"));
  try {
    const out = join(directory, "drizzle");
    await cp(join(root, "drizzle"), out, { recursive: true });
    const options = ["--dialect", "postgresql", "--schema", "src/db/*schema.ts"];
    // It puts "./" before the folder, so an absolute one would not be found.
    const target = ["--out", relative(root, out)];
    const { output } = await run("drizzle-kit", "generate", ...options, ...target);
    return { ok: output.includes("No schema changes"), output };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Runs a tool of this repository's node_modules, without a terminal to ask questions on. */
function run(command: string, ...args: string[]): Promise<Result> {
  const path = [join(root, "node_modules/.bin"), process.env["PATH"]].join(delimiter);
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, PATH: path },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: partTimeoutMs,
  });
  let output = "";
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  return new Promise((resolve) => {
    child.on("error", (error) => resolve({ ok: false, output: error.message }));
    child.on("close", (status, signal) => {
      if (signal !== null) output += `\n${command} was ended by ${signal}`;
      resolve({ ok: status === 0, output });
    });
  });
}
