/**
 * Goal: what is told as undelivered is what a look at every event and row finds, whatever state the
 * tables are in. Method: tenants with endpoints of any filter and position, with any outcomes,
 * retries, blocked subjects and receipts, on both sides of the window's edge; of all tenants
 * together and of each; with rows that tell when their event was and rows that do not; with limits so small that all ways of counting are taken.
 */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createUndeliveredReader } from "../../src/deliveries/undelivered.ts";
import type { Tenant } from "../../src/http/auth.ts";
import { openTestFeed, type TestFeed } from "../support/feed.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import {
  events,
  giveSpecified,
  giveTimedLog,
  undeliveredOf,
  type LaneSpec,
  type Row,
} from "../support/undelivered.ts";

let database: TestDatabase;
let feed: TestFeed;

beforeAll(async () => {
  database = await createTestDatabase();
  feed = await openTestFeed(database.url);
});

afterAll(async () => {
  await feed?.stop();
  await database?.drop();
});

const daySeconds = 86_400;

const unlimited = { shown: 1_000, budgetMs: 60_000 };

const none = fc.constant(undefined);

const row: fc.Arbitrary<Row> = fc.record({
  status: fc.oneof(
    { weight: 4, arbitrary: none },
    {
      weight: 3,
      arbitrary: fc.constantFrom("delivered", "settled", "dead", "expired", "skipped"),
    },
  ),
  retry: fc.oneof(
    { weight: 5, arbitrary: none },
    { weight: 1, arbitrary: fc.constantFrom("plain", "awaiting") },
  ),
});

/** Most that lies before a position has an outcome, and little that lies beyond. */
const rows = fc.oneof(
  fc.array(row, { minLength: events, maxLength: events }),
  fc.constant([]),
  fc
    .tuple(fc.nat(events), fc.array(row, { minLength: events, maxLength: events }))
    .map(([reached, some]) =>
      some.map((each, index) => (index < reached ? { status: "delivered" as const } : each)),
    ),
);

const lane: fc.Arbitrary<LaneSpec> = fc.record({
  filter: fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        { types: ["kind_1.*"] },
        { types: ["kind_1.*", "kind_2.made"], subjects: ["s1", "s2", "s3"] },
        { subjects: ["s4"] },
      ),
    },
  ),
  position: fc.nat(events),
  rows,
  blocked: fc.uniqueArray(fc.tuple(fc.constantFrom("s1", "s2", "s3"), fc.nat(events)), {
    selector: ([subject]) => subject,
    maxLength: 2,
  }),
  confirmed: fc.option(fc.nat(events), { nil: undefined, freq: 3 }),
  moved: fc.boolean(),
  undated: fc.oneof(fc.constant(0), fc.nat(events)),
});

const world = fc.record({
  tenants: fc.array(fc.array(lane, { maxLength: 4 }), { minLength: 1, maxLength: 2 }),
  windowSeconds: fc.oneof(
    fc.integer({ min: 60, max: 3 * daySeconds }),
    fc.constant(30 * daySeconds),
  ),
  limits: fc.constantFrom(
    {},
    { recorded: 0 },
    { recorded: 3, stepEvents: 2 },
    { manyTenants: 0 },
    { manyTenants: 0, recorded: 3, stepEvents: 2 },
  ),
  connections: fc.constantFrom(1, 2),
});

/** Of the rounds before. */
async function forgetAll(): Promise<void> {
  await feed.sql`update heads set at = 'epoch'`;
  // Or some would never tell their times.
  await feed.sql`delete from deliveries`;
  await feed.sql`delete from retries`;
}

test("what is told is what a look at all rows finds", async () => {
  const { sql, database: db } = feed;
  await fc.assert(
    fc.asyncProperty(world, async ({ tenants: specs, windowSeconds, limits, connections }) => {
      await forgetAll();
      const tenants: Tenant[] = [];
      for (const lanes of specs) {
        const tenant = await feed.createTenant();
        tenants.push(tenant);
        await giveTimedLog(sql, tenant);
        for (const spec of lanes) await giveSpecified(sql, tenant, spec);
      }
      const reader = createUndeliveredReader(db.orm, { ...unlimited, ...limits, connections });
      const hasty = createUndeliveredReader(db.orm, {
        ...limits,
        budgetMs: 0,
        lookingMs: 0,
        littleEvents: 0,
      });
      const wanted = { windowSeconds, limit: 1_000 };
      const all = await reader.read({ ...wanted, tenant: undefined });
      let [distinct, deliveries, endpoints] = [0, 0, 0];
      for (const tenant of tenants) {
        const { counts, events: undelivered } = await undeliveredOf(sql, tenant, windowSeconds);
        const told = await reader.read({ ...wanted, tenant: tenant.id });
        expect(told.exact).toBe(true);
        expect(told.events).toBe(undelivered);
        const byEndpoint = new Map(
          told.endpoints.map(
            ({ endpoint, retrying, awaiting, dead, expired, waiting, oldestAt }) => [
              endpoint,
              { retrying, awaiting, dead, expired, waiting, oldestAt },
            ],
          ),
        );
        expect(byEndpoint).toEqual(counts);
        const sum = Array.from(counts.values()).reduce(
          (total, { retrying, dead, waiting }) => total + retrying + dead + waiting,
          0,
        );
        expect([told.deliveries, told.endpointsTotal]).toEqual([sum, counts.size]);
        distinct += undelivered;
        deliveries += sum;
        endpoints += counts.size;

        const quick = await hasty.read({ ...wanted, tenant: tenant.id });
        expect(quick.deliveries).toBeLessThanOrEqual(sum);
        expect(quick.atMost ?? quick.deliveries).toBeGreaterThanOrEqual(sum);
        expect(quick.events).toBeLessThanOrEqual(undelivered);
        if (quick.exact) expect(quick).toEqual({ ...told, asOf: quick.asOf });
      }
      expect([all.exact, all.events, all.deliveries, all.endpointsTotal]).toEqual([
        ...[true, distinct, deliveries, endpoints],
      ]);
    }),
    { numRuns: 20 },
  );
}, 60_000);
