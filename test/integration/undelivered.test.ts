/** What a gateway tells of undelivered events, of real pushes and of states that they can leave. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase, type Database } from "../../src/db/database.ts";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import { createUndeliveredReader } from "../../src/deliveries/undelivered.ts";
import type { Tenant } from "../../src/http/auth.ts";
import type { Json } from "../support/client.ts";
import { range } from "../support/feed.ts";
import { openPushSuite } from "../support/push-suite.ts";
import {
  confirm,
  events,
  giveSpecified,
  giveTimedLog,
  perDay,
  type LaneSpec,
} from "../support/undelivered.ts";

const suite = openPushSuite({ TIDEGATE_RETENTION_DAYS: "7" });

let database: Database;

beforeAll(() => {
  database = openDatabase(suite.gateway.databaseUrl, { connections: 2, name: "test" });
});

afterAll(() => database?.stop());

const deadlineMs = 20_000;

type Told = {
  readonly exact: boolean;
  readonly undelivered: number;
  readonly deliveries: number;
  readonly endpoints: readonly Json[];
};

async function told(query: Record<string, string>): Promise<Told> {
  const target = `/stats/undelivered?${new URLSearchParams(query).toString()}`;
  return (await suite.client.expectOk("GET", target)) as unknown as Told;
}

async function toldWhen(query: Record<string, string>, wanted: Json): Promise<Told> {
  await expect.poll(() => told(query), { timeout: deadlineMs }).toMatchObject(wanted);
  return told(query);
}

/** A tenant with a log of three days and one endpoint in this state. */
async function laneThat(spec: Partial<LaneSpec>) {
  const name = await suite.newTenant();
  const [tenant] = await suite.sql<[Tenant]>`
    select id, name, shard from tenants where name = ${name}`;
  await giveTimedLog(suite.sql, tenant);
  const lane = await giveSpecified(suite.sql, tenant, {
    ...{
      filter: {},
      position: 0,
      rows: [],
      blocked: [],
      confirmed: undefined,
      moved: false,
      undated: 0,
    },
    ...spec,
  });
  return { ...lane, query: { tenant: name, window: "4d" } };
}

const outcome = (status: "delivered" | "skipped" | "dead", count: number) =>
  range(1, count).map(() => ({ status }));

describe("what real pushes leave undelivered", () => {
  test("is retried, dead, or waits for a receipt, and nothing that was delivered", async () => {
    const tenant = await suite.newTenant();
    const add = async (behaviour: number, settings: Json) => {
      const receiver = await suite.receiverThat({ kind: "answer", status: behaviour });
      const { id } = await suite.client.createEndpoint(tenant, { url: receiver.url, ...settings });
      return id;
    };
    await add(200, {});
    const dead = await add(400, { retry_schedule: [] });
    const retrying = await add(400, { retry_schedule: ["1h"], types: ["order.*"] });
    const accepting = await add(200, { require_receipt: true, receipt_timeout_ms: 3_600_000 });
    const paused = await add(200, { types: ["invoice.*"], subjects: ["a"] });
    await suite.client.act(paused, "pause");
    await suite.gateway.append(
      tenant,
      ...["order.created", "order.paid", "invoice.sent"].map((type) => ({ type, subject: "a" })),
      { type: "invoice.sent", subject: "b" },
    );
    const { endpoints } = await toldWhen(
      { tenant },
      {
        ...{ window_seconds: 3_600, exact: true, undelivered: 4, deliveries: 11 },
        ...{
          retrying: 6,
          awaiting_receipt: 4,
          dead: 4,
          expired: 0,
          waiting: 1,
          endpoints_total: 4,
        },
      },
    );
    expect(endpoints.map(({ id, deliveries }) => [id, deliveries])).toEqual(
      expect.arrayContaining([...[[dead, 4] as const, [retrying, 2], [accepting, 4]], [paused, 1]]),
    );
    expect(endpoints.at(-1)).toMatchObject({ id: paused, tenant, status: "paused", waiting: 1 });

    const [worst] = (await told({ tenant, limit: "1" })).endpoints;
    expect(worst?.["deliveries"]).toBe(4);
    // The window moves on.
    await toldWhen({ tenant, window: "1s" }, { undelivered: 0, deliveries: 0, endpoints: [] });
  });

  test("is what blocked subjects hold, and goes when it is delivered", async () => {
    const { tenant, receiver } = await suite.pushTo(
      ({ body }) => ({ kind: "answer", status: body.includes('"subject":"bad"') ? 503 : 200 }),
      { ordering: "subject", retry_schedule: ["2s", "1s"] },
    );
    const subjects = range(1, 12).map((n) => ({ subject: n % 3 === 0 ? "bad" : `s${n}` }));
    await suite.gateway.append(tenant, ...subjects);
    await toldWhen({ tenant }, { undelivered: 4, retrying: 1, waiting: 3, exact: true });
    receiver.behave({ kind: "answer" });
    await toldWhen({ tenant }, { undelivered: 0, deliveries: 0 });
  });
});

describe("of any state", () => {
  test("what was moved back waits, but for what was delivered or is dead", async () => {
    const rows = [...outcome("delivered", 5), ...outcome("skipped", 4), ...outcome("dead", 2)];
    const { query } = await laneThat({ position: 2, rows, moved: true });
    const waiting = events - 5 - 2;
    expect(await told(query)).toMatchObject({ waiting, dead: 2, undelivered: waiting + 2 });
  });

  test("what a receipt has settled is done, although its rows have not all gone", async () => {
    const rows = outcome("dead", 10);
    const lane = await laneThat({ position: events, rows, blocked: [["s1", 0]] });
    const before = await told(lane.query);
    expect(before).toMatchObject({ dead: 10, undelivered: before.deliveries });
    await confirm(suite.sql, lane, 9);
    const held = range(11, events).filter((n) => n % 5 === 1).length;
    expect(await told(lane.query)).toMatchObject({ dead: 1, waiting: held });
    await suite.sql`update positions set resumed_at = now() where consumer = ${lane.uuid}`;
    expect(await told(lane.query)).toMatchObject({ dead: 10, deliveries: before.deliveries });
  });

  test("only what was appended in the window is counted", async () => {
    const { query, tenant } = await laneThat({ rows: outcome("dead", 3) });
    expect(await told(query)).toMatchObject({ dead: 3, waiting: events - 3 });
    const [today] = await suite.sql<[{ events: number; seconds: number; oldest: string }]>`
      select count(*) as events, min(appended_at) as oldest,
        ceil(extract(epoch from now() - min(appended_at)))::int as seconds
      from events where tenant = ${tenant.id} and day = (
        select max(day) from events where tenant = ${tenant.id})`;
    expect(today.events).toBe(perDay);
    // A second more than reaches to the first event of today, while the one before is an hour away.
    const within = await told({ ...query, window: `${today.seconds + 1}s` });
    expect(within).toMatchObject({ dead: 0, waiting: perDay, undelivered: perDay });
    const oldestAt = new Date(today.oldest).toISOString();
    expect(within.endpoints[0]).toMatchObject({ oldest_at: oldestAt });
  });

  test("an answer that there was no time for is a lower bound, and tells the upper one", async () => {
    const filtered = await laneThat({ filter: { types: ["kind_1.*"] }, position: 2 });
    const { tenant } = filtered;
    await giveSpecified(suite.sql, tenant, {
      ...{ filter: {}, position: events - 3, rows: [], blocked: [], confirmed: undefined },
      moved: false,
      undated: 0,
    });
    const asked = { tenant: tenant.id, windowSeconds: 4 * 86_400, limit: 10 };
    const matching = range(3, events).filter((n) => n % 3 === 1).length;
    const whole = await createUndeliveredReader(database.orm).read(asked);
    expect(whole).toMatchObject({ exact: true, deliveries: matching + 3, waiting: matching + 3 });
    const hasty = await createUndeliveredReader(database.orm, {
      budgetMs: 0,
      lookingMs: 0,
      littleEvents: 0,
    }).read(asked);
    expect(hasty).toMatchObject({
      ...{ exact: false, deliveries: 3, events: 3, atMost: 3 + events - 2 },
      endpoints: [{ exact: true }, { endpoint: filtered.uuid, exact: false, waiting: 0 }],
    });
  });

  test("a half that fails is told as it failed, whatever becomes of the other", async () => {
    const { tenant } = await laneThat({ filter: { types: ["kind_1.*"] }, position: 2 });
    const held = Promise.withResolvers<void>();
    const taken = Promise.withResolvers<void>();
    const holding = database.sql.begin(async () => {
      taken.resolve();
      await held.promise;
    });
    await taken.promise;
    // No statement takes half an event.
    const limits = { stepEvents: 0.5, connections: 2 };
    const failed = createUndeliveredReader(database.orm, limits)
      .read({ tenant: tenant.id, windowSeconds: 4 * 86_400, limit: 10 })
      .catch((error: unknown) => (error as Error).cause);
    // The other half waits for the connection until the state is gone that it was to see.
    await expect
      .poll(
        () => suite.sql`
        select from pg_stat_activity
        where datname = current_database() and state like '%(aborted)'`,
      )
      .toHaveLength(1);
    held.resolve();
    await holding;
    expect(String(await failed)).toMatch(/0\.5/);
    expect(
      await createUndeliveredReader(database.orm, { connections: 2 }).read({
        ...{ tenant: tenant.id, windowSeconds: 4 * 86_400, limit: 10 },
      }),
    ).toMatchObject({ exact: true });
  });
});

describe("who asks", () => {
  test("learns of no other tenant, but as an operator of all", async () => {
    const lanes = [await laneThat({}), await laneThat({ rows: outcome("dead", events) })];
    const all = (await told({ window: "4d", limit: "1000" })).endpoints;
    for (const { query, name, tenant } of lanes) {
      const alone = await told(query);
      expect(alone).toMatchObject({ undelivered: events, deliveries: events });
      expect(alone.endpoints.map(({ id }) => id)).toEqual([name]);
      expect(all).toContainEqual(alone.endpoints[0]);
      expect(all.filter(({ tenant: its }) => its === tenant.name)).toHaveLength(1);
      const key = await suite.gateway.createKey(tenant.name);
      const own = await suite.gateway.call("GET", "/stats/undelivered?window=4d", { key });
      expect(own.json).toMatchObject({ endpoints: alone.endpoints });
      const weak = await suite.gateway.createKey(tenant.name, ["receive"]);
      const refused = await suite.gateway.call("GET", "/stats/undelivered", { key: weak });
      expect([refused.status, refused.slug]).toEqual([403, "scope-missing"]);
    }
    expect(all.every(({ id }) => endpointUuid(String(id)) !== undefined)).toBe(true);
  });

  test.each(["0h", "1w", "8d", "-1h", "1.5h", "168h0", "", "99999999d"])(
    "is told that %o is no window",
    async (window) => {
      const { status } = await suite.gateway.call("GET", `/stats/undelivered?window=${window}`);
      expect(status).toBe(400);
    },
  );
});
