/**
 * The gateway as its users run it: a Node process of its own, in a directory of its own, with
 * nothing in its environment but what the test gives it. It can be asked to stop, killed alone,
 * or killed together with its embedded Postgres, and started again in the same directory.
 */

import { execFile, spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { waitUntil } from "./wait.ts";

const run = promisify(execFile);

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The first start makes a database, which takes seconds, and longer on a busy machine. */
const startDeadlineMs = 60_000;

/** The grace time and what the process allows itself beyond it. */
const stopDeadlineMs = 35_000;

/** A killed server's processes notice its end and follow. */
const killDeadlineMs = 10_000;

export type Exit = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
};

export type GatewayProcess = AsyncDisposable & {
  readonly url: string;
  /** As printed, or as the environment has it. */
  readonly operatorKey: string;
  readonly pid: number;
  /** All that it has printed so far. */
  stdout(): string;
  stderr(): string;
  /** Sends SIGTERM and waits for the end. */
  terminate(): Promise<Exit>;
  /** SIGKILL to the Node process and nothing else. */
  kill(): Promise<void>;
  /** Holds the process where it is, and lets it go on. */
  freeze(): void;
  thaw(): void;
  /** Resolves when it has ended, for whatever reason. */
  readonly exited: Promise<Exit>;
  /** SIGKILL to the process group, and to the embedded Postgres, which has a session of its own. */
  killEverything(): Promise<void>;
};

export type ProcessOptions = {
  /** Where it runs; its data directory is `.tidegate` in there unless the environment says else. */
  readonly directory: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The folder of another version of the program. */
  readonly source?: string | undefined;
  /** What is run instead of this repository's own program. */
  readonly main?: string | undefined;
};

/** An empty directory, removed at the end with the Postgres that may still run in it. */
export async function createDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "tidegate-e2e-"));
  return {
    path,
    async [Symbol.asyncDispose]() {
      await killPostgres(path);
      await rm(path, { recursive: true, force: true });
    },
  };
}

/** What a gateway needs that shares a database with others; all who are given it are one system. */
export function productionEnvironment(databaseUrl: string) {
  return {
    NODE_ENV: "production",
    DATABASE_URL: databaseUrl,
    TIDEGATE_OPERATOR_KEY: `tg_op_${randomBytes(24).toString("hex")}`,
    TIDEGATE_SECRETS: `1:${randomBytes(32).toString("base64")}`,
    TIDEGATE_ALLOW_ADDRESSES: "127.0.0.0/8",
  };
}

/** Starts a gateway and waits until it listens. */
export async function startGatewayProcess(options: ProcessOptions): Promise<GatewayProcess> {
  const launched = launch(options);
  const { child, stdout, stderr, exited } = launched;
  const given = options.env?.["TIDEGATE_OPERATOR_KEY"];
  const ready = waitUntil(
    () => {
      const url = /^listening on (\S+)$/m.exec(stdout())?.[1];
      const operatorKey = given ?? /operator key\s+(\S+)/.exec(stdout())?.[1];
      return url !== undefined && operatorKey !== undefined && { url, operatorKey };
    },
    { deadlineMs: startDeadlineMs, what: "listening" },
  );
  const ended = exited.then(({ code }) => {
    throw new Error(`the gateway ended with ${code} instead of listening:\n${stderr()}`);
  });
  ended.catch(() => {});
  const { url, operatorKey } = await Promise.race([ready, ended]).catch((error: unknown) => {
    // Nobody else knows of it.
    child.kill("SIGKILL");
    throw error;
  });
  const pid = child.pid ?? 0;

  return {
    ...{ url, operatorKey, pid, exited, stdout, stderr, terminate, kill, killEverything },
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    async [Symbol.asyncDispose]() {
      await kill();
    },
  };

  async function terminate(): Promise<Exit> {
    child.kill("SIGTERM");
    return within(exited, stopDeadlineMs, () => `SIGTERM had no effect:\n${stderr()}`);
  }

  async function kill(): Promise<void> {
    child.kill("SIGKILL");
    await exited;
  }

  async function killEverything(): Promise<void> {
    killGroup(pid);
    await Promise.all([exited, killPostgres(options.directory)]);
  }
}

/** Runs a gateway that is expected to give up at its start. */
export async function runGateway(options: ProcessOptions): Promise<Exit> {
  const { child, exited, stderr } = launch(options);
  try {
    return await within(exited, startDeadlineMs, () => `it goes on:\n${stderr()}`);
  } finally {
    child.kill("SIGKILL");
  }
}

function launch({ directory, env, source = root, main }: ProcessOptions) {
  const { PATH, HOME, LD_LIBRARY_PATH } = process.env;
  const child = spawn(process.execPath, [main ?? join(source, "src/main.ts")], {
    cwd: directory,
    env: { PATH, HOME, LD_LIBRARY_PATH, PORT: "0", ...env },
    // A process group of its own, which can be killed as one.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  endWithThisProcess(child);
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      output[name] += chunk;
    });
  }
  // "close" and not "exit": by then all that it printed has been read.
  const exited = once(child, "close").then(([code, signal]): Exit => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    ...output,
  }));
  return { child, exited, stdout: () => output.stdout, stderr: () => output.stderr };
}

async function within<T>(promise: Promise<T>, deadlineMs: number, what: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`after ${deadlineMs} ms: ${what()}`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Kills the server of the embedded database, if one runs, with all of its processes. */
async function killPostgres(directory: string): Promise<void> {
  const cluster = join(directory, ".tidegate", "postgres");
  const text = await readFile(join(cluster, "postmaster.pid"), "utf8").catch(() => "");
  const pid = Number(text.split("\n")[0]);
  const before = await processes();
  // Somebody else may have the number by now.
  const server = before.find((each) => each.pid === pid && each.command.includes(cluster));
  if (server === undefined) return;
  // In one moment, as when the power goes: a server that survives its backends recovers.
  const all = [pid, ...before.filter((each) => each.parent === pid).map((each) => each.pid)];
  for (const each of all) killOne(each);
  await waitUntil(async () => !(await processes()).some((each) => all.includes(each.pid)), {
    deadlineMs: killDeadlineMs,
    what: "the end of Postgres",
  });
}

/** Those that live; the dead whose parent has not noticed yet are left out. */
async function processes(): Promise<{ pid: number; parent: number; command: string }[]> {
  const { stdout } = await run("ps", ["-A", "-ww", "-o", "pid=,ppid=,stat=,args="]);
  return Array.from(
    stdout.matchAll(/^\s*(\d+)\s+(\d+)\s+([^Z\s]\S*)\s+(.*)$/gm),
    ([, pid, parent, , command = ""]) => ({ pid: Number(pid), parent: Number(parent), command }),
  );
}

function killOne(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It was faster.
  }
}

function killGroup(pid: number): void {
  if (pid > 0) killOne(-pid);
}

/** A test that is aborted leaves no gateway behind. */
function endWithThisProcess(child: ChildProcess): void {
  const kill = (): void => killGroup(child.pid ?? 0);
  // Before whoever removes the folders that it writes to.
  process.prependOnceListener("exit", kill);
  child.once("exit", () => process.off("exit", kill));
}
