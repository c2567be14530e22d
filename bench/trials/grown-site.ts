/** A database filled to a size, and what the trial `grown` needs to know of it. */
import { migrate, type Sql } from "../../src/db/database.ts";
import type { Tenant } from "../../src/http/auth.ts";
import { parseKeyRing } from "../../src/keyring.ts";
import { createCursors } from "../../src/log/cursor.ts";
import type { TenantId } from "../../src/log/event.ts";
import { shardOf } from "../../src/control/tenants/tenants.ts";
import type { Worker } from "../worker.ts";
import type { HookOperations } from "../workers/hooks.ts";
import { seedCrowd } from "./crowd.ts";
import { seededFingerprint, seedLogs, settleDatabase, type SeededLogs } from "./seed.ts";
import type { Stage } from "./stage.ts";
import { count, mebibytes } from "./trial.ts";

/** As many as there are unless one is configured. */
export const shards = 256;

/** Days of the log that pages are read from. */
const days = 5;

/** What a cursor says of its filter when there is none. */
const everything = new Uint8Array(7);

export type Size = {
  /** Tenants with an endpoint each; every other one has so many events, all delivered. */
  readonly crowd: number;
  readonly events: number;
  /** Of one log beside them. */
  readonly log: number;
};

export type Site = {
  readonly name: string;
  readonly databaseUrl: string;
  readonly sql: Sql;
  readonly hooks: Worker<HookOperations>;
  /** Cursors of the log, a page apart, from some place in it on. */
  cursors(from: number, pages: number): string[];
  /** Places of the log from which so many events follow on the same day. */
  readonly places: number;
};

/** The tenants whose logs are filled: one to read, and one to push. */
export const readTenant = "read";
export const pushTenant = "push";

/** A place to read from is followed by so many events, and as many are pushed. */
export const pageEvents = 1_000;

export async function openSite(
  stage: Stage,
  given: { name: string; databaseUrl: string; size: Size; pages: number; pushed: number },
): Promise<Site> {
  const { name, databaseUrl, size, pages, pushed } = given;
  const startedAt = performance.now();
  const hooks = stage.startWorker<HookOperations>("hooks");
  const origin = await hooks.call("open");
  await migrate(databaseUrl);
  const sql = stage.connect(databaseUrl);
  const { crowd, events } = size;
  await seedCrowd(databaseUrl, { secrets: stage.secrets, shards, size: crowd, events, origin });
  const reads = await insertTenant(sql, readTenant);
  const log = await seedLogs(databaseUrl, {
    ...{ tenants: [reads], days, perDay: Math.round(size.log / days) },
  });
  const pushes = await insertTenant(sql, pushTenant);
  await seedLogs(databaseUrl, { tenants: [pushes], days: 1, perDay: pushed });
  await settleDatabase(databaseUrl);
  const [{ bytes, stored }] = await sql<[{ bytes: number; stored: number }]>`
    select pg_database_size(current_database()) as bytes, sum(head) as stored from heads`;
  const seconds = (performance.now() - startedAt) / 1_000;
  stage.say(
    `${name}: ${count(crowd)} endpoints, ${count(Number(stored))} events, ` +
      `${mebibytes(bytes)}, in ${seconds.toFixed(0)} s`,
  );
  const places = log.perDay - pages * pageEvents;
  return {
    ...{ name, databaseUrl, sql, hooks, places },
    cursors: (from, some) => cursorsOf(stage, { tenant: reads.id, log, from, pages: some }),
  };
}

/** As the gateway makes one, whose keys this database has not. */
async function insertTenant(sql: Sql, name: string): Promise<Pick<Tenant, "id" | "name">> {
  const id = crypto.randomUUID() as TenantId;
  await sql`insert into tenants (id, name, shard) values (${id}, ${name}, ${shardOf(id, shards)})`;
  await sql`insert into heads (tenant) values (${id})`;
  return { id, name };
}

/** On the newest day. */
function cursorsOf(
  stage: Stage,
  given: { tenant: TenantId; log: SeededLogs; from: number; pages: number },
): string[] {
  const { tenant, log, from, pages } = given;
  const minted = createCursors(parseKeyRing(stage.secrets));
  const day = log.days.at(-1) ?? "";
  const first = (log.days.length - 1) * log.perDay + 1 + from;
  return Array.from({ length: pages + 1 }, (_, page) => {
    const sequence = first + page * pageEvents;
    const fingerprint = seededFingerprint(sequence);
    const position = { sequence, day };
    return minted.mint({ tenant, position, fingerprint, filter: everything });
  });
}
