/** A log on a database of its own with what reads and tells it, the way the gateway wires them. */

import { randomUUID } from "node:crypto";
import { openDatabase } from "../../src/db/database.ts";
import type { Fanout } from "../../src/fanout/fanout.ts";
import { createMemoryFanout } from "../../src/fanout/memory.ts";
import { createFeed, type Feed } from "../../src/feed/feed.ts";
import { createMarks } from "../../src/feed/marks.ts";
import type { Directory, Principal, Scope, Tenant } from "../../src/http/auth.ts";
import { generateKeyRing, parseKeyRing } from "../../src/keyring.ts";
import { createAppender } from "../../src/log/append.ts";
import { createCursors } from "../../src/log/cursor.ts";
import { tenantPrefix, type TenantId } from "../../src/log/event.ts";
import { createLog } from "../../src/log/log.ts";
import type { NewEvent } from "../../src/log/new-event.ts";
import { createPartitions } from "../../src/log/partitions.ts";
import { fixShards } from "../../src/log/settings.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { unlimited } from "./tenant.ts";

/** What a test says of an event; the rest is filled in. `data` is JSON text. */
export type TestEvent = { type?: string; subject?: string; data?: string };

export type TestFeed = Awaited<ReturnType<typeof openTestFeed>>;

const shards = 256;

/** On a database that was just made, see `createTestDatabase`. */
export async function openTestFeed(
  url: string,
  { fanout = createMemoryFanout() }: { fanout?: Fanout } = {},
) {
  const database = openDatabase(url, { connections: 10, name: "test" });
  const { sql } = database;
  const logger = createLogger({ level: "fatal" });
  await fixShards(sql, shards);
  await createPartitions(sql);
  const log = createLog(sql);
  const { feed, followers } = countFollowers(createFeed({ log, fanout, logger }));
  const cursors = createCursors(parseKeyRing(generateKeyRing()));
  const appender = createAppender({
    sql,
    log: logger,
    tell: (runs) => {
      for (const { tenant, shard, events } of runs) {
        const [first, last] = [events[0]?.sequence ?? 0, events.at(-1)?.sequence ?? 0];
        fanout.publish([{ kind: "events", tenant, shard, first, last, events }]);
      }
    },
  });
  const tenants = new Map<string, Tenant>();
  const marks = createMarks({ log, cursors });
  const keys = createTestDirectory(tenants);

  return {
    ...{ database, sql, log, logger, feed, followers, cursors, marks, ...keys },
    ...{ createTenant, append, envelopes, stop },
    [Symbol.asyncDispose]: stop,
  };

  /** A tenant with so many events. */
  async function createTenant(events = 0): Promise<Tenant> {
    const name = `acme_${tenants.size + 1}`;
    const shard = tenants.size % shards;
    const tenant = { id: randomUUID() as TenantId, name, shard, ...unlimited };
    await sql`insert into tenants (id, name, shard) values (${tenant.id}, ${name}, ${tenant.shard})`;
    await sql`insert into heads (tenant) values (${tenant.id})`;
    tenants.set(name, tenant);
    if (events > 0) await append(tenant, ...Array.from({ length: events }, () => ({})));
    return tenant;
  }

  /** Appends, and resolves with the ids. */
  async function append(tenant: Tenant, ...events: TestEvent[]): Promise<string[]> {
    const results = await appender.append(events.map((event) => newEvent(tenant, event)));
    return results.map((result) => {
      if (result.kind !== "appended") throw new Error(`append: ${result.kind}`);
      return result.id;
    });
  }

  /** All of the tenant's, as they are stored. */
  async function envelopes({ id }: Tenant): Promise<string[]> {
    const rows = await sql<{ envelope: string }[]>`
      select envelope from events where tenant = ${id} order by sequence`;
    return rows.map((row) => row.envelope);
  }

  async function stop(): Promise<void> {
    await feed.stop();
    await fanout.stop();
    await database.stop();
  }
}

/** The same feed, and how many follow it. */
function countFollowers(feed: Feed) {
  let count = 0;
  const follow: Feed["follow"] = (...given) => {
    const unfollow = feed.follow(...given);
    count += 1;
    return () => {
      count -= 1;
      unfollow();
    };
  };
  return { feed: { ...feed, follow }, followers: () => count };
}

/** The key of a tenant with one scope, as the directory of a test knows it. */
export function keyOf(tenant: Tenant, scope: Scope = "read"): string {
  return `${tenant.name}-${scope}`;
}

export function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Knows the key `operator` and, for each tenant, `<tenant>-<scope>`, until one is revoked. */
function createTestDirectory(tenants: ReadonlyMap<string, Tenant>) {
  const revoked = new Set<string>();
  const directory: Directory = {
    async authenticate(token): Promise<Principal | undefined> {
      if (revoked.has(token)) return undefined;
      if (token === "operator") return { kind: "operator", keyId: "key_operator" };
      const [, name = "", scope = ""] = /^(.+)-(\w+)$/.exec(token) ?? [];
      const tenant = tenants.get(name);
      if (tenant === undefined) return undefined;
      const scopes = new Set([scope as Scope]);
      return { kind: "tenant", keyId: `key_${token}`, tenant, scopes, expiresAt: null };
    },
    tenantByName: async (name) => tenants.get(name),
  };
  return {
    directory,
    revoke: (token: string) => revoked.add(token),
    tenantByPrefix: async (prefix: string) =>
      [...tenants.values()].find((tenant) => tenantPrefix(tenant.id) === prefix),
  };
}

function newEvent(tenant: Tenant, { type = "order.created", subject, data = "{}" }: TestEvent) {
  const subjectMember = subject === undefined ? "" : `"subject":${JSON.stringify(subject)},`;
  return {
    tenant: tenant.id,
    shard: tenant.shard,
    type,
    subject: subject ?? null,
    key: null,
    digest: null,
    start: `"source":"/tenants/${tenant.name}","type":"${type}",`,
    time: null,
    middle: `${subjectMember}"datacontenttype":"application/json","dataversion":"1","tenant":"${tenant.name}",`,
    content: `,"data":${data}`,
  } satisfies NewEvent;
}
