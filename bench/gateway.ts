/**
 * The gateway under test: a process of its own, `node src/main.ts`, with the configuration it has
 * when nothing is configured, but for a database that the benchmark can reach too.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { thisCheckout } from "./checkout.ts";

export type GatewayProcess = {
  readonly url: string;
  readonly pid: number;
  /** Lines of its log that tell of something wrong. */
  complaints(): Promise<string[]>;
  stop(): Promise<void>;
};

/** Migrations and the leases of all shards take a second or two, on a busy machine more. */
const startTimeoutMs = 60_000;

/** It drains for 20 s at most, and then closes what it has open. */
const stopTimeoutMs = 40_000;

const lookMs = 20;

export async function startGatewayProcess(
  dir: string,
  settings: {
    databaseUrl: string;
    operatorKey: string;
    secrets: string;
    /** What a run needs to be configured all the same. */
    environment?: Readonly<Record<string, string>>;
    /** The checkout whose gateway it is, when it is not this one's. */
    checkout?: string;
  },
): Promise<GatewayProcess> {
  const outPath = join(dir, "gateway.out");
  const logPath = join(dir, "gateway.log");
  await using out = await open(outPath, "w", 0o600);
  await using log = await open(logPath, "w", 0o600);
  const main = join(settings.checkout ?? thisCheckout, "src", "main.ts");
  const child = spawn(process.execPath, [main], {
    cwd: dir,
    // Nothing of the caller's environment: it may configure another gateway.
    env: {
      PATH: process.env["PATH"],
      PORT: "0",
      DATABASE_URL: settings.databaseUrl,
      TIDEGATE_OPERATOR_KEY: settings.operatorKey,
      TIDEGATE_SECRETS: settings.secrets,
      TIDEGATE_ALLOW_ADDRESSES: "127.0.0.0/8",
      ...settings.environment,
    },
    // Files, so that its log costs this process nothing.
    stdio: ["ignore", out.fd, log.fd],
    // A Ctrl-C is for the benchmark, which stops it in order.
    detached: true,
  });
  const killAtExit = () => child.kill("SIGKILL");
  process.once("exit", killAtExit);
  child.once("exit", () => process.off("exit", killAtExit));
  try {
    const url = await listeningUrl(child, outPath);
    const pid = child.pid ?? 0;
    return { url, pid, complaints: () => complaintsIn(logPath), stop: () => stop(child) };
  } catch (cause) {
    await stop(child);
    const said = (await readFile(logPath, "utf8")).trim().split("\n").slice(-3).join("\n");
    throw new Error(`the gateway did not start: ${said}`, { cause });
  }
}

async function listeningUrl(child: ChildProcess, outPath: string): Promise<string> {
  const deadline = performance.now() + startTimeoutMs;
  while (performance.now() < deadline) {
    const url = /^listening on (\S+)$/m.exec(await readFile(outPath, "utf8"))?.[1];
    if (url !== undefined) return url;
    if (hasEnded(child)) throw new Error(`it ended with exit code ${child.exitCode}`);
    await delay(lookMs);
  }
  throw new Error(`it did not listen within ${startTimeoutMs} ms`);
}

async function complaintsIn(logPath: string): Promise<string[]> {
  const lines = (await readFile(logPath, "utf8")).split("\n");
  return lines.filter((line) => /^\{"level":"(warn|error|fatal)"/.test(line));
}

async function stop(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, "exit");
  const timer = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
  child.kill("SIGTERM");
  await ended;
  clearTimeout(timer);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
