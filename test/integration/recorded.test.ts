/** What is recorded above a lane's position, however much that is, is not pushed again. */
import { expect, test } from "vitest";
import { openDatabase } from "../../src/db/database.ts";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import { readRecorded } from "../../src/push/recorded.ts";
import { recordDeliveries } from "../support/deliveries.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { openPushSuite } from "../support/push-suite.ts";
import { appendMany, repeated, sequencesOf } from "../support/pushes.ts";
import { deadlineMs } from "../support/receipts.ts";

const suite = openPushSuite();

test("parts of what is recorded are all of it, over days and tables", async () => {
  await using database = await createTestDatabase();
  const { sql, stop } = openDatabase(database.url, { connections: 1, name: "test" });
  const { tenant, endpoints } = await recordDeliveries(sql, {
    ...{ daysBack: 2, eventsPerDay: 40, endpoints: 2, share: 0.5 },
  });
  const [{ today }] = await sql<[{ today: string }]>`
    select (max(day) - 2)::text as today from log_days`;
  const [first = "", moved = ""] = endpoints;
  await sql`
    insert into positions (tenant, consumer, sequence, day, last_matched, shard, status, resumed_at)
    select ${tenant}, e, 10, ${today}, 10, 0, 'active', case when e = ${moved} then now() + interval '1 hour' end
    from unnest(${`{${endpoints.join(",")}}`}::uuid[]) e`;
  await sql`
    update deliveries set receipt_status = 'processed', receipt_at = now() + interval '2 hours'
    where endpoint = ${moved} and sequence % 3 = 0`;
  const all = await sql<{ endpoint: string; sequence: number }[]>`
    select endpoint, sequence from deliveries
      where sequence > 10 and (endpoint = ${first} or receipt_status = 'processed')
    union select endpoint, sequence from retries where sequence > 10 order by sequence`;
  let places = endpoints.map((consumer) => ({ consumer, sequence: 10, day: today }));
  const found = new Map(endpoints.map((endpoint): [string, number[]] => [endpoint, []]));
  while (places.length > 0) {
    const parts = await readRecorded(sql, tenant, places, 7);
    for (const [endpoint, { sequences }] of parts) {
      expect(sequences.size).toBeLessThanOrEqual(7);
      found.get(endpoint)?.push(...sequences);
    }
    places = places.flatMap((place) => {
      const { through = Infinity } = parts.get(place.consumer) ?? {};
      return through === Infinity ? [] : [{ ...place, sequence: through }];
    });
  }
  for (const endpoint of endpoints) {
    const own = all.filter((row) => row.endpoint === endpoint).map(({ sequence }) => sequence);
    expect(own.length).toBeGreaterThan(14);
    expect(found.get(endpoint)).toEqual(own);
  }
  await stop();
});

test("a lane passes over more than it holds of it", { timeout: 120_000 }, async () => {
  const { tenant, receiver, id } = await suite.pushTo();
  await suite.client.act(id, "pause");
  for (let n = 0; n < 21; n += 1) await appendMany(suite.client, tenant, repeated("a", 1_000));
  const uuid = endpointUuid(id) ?? "";
  const open = [1, 2, 10_000, 20_500, 20_999];
  await suite.sql`
    insert into deliveries (tenant, endpoint, day, sequence, status, attempts, first_attempt_at,
      last_attempt_at, queue_ms, latency_ms, receipt_status, receipt_at)
    select e.tenant, p.consumer, e.day, e.sequence, 'settled', 0, now(), now(), 0, 0, 'processed', now()
    from positions p join events e on e.tenant = p.tenant
    where p.consumer = ${uuid} and e.sequence <> all(${`{${open.join(",")}}`}::bigint[])
      and e.sequence <> 21000`;
  await suite.sql`
    insert into retries (tenant, endpoint, day, sequence, attempts, due_at, first_attempt_at,
      last_attempt_at)
    select tenant, consumer, day, 21000, 1, now() + interval '1 hour', now(), now()
    from positions where consumer = ${uuid}`;
  await suite.client.act(id, "resume");
  await suite.client.endpointWhen(id, ({ position }) => Number(position) === 21_000, deadlineMs);
  expect(sequencesOf(receiver.requests)).toEqual(open);
});
