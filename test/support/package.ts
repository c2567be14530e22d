/** The package as npm makes it, installed in a project of its own. */
import { execFile } from "node:child_process";
import { cp, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { waitUntil } from "./wait.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Compiling, packing and installing, on a machine that does much else. */
const stepTimeoutMs = 180_000;

export type Project = AsyncDisposable & {
  readonly path: string;
  /** Runs a program in it, and gives what it printed; fails with all that it said. */
  run(program: string, args: readonly string[], env?: Environment): Promise<string>;
};

type Environment = Readonly<Record<string, string>>;

/**
 * A project that has installed the package and nothing else but `others`. Without the optional
 * dependencies and without scripts, as who wants the library alone would do it.
 */
export async function createProject(options: {
  readonly others?: readonly string[];
  /** Files of test/support/package to put into it. */
  readonly files?: readonly string[];
}): Promise<Project> {
  const path = await mkdtemp(join(tmpdir(), "tidegate-package-"));
  const project = { path, run, [Symbol.asyncDispose]: remove };
  try {
    await writeFile(join(path, "package.json"), '{"type":"module","private":true}');
    const support = fileURLToPath(new URL("package", import.meta.url));
    for (const file of options.files ?? []) await cp(join(support, file), join(path, file));
    const tarball = await pack(path);
    // What the lock file names is in npm's cache, if this repository was installed here.
    const how = ["--omit=optional", "--ignore-scripts", "--prefer-offline", "--no-audit"];
    await run("npm", ["install", ...how, tarball, ...(options.others ?? [])]);
    return project;
  } catch (error) {
    await remove();
    throw error;
  }

  function run(program: string, args: readonly string[], env: Environment = {}): Promise<string> {
    return runIn(path, program, args, env);
  }

  async function remove(): Promise<void> {
    await rm(path, { recursive: true, force: true });
  }
}

/** Makes the package in a folder, and gives the tarball's name. */
async function pack(folder: string): Promise<string> {
  // It is compiled in the repository, by one at a time.
  await using _lock = await lock(join(root, "node_modules/.pack-lock"));
  await runIn(root, "npm", ["pack", "--pack-destination", folder]);
  const { name, version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  return join(folder, `${name}-${version}.tgz`);
}

async function runIn(
  cwd: string,
  program: string,
  args: readonly string[],
  env: Environment = {},
): Promise<string> {
  const path = [join(root, "node_modules/.bin"), process.env["PATH"]].join(delimiter);
  // Without what npm tells the scripts that it runs, this one among them.
  const own = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      cwd,
      env: { ...Object.fromEntries(own), PATH: path, ...env },
      timeout: stepTimeoutMs,
    });
    return stdout;
  } catch (error) {
    const { message, stdout = "" } = error as Error & { stdout?: string };
    throw new Error(`${message}\n${stdout}`, { cause: error });
  }
}

/** Held by a process at a time; one that is gone holds nothing. */
async function lock(path: string): Promise<AsyncDisposable> {
  await waitUntil(take, { deadlineMs: stepTimeoutMs, what: "the lock on packing" });
  return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };

  async function take(): Promise<boolean> {
    try {
      await using file = await open(path, "wx");
      await file.writeFile(String(process.pid));
      return true;
    } catch {
      const holder = Number(await readFile(path, "utf8").catch(() => ""));
      if (holder > 0 && !isAlive(holder)) await rm(path, { force: true });
      return false;
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
