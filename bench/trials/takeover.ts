/** How long the shards of a push process that is killed wait for another, among very many tenants. */
import type { Sql } from "../../src/db/database.ts";
import { nowMs } from "../clock.ts";
import { appendBody } from "../payload.ts";
import type { Worker } from "../worker.ts";
import type { HookOperations } from "../workers/hooks.ts";
import { until } from "./endpoints.ts";
import type { Stage } from "./stage.ts";

export type TakeOver = {
  /** Shards that were the killed one's. */
  readonly moved: number;
  /** From the kill until the other holds all shards. */
  readonly heldMs: number;
  /** From the kill, at which an event was appended, until that was delivered. */
  readonly deliveredMs: number;
  /** Of the first event appended once all shards were held. */
  readonly afterwardsMs: number;
};

const patienceSeconds = 60;

/** The tenants are those of `seedCrowd`, whose endpoints are at these hooks. */
export async function takeOver(
  stage: Stage,
  given: {
    databaseUrl: string;
    sql: Sql;
    hooks: Worker<HookOperations>;
    shards: number;
    environment: Readonly<Record<string, string>>;
  },
): Promise<TakeOver> {
  const { databaseUrl, sql, hooks, shards, environment } = given;
  const survivor = await stage.startGateway(databaseUrl, environment);
  const client = stage.openClient(survivor);
  await until("all shards leased", patienceSeconds, async () => {
    return (await holders(sql)).get(await onlyHolder(sql)) === shards;
  });
  const owner = await onlyHolder(sql);
  const victim = await stage.startGateway(databaseUrl, { ...environment, TIDEGATE_ROLES: "push" });
  const moved = Math.floor(shards / 2);
  await until("the shards shared", patienceSeconds, async () => {
    const held = await holders(sql);
    return held.get(owner) === shards - moved && held.size === 2;
  });
  const [first, second] = await tenantsBeyond(sql, owner);
  if (first === undefined || second === undefined) throw new Error("no tenant of a moved shard");
  await hooks.call("take");

  process.kill(victim.pid, "SIGKILL");
  const killedAt = nowMs();
  await client.expect("POST", "/events", appendBody(first, 1, killedAt));
  await until("all shards held again", patienceSeconds, async () => {
    return (await holders(sql)).get(owner) === shards;
  });
  const heldMs = nowMs() - killedAt;
  await client.expect("POST", "/events", appendBody(second, 1, nowMs()));
  await until("both events delivered", patienceSeconds, async () => {
    return (await hooks.call("count", { paths: [`/${first}`, `/${second}`] })) >= 2;
  });
  const received = await hooks.call("take");
  const latency = (tenant: string) => received.get(`/${tenant}`)?.latency[0] ?? Number.NaN;
  await victim.stop();
  await survivor.stop();
  return { moved, heldMs, deliveredMs: latency(first), afterwardsMs: latency(second) };
}

/** Shards by who holds them now. */
async function holders(sql: Sql): Promise<Map<string, number>> {
  const rows = await sql<{ owner: string; shards: number }[]>`
    select owner, count(*) as shards from shard_leases
    where owner is not null and expires_at > clock_timestamp() group by owner`;
  return new Map(rows.map(({ owner, shards }) => [owner, shards]));
}

async function onlyHolder(sql: Sql): Promise<string> {
  return [...(await holders(sql)).keys()][0] ?? "";
}

/** Two tenants in shards that another holds. */
async function tenantsBeyond(sql: Sql, owner: string): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select t.name from tenants t join shard_leases s on s.shard = t.shard
    where s.owner <> ${owner} and t.name like 'idle-%' order by t.name limit 2`;
  return rows.map(({ name }) => name);
}

/** Those of all processes together. */
export async function leasedShards(sql: Sql): Promise<number> {
  return [...(await holders(sql)).values()].reduce((sum, shards) => sum + shards, 0);
}
