/**
 * The gateway's processes. Each has its own connections to Postgres and to the broker, over proxies
 * that can be cut, slowed and silenced, and keeps its port when it is started again. One that ends
 * by itself at its start, because the database is away, is started again, as an orchestrator does.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { environmentOfClock } from "../support/faketime.ts";
import { startGatewayProcess, type GatewayProcess } from "../support/process.ts";
import { startProxy, type Proxy } from "../support/proxy.ts";
import type { Violations } from "./records.ts";

export type GatewayOptions = {
  readonly name: string;
  readonly roles: "api" | "push" | "api,push";
  readonly directory: string;
  readonly postgresUrl: string;
  readonly natsUrls: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly violations: Violations;
  /** The folder of the version that it runs at first. */
  readonly source?: string | undefined;
};

export type StartOptions = { skewSeconds?: number; source?: string | undefined };

export type ManagedGateway = Awaited<ReturnType<typeof openGateway>>;

const lastWordsMax = 2_000;

const restartPauseMs = 200;

const sayMaxMs = 1_000;

/** As long as an orchestrator would try, and then somebody has to look. */
const startTriesMax = 60;

export async function openGateway(options: GatewayOptions, opening: AsyncDisposableStack) {
  const { name, roles, postgresUrl, natsUrls, environment, violations } = options;
  const directory = join(options.directory, name);
  await mkdir(directory);
  const postgres = opening.use(await startProxy(postgresUrl));
  const brokers: Proxy[] = [];
  for (const url of natsUrls) brokers.push(opening.use(await startProxy(url)));
  let port = "0";
  let process: GatewayProcess | undefined;
  /** What processes that have ended said. */
  const logs: string[] = [];
  let starts = 0;

  await start({ source: options.source });
  opening.defer(() => kill());
  return {
    ...{ name, roles, postgres, brokers, url: `http://127.0.0.1:${port}` },
    ...{ start, kill, terminate, shardsHeld },
    pid: () => process?.pid,
    freeze: () => process?.freeze(),
    thaw: () => process?.thaw(),
    isRunning: () => process !== undefined,
    starts: () => starts,
    log: () => [...logs, process?.stderr() ?? ""].join(""),
  };

  /** Another clock and another version are for this start only. */
  async function start({ skewSeconds = 0, source }: StartOptions = {}): Promise<void> {
    const env = {
      ...environment,
      DATABASE_URL: postgres.url,
      NATS_URL: brokers.map(({ url }) => url.replace(/\/$/, "")).join(","),
      TIDEGATE_ROLES: roles,
      PORT: port,
    };
    const clock = skewSeconds === 0 ? {} : await environmentOfClock(skewSeconds);
    for (let tries = 1; process === undefined; tries += 1) {
      try {
        process = await startGatewayProcess({ directory, env: { ...env, ...clock }, source });
      } catch (error) {
        if (tries === startTriesMax) throw error;
        await delay(restartPauseMs);
      }
    }
    starts += 1;
    port = new URL(process.url).port;
    watch(process);
  }

  /** As it says itself; 0 when it says nothing. */
  async function shardsHeld(): Promise<number> {
    const authorization = `Bearer ${environment["TIDEGATE_OPERATOR_KEY"] ?? ""}`;
    try {
      const signal = AbortSignal.timeout(sayMaxMs);
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`, {
        headers: { authorization },
        signal,
      });
      return Number(/^tidegate_shards_held (\d+)/m.exec(await answer.text())?.[1] ?? 0);
    } catch {
      return 0;
    }
  }

  /** One that ends without having been asked to is a fault of its own. */
  function watch(started: GatewayProcess): void {
    void started.exited.then(({ code, stderr }) => {
      if (process !== started) return;
      violations.report("alive", `${name} ended with ${code}: ${stderr.slice(-lastWordsMax)}`);
      process = undefined;
      logs.push(stderr);
      start().catch((error: unknown) => violations.report("alive", `${name}: ${String(error)}`));
    });
  }

  async function kill(): Promise<void> {
    const killed = process;
    process = undefined;
    await killed?.kill();
    keepLog(killed);
  }

  async function terminate(): Promise<number | null> {
    const ending = process;
    process = undefined;
    const exit = await ending?.terminate();
    keepLog(ending);
    return exit?.code ?? null;
  }

  function keepLog(ended: GatewayProcess | undefined): void {
    if (ended !== undefined) logs.push(ended.stderr());
  }
}
