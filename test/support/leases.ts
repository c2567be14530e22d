/** Who holds a shard, for tests that write as the push side does, and what is left of its claims. */
import { randomUUID } from "node:crypto";
import type { Sql } from "../../src/db/database.ts";
import type { Fence } from "../../src/deliveries/ledger.ts";
import type { Tenant } from "../../src/http/auth.ts";

/** The process, and the fence under which it drives a new endpoint. */
export type Claim = { readonly process: string; readonly fence: Fence };

/** Leases the tenant's shard to a process of its own. */
export async function claimEndpoint(sql: Sql, tenant: Tenant, endpoint: string): Promise<Claim> {
  const process = randomUUID();
  const { id, shard } = tenant;
  const [lease] = await sql<[{ epoch: number }]>`
    insert into shard_leases as s (shard, owner, epoch) values (${shard}, ${process}, 1)
    on conflict (shard) do update set owner = excluded.owner, epoch = s.epoch + 1
    returning epoch`;
  const fence = { tenant: id, endpoint, shard, epoch: lease.epoch, generation: 1 };
  return { process, fence };
}

export async function raiseEpoch(sql: Sql, { shard }: Fence): Promise<void> {
  await sql`update shard_leases set epoch = epoch + 1 where shard = ${shard}`;
}

export async function changeOwner(sql: Sql, { shard }: Fence): Promise<void> {
  await sql`update shard_leases set owner = ${randomUUID()} where shard = ${shard}`;
}

export async function raiseGeneration(sql: Sql, { endpoint }: Fence): Promise<void> {
  await sql`update positions set generation = generation + 1 where consumer = ${endpoint}`;
}
