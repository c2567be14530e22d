/**
 * The gateway as anyone would run it: a process of its own with an embedded database in a
 * directory that goes away with it. Stopping it must end it with 0.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export type Gateway = {
  readonly url: string;
  readonly operatorKey: string;
  readonly pid: number;
  /** Aborted when the process ends without having been asked to. */
  readonly lost: AbortSignal;
  /** The last lines of its log. */
  readonly log: readonly string[];
  /** Answers with how it ended: 0 when all went well. */
  stop(): Promise<Status>;
};

export type Status = number | NodeJS.Signals | null;

/** It drains for 20 s and closes for 10 s at most. */
const stopMaxMs = 32_000;

const databaseStopMaxMs = 10_000;
const lookEveryMs = 100;

const logLinesKept = 30;

/**
 * The least that there is, for a demo has no hour. With a third of all answers being failures,
 * about nine attempts are needed until the last event is through, and sixteen never.
 */
const retrySchedule = Array.from({ length: 15 }, () => "1s").join(",");

/** Of the environment, what would make it another gateway than the one to be shown. */
const settings = /^(TIDEGATE_.*|DATABASE_URL|NATS_URL|NODE_ENV|HOST|PORT|LOG_LEVEL|OTEL_.*)$/;

export async function startGateway(signal: AbortSignal): Promise<Gateway> {
  const dataDir = await mkdtemp(join(tmpdir(), "tidegate-demo-"));
  const child = spawnGateway(dataDir);
  const log = keepLog(child);
  const losing = new AbortController();
  let stopping = false;
  const { promise: ended, resolve: end } = Promise.withResolvers<Status>();
  child.once("error", () => end(null));
  child.once("exit", (status, signalName) => {
    end(status ?? signalName);
    if (stopping) return;
    losing.abort(new Error(`the gateway ended by itself (${status ?? signalName})`));
  });

  try {
    const first = await readFirstLines(child, AbortSignal.any([signal, losing.signal]));
    return { ...first, pid: child.pid ?? 0, lost: losing.signal, log, stop };
  } catch (error) {
    await stop();
    throw new Error([String(error), ...log].join("\n"), { cause: error });
  }

  async function stop(): Promise<Status> {
    stopping = true;
    child.kill("SIGTERM");
    const late = new AbortController();
    void delay(stopMaxMs, undefined, { signal: late.signal }).then(
      () => child.kill("SIGKILL"),
      () => undefined, // it ended in time
    );
    const status = await ended;
    late.abort();
    if (status !== 0) await stopDatabase(dataDir);
    await rm(dataDir, { recursive: true, force: true });
    return status;
  }
}

function spawnGateway(dataDir: string): ChildProcess {
  const environment = Object.entries(process.env).filter(([name]) => !settings.test(name));
  return spawn(process.execPath, ["src/main.ts"], {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    env: {
      ...Object.fromEntries(environment),
      PORT: "0",
      TIDEGATE_DATA_DIR: dataDir,
      TIDEGATE_RETRY_SCHEDULE: retrySchedule,
      LOG_LEVEL: "warn",
    },
    stdio: ["ignore", "pipe", "pipe"],
    // Out of the reach of Ctrl-C: it is stopped by the demo, and a second signal would cut it.
    detached: true,
  });
}

/** Reads its address and key from what it prints for people. */
async function readFirstLines(
  child: ChildProcess,
  signal: AbortSignal,
): Promise<Pick<Gateway, "url" | "operatorKey">> {
  const { promise, resolve, reject } =
    Promise.withResolvers<Pick<Gateway, "url" | "operatorKey">>();
  signal.throwIfAborted();
  signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  child.once("error", reject);
  if (child.stdout === null) throw new Error("the gateway has no output");
  let url: string | undefined;
  createInterface(child.stdout).on("line", (line) => {
    url ??= /^listening on (\S+)$/.exec(line)?.[1];
    const operatorKey = /^\s*operator key\s+(\S+)$/.exec(line)?.[1];
    if (url !== undefined && operatorKey !== undefined) resolve({ url, operatorKey });
  });
  return promise;
}

/** A gateway that is killed leaves its database running, for the next one in the directory. */
async function stopDatabase(dataDir: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < databaseStopMaxMs; waitedMs += lookEveryMs) {
    const text = await readFile(join(dataDir, "postgres/postmaster.pid"), "utf8").catch(() => "");
    const pid = Number(/^\d+/.exec(text)?.[0]);
    if (!(pid > 0)) return;
    // Not to be kept, so it need not write anything out.
    if (waitedMs === 0) process.kill(pid, "SIGQUIT");
    await delay(lookEveryMs);
  }
}

function keepLog(child: ChildProcess): readonly string[] {
  const lines: string[] = [];
  if (child.stderr === null) return lines;
  createInterface(child.stderr).on("line", (line) => {
    lines.push(line);
    if (lines.length > logLinesKept) lines.shift();
  });
  return lines;
}
