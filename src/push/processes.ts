/** Which processes push, and for which shards, as the database has it: of all processes. */
import type { ReadSql } from "../db/read-within.ts";
import { leaseMs } from "./leases.ts";

export type PushProcess = {
  /** Its uuid. */
  readonly id: string;
  readonly shards: readonly number[];
  /** Milliseconds since 1970. */
  readonly renewedAt: number;
  /** It ends, and gives back its shards as its attempts do. */
  readonly isLeaving: boolean;
};

/** Those whose leases have not run out. One that leaves has shards, and asks for none any more. */
export async function readPushProcesses(sql: ReadSql): Promise<PushProcess[]> {
  const rows = await sql<{ id: string; shards: string; expiresAt: number; isLeaving: boolean }[]>`
    select coalesce(p.id, held.owner) as id,
      coalesce(array_to_string(held.shards, ','), '') as shards,
      (extract(epoch from greatest(p.expires_at, held.expires_at)) * 1000)::bigint as "expiresAt",
      p.id is null as "isLeaving"
    from (
      select owner, array_agg(shard order by shard) as shards, max(expires_at) as expires_at
      from shard_leases where owner is not null and expires_at >= clock_timestamp()
      group by owner
    ) held full join (
      select id, expires_at from push_processes where expires_at >= clock_timestamp()
    ) p on p.id = held.owner
    order by 1`;
  return rows.map(({ id, shards, expiresAt, isLeaving }) => ({
    ...{ id, isLeaving, renewedAt: expiresAt - leaseMs },
    shards: shards === "" ? [] : shards.split(",").map(Number),
  }));
}
