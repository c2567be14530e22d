/**
 * A side of the comparison: the gateway of one version on an empty database of its own. Each row
 * has new ones, so what a row leaves behind (a full log, thousands of endpoints, memory) is gone
 * with them and weighs on no other, and a row that brings its gateway down takes none with it.
 */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openDatabase, type Sql } from "../src/db/database.ts";
import type * as Embedded from "../src/db/embedded.ts";
import type { Tenant } from "../src/http/auth.ts";
import { generateKeyRing } from "../src/keyring.ts";
import { createLogger } from "../src/telemetry/logger.ts";
import { openCostMeter, type CostMeter } from "./cost.ts";
import { startGatewayProcess, type GatewayProcess } from "./gateway.ts";
import { openOwnBroker } from "./trials/broker.ts";

/** What a row needs to be configured. */
export type SideOptions = {
  readonly environment?: Readonly<Record<string, string>>;
  /** Fan-out over a NATS server of its own, instead of in the process. */
  readonly jetStream?: boolean;
  /** A second gateway process on the same database and broker, and what it is configured with. */
  readonly partner?: Readonly<Record<string, string>>;
};

export type Side = {
  /** `before` is another version, `gateway` this one. */
  readonly name: "before" | "gateway";
  /** For files of the row's own. */
  readonly dir: string;
  readonly databaseUrl: string;
  readonly sql: Sql;
  readonly gateway: GatewayProcess;
  /** The second process; the only one where no other was wanted. */
  readonly partner: GatewayProcess;
  readonly operatorKey: string;
  readonly secrets: string;
  readonly meter: CostMeter;
  /** Sends a request to the gateway and returns the answer's body; throws unless it is a 2xx. */
  request(method: string, path: string, body?: object): Promise<unknown>;
  createTenant(name: string): Promise<Tenant>;
  /** So many, in the order of their numbers. */
  createTenants(count: number): Promise<Tenant[]>;
};

/** A version whose sides can be opened: its Postgres runs. */
export type Version = {
  readonly name: Side["name"];
  readonly checkout: string;
  readonly dir: string;
  readonly postgresUrl: string;
};

const requestTimeoutMs = 20_000;

/** Where there are many to make. */
const requestsAtOnce = 8;

/** Starts the Postgres that this version ships, as it configures it, unless there is a `server`. */
export async function openVersion(
  given: Pick<Version, "name" | "checkout"> & { parent: string; server: string | undefined },
  opening: AsyncDisposableStack,
): Promise<Version> {
  const { name, checkout, parent, server } = given;
  const dir = join(parent, name);
  await mkdir(dir);
  if (server !== undefined) return { name, checkout, dir, postgresUrl: server };
  const module = pathToFileURL(join(checkout, "src", "db", "embedded.ts")).href;
  const { openEmbeddedPostgres } = (await import(module)) as typeof Embedded;
  const log = createLogger({ level: "error" });
  const postgres = opening.use(await openEmbeddedPostgres({ dataDir: dir, log }));
  return { name, checkout, dir, postgresUrl: postgres.url };
}

/** Opens it on `opening`, whose owner stops it. */
export async function openSide(
  version: Version,
  options: SideOptions,
  opening: AsyncDisposableStack,
  interrupt: AbortSignal,
): Promise<Side> {
  const database = `side_${randomBytes(6).toString("hex")}`;
  const dir = join(version.dir, database);
  await mkdir(dir);
  const databaseUrl = await createDatabase(version.postgresUrl, database, opening);
  const { sql, stop } = openDatabase(databaseUrl, { connections: 2, name: "bench" });
  opening.defer(stop);
  const operatorKey = `tg_op_${randomBytes(24).toString("base64url")}`;
  const secrets = generateKeyRing();
  const fanOut = await fanOutOf(options, dir, opening);
  interrupt.throwIfAborted();
  const gateway = await startGateway(dir, options.environment);
  const partner =
    options.partner === undefined ? gateway : await startPartner(join(dir, "partner"));
  const meter = await openCostMeter(sql, [...new Set([gateway.pid, partner.pid])]);
  return {
    ...{ name: version.name, dir, databaseUrl, sql, gateway, partner, operatorKey, secrets, meter },
    ...{ request, createTenant, createTenants },
  };

  async function startGateway(own: string, configured: SideOptions["environment"]) {
    const started = await startGatewayProcess(own, {
      ...{ databaseUrl, operatorKey, secrets, checkout: version.checkout },
      environment: { ...fanOut, ...configured },
    });
    opening.defer(() => started.stop());
    interrupt.throwIfAborted();
    return started;
  }

  async function startPartner(own: string) {
    await mkdir(own);
    return await startGateway(own, options.partner);
  }

  async function request(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(gateway.url + path, {
      method,
      headers: { authorization: `Bearer ${operatorKey}`, "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.any([interrupt, AbortSignal.timeout(requestTimeoutMs)]),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  async function createTenant(name: string): Promise<Tenant> {
    await request("PUT", `/tenants/${name}`, {});
    const [tenant] = await sql<Tenant[]>`select id, name, shard from tenants where name = ${name}`;
    if (tenant === undefined) throw new Error(`the tenant ${name} was not created`);
    return tenant;
  }

  async function createTenants(count: number): Promise<Tenant[]> {
    const names = Array.from({ length: count }, (_, n) => `many-${String(n).padStart(5, "0")}`);
    await atOnce(names, (name) => request("PUT", `/tenants/${name}`, {}));
    return await sql<Tenant[]>`
      select id, name, shard from tenants where name like 'many-%' order by name`;
  }
}

/** Several at a time; in their order what came of them. */
export async function atOnce<Item, Made>(
  items: readonly Item[],
  make: (item: Item, index: number) => Promise<Made>,
): Promise<Made[]> {
  const waiting = items.entries();
  const made: Made[] = [];
  await Promise.all(
    Array.from({ length: requestsAtOnce }, async () => {
      for (const [index, item] of waiting) made[index] = await make(item, index);
    }),
  );
  return made;
}

async function createDatabase(
  serverUrl: string,
  name: string,
  opening: AsyncDisposableStack,
): Promise<string> {
  await onServer(`create database ${name}`);
  // It writes out what is left of it, which the next row then need not.
  opening.defer(() => onServer(`drop database ${name} with (force)`));
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;

  async function onServer(statement: string): Promise<void> {
    const { sql, stop } = openDatabase(serverUrl, { connections: 1, name: "bench" });
    try {
      await sql.unsafe(statement);
    } finally {
      await stop();
    }
  }
}

async function fanOutOf(
  { jetStream = false }: SideOptions,
  dir: string,
  opening: AsyncDisposableStack,
): Promise<Record<string, string>> {
  if (!jetStream) return {};
  const defer = (stop: () => Promise<unknown>) => opening.defer(async () => void (await stop()));
  const broker = await openOwnBroker({ dir, defer });
  if (broker === undefined) throw new Error("there is no nats-server in the PATH");
  return { NATS_URL: broker.url };
}
