/**
 * What trials stand on: a directory, a Postgres, gateways as processes of their own and workers
 * beside them. Whatever is opened here is stopped and removed at the end, last-first, also after
 * an error or a signal.
 */
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { openDatabase, type Sql } from "../../src/db/database.ts";
import { openEmbeddedPostgres } from "../../src/db/embedded.ts";
import type { Tenant } from "../../src/http/auth.ts";
import { generateKeyRing } from "../../src/keyring.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { startGatewayProcess, type GatewayProcess } from "../gateway.ts";
import { startWorker, type Operations, type Worker } from "../worker.ts";
import { createClient, type Client } from "./client.ts";

export type Stage = {
  readonly dir: string;
  readonly seed: number;
  /** Seconds instead of minutes, for a test that the trial itself works. */
  readonly small: boolean;
  /** The one to run, of a trial that has several; undefined for all. */
  readonly shape: string | undefined;
  /** The key of every gateway of this stage, and the secrets that they share. */
  readonly key: string;
  readonly secrets: string;
  /** Says on stderr how far it is. */
  say(progress: string): void;
  /** An empty database, on a server of the stage's own: durable, unless the run is small. */
  openPostgres(): Promise<string>;
  /** A further database on that server. */
  createDatabase(serverUrl: string): Promise<string>;
  /** A pool of the trial's own. */
  connect(databaseUrl: string, connections?: number): Sql;
  startGateway(
    databaseUrl: string,
    environment?: Readonly<Record<string, string>>,
  ): Promise<GatewayProcess>;
  openClient(gateway: GatewayProcess, connections?: number): Client;
  startWorker<Offered extends Operations>(name: string): Worker<Offered>;
  defer(stop: () => Promise<unknown>): void;
  /** Opens something that `defer` can stop only when it is open, so the end waits for it. */
  open<T>(opening: () => Promise<T>): Promise<T>;
  /** Nothing can be opened any more; what was being opened is open, and will be stopped. */
  end(): Promise<void>;
  /** Lines of the gateways' logs that tell of something wrong. */
  complaints(): Promise<string[]>;
};

export type StageOptions = {
  readonly parent: string;
  readonly seed: number;
  readonly small: boolean;
  /** A Postgres to make databases on, instead of starting one; they are dropped at the end. */
  readonly server: string | undefined;
  readonly shape: string | undefined;
  readonly say: (progress: string) => void;
};

export async function openStage(
  options: StageOptions,
  opening: AsyncDisposableStack,
): Promise<Stage> {
  const { parent, seed, small, server, shape, say } = options;
  const dir = await mkdtemp(join(parent, "tidegate-trial-"));
  defer(() => rm(dir, { recursive: true, force: true }));
  const key = `tg_op_${randomBytes(24).toString("base64url")}`;
  const secrets = generateKeyRing();
  const gateways: GatewayProcess[] = [];
  const underWay = new Set<Promise<unknown>>();
  let ended = false;
  return {
    ...{ dir, seed, small, shape, key, secrets, say, defer, open, end },
    ...{ createDatabase, connect, openClient, startWorker: startOwnWorker },
    openPostgres: () => open(openPostgres),
    startGateway: (...given) => open(() => startGateway(...given)),
    complaints: async () =>
      (await Promise.all(gateways.map((gateway) => gateway.complaints()))).flat(),
  };

  function defer(stop: () => Promise<unknown>): void {
    opening.defer(async () => void (await stop()));
  }

  async function open<T>(opens: () => Promise<T>): Promise<T> {
    if (ended) throw new Error("the trial has ended");
    const opened = opens();
    underWay.add(opened);
    try {
      return await opened;
    } finally {
      underWay.delete(opened);
    }
  }

  async function end(): Promise<void> {
    ended = true;
    await Promise.allSettled(underWay);
  }

  async function openPostgres(): Promise<string> {
    if (server !== undefined) return await createDatabase(server);
    const log = createLogger({ level: "error" });
    const postgres = await openEmbeddedPostgres({ dataDir: dir, log, durable: !small });
    defer(() => postgres.stop());
    return postgres.url;
  }

  async function createDatabase(serverUrl: string): Promise<string> {
    const name = `trial_${randomBytes(6).toString("hex")}`;
    const sql = connect(serverUrl, 1);
    await sql.unsafe(`create database ${name}`);
    defer(() => sql.unsafe(`drop database ${name} with (force)`));
    const url = new URL(serverUrl);
    url.pathname = `/${name}`;
    return url.href;
  }

  function connect(databaseUrl: string, connections = 2): Sql {
    const { sql, stop } = openDatabase(databaseUrl, { connections, name: "trial" });
    defer(stop);
    return sql;
  }

  async function startGateway(
    databaseUrl: string,
    environment: Readonly<Record<string, string>> = {},
  ): Promise<GatewayProcess> {
    const own = join(dir, `gateway-${gateways.length + 1}`);
    await mkdir(own);
    const settings = { databaseUrl, operatorKey: key, secrets, environment };
    const gateway = await startGatewayProcess(own, settings);
    gateways.push(gateway);
    defer(() => gateway.stop());
    return gateway;
  }

  function openClient({ url }: GatewayProcess, connections?: number): Client {
    const client = createClient(url, key, connections);
    defer(() => client.close());
    return client;
  }

  function startOwnWorker<Offered extends Operations>(name: string): Worker<Offered> {
    const worker = startWorker<Offered>(name);
    defer(() => worker.stop());
    return worker;
  }
}

export async function createTenants(
  client: Client,
  sql: Sql,
  names: readonly string[],
): Promise<Tenant[]> {
  for (const name of names) await client.expect("PUT", `/tenants/${name}`, "{}");
  return await Promise.all(
    names.map(async (name) => {
      const [row] = await sql<Tenant[]>`select id, name, shard from tenants where name = ${name}`;
      if (row === undefined) throw new Error(`the tenant ${name} was not created`);
      return row;
    }),
  );
}
