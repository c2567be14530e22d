/** Operational events: in the feed of the tenant that asked, told once, and never without end. */
import { describe, expect, test } from "vitest";
import { openDatabase } from "../../src/db/database.ts";
import { createFallingBehindChore } from "../../src/deliveries/falling-behind.ts";
import { endpointDisabled } from "../../src/deliveries/notice.ts";
import { createNotices } from "../../src/deliveries/notices.ts";
import { createAppender } from "../../src/log/append.ts";
import type { TenantId } from "../../src/log/event.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createClient, type Client, type Json, type ShownEndpoint } from "../support/client.ts";
import { startTestGateway } from "../support/gateway.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { startProxy } from "../support/proxy.ts";
import { openPushSuite } from "../support/push-suite.ts";
import { appendMany, repeated } from "../support/pushes.ts";
import { receiptsOf } from "../support/receipts.ts";
import type { Behaviour, Received } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

type Told = { id: string; type: string; source: string; subject: string; data: Json };

const down: Behaviour = { kind: "answer", status: 503 };
const up: Behaviour = { kind: "answer" };

/** Faults in a row that open a circuit, see circuit.ts. */
const runThatOpens = 8;

const suite = openPushSuite();
const { pushTo, newTenant } = suite;
const { when } = receiptsOf(() => suite.client);

async function ask(tenant: string, ...types: string[]): Promise<void> {
  await suite.client.expectOk("PUT", "/operational-events", { tenant, types });
}

/** What was told in the tenant's feed so far. */
async function toldTo(tenant: string, client: Client = suite.client): Promise<Told[]> {
  const events = await client.readAll(tenant);
  return events.filter(({ type }) => type.startsWith("tidegate.")) as unknown as Told[];
}

/** As soon as there is one of this type. */
async function toldOf(tenant: string, type: string, client?: Client): Promise<Told> {
  const what = `an event ${type}`;
  const find = async () => (await toldTo(tenant, client)).find((told) => told.type === type);
  return waitUntil(find, { deadlineMs: 15_000, what });
}

function isOurs({ body }: Received): boolean {
  return (JSON.parse(body.toString()) as Told).type.startsWith("tidegate.");
}

function isOpen({ circuit }: ShownEndpoint): boolean {
  return circuit.state !== "closed";
}

describe("what a tenant asks for", () => {
  test("it chooses itself, and its operator sees and chooses too", async () => {
    const tenant = await newTenant();
    const own = createClient(suite.gateway.url, await suite.client.tenantKey(tenant));
    expect((await own.expectOk("GET", "/operational-events"))["types"]).toEqual([]);
    const types = ["tidegate.endpoint.*", "tidegate.delivery.expired"];
    const put = await own.expectOk("PUT", "/operational-events", { types });
    expect(put["types"]).toEqual(types.toSorted());
    expect(await own.expectOk("GET", "/operational-events")).toEqual(put);

    const path = `/tenants/${tenant}`;
    const operator = suite.client;
    // It sets up its tenants again and again, and does not undo what they chose.
    const again = await operator.expectOk("PUT", path, { name: "Acme" });
    expect(again["operational_events"]).toEqual(types.toSorted());
    const patched = await operator.expectOk("PATCH", path, { operational_events: ["tidegate.*"] });
    expect(patched["operational_events"]).toEqual(["tidegate.*"]);
    expect((await own.expectOk("GET", "/operational-events"))["types"]).toEqual(["tidegate.*"]);
    await operator.expectOk("PUT", path, { operational_events: [] });
    expect((await own.expectOk("GET", "/operational-events"))["types"]).toEqual([]);
  });

  test.each([
    "order.*",
    "*",
    "tidegate",
    "tidegate.test",
    "tidegate.endpoint.*.*",
    "tidegate.orders.*",
  ])("cannot be %s, which matches none of them", async (type) => {
    const tenant = await newTenant();
    const path = `/operational-events?tenant=${tenant}`;
    const { status, json } = await suite.client.call("PUT", path, { types: [type] });
    expect(status).toBe(422);
    expect(json["errors"]).toMatchObject([{ pointer: "/types/0" }]);
    const settings = { operational_events: [type] };
    expect((await suite.client.call("PATCH", `/tenants/${tenant}`, settings)).status).toBe(422);
  });
});

describe("an endpoint that is down and comes back", () => {
  test("is told of to the tenant that asked, and to no other", async () => {
    const [asking, other, choosy] = [await pushTo(down), await pushTo(down), await pushTo(down)];
    await ask(asking.tenant, "tidegate.*");
    await ask(choosy.tenant, "tidegate.consumer.*", "tidegate.endpoint.circuit_closed");
    const all = [asking, other, choosy];
    for (const { tenant } of all) await appendMany(suite.client, tenant, repeated("a", 20));
    const opened = await toldOf(asking.tenant, "tidegate.endpoint.circuit_opened");
    const shown = await suite.client.endpoint(asking.id);
    expect(opened).toMatchObject({
      ...{ source: `/tidegate/endpoints/${asking.id}`, subject: asking.id, tenant: asking.tenant },
      data: {
        ...{ endpoint: asking.id, url: new URL(asking.receiver.url).origin, suppressed: 0 },
        last_error: "http: status 503",
      },
    });
    expect(Date.parse(String(opened.data["outage_since"]))).toBeLessThanOrEqual(
      Date.parse(String(opened.data["since"])),
    );
    expect(isOpen(shown)).toBe(true);
    for (const { id } of all) await suite.client.endpointWhen(id, isOpen);

    for (const { receiver } of all) receiver.behave(up);
    const closed = await toldOf(asking.tenant, "tidegate.endpoint.circuit_closed");
    expect(closed.data).toMatchObject({
      ...{ endpoint: asking.id, opened_at: opened.data["since"] },
      outage_since: opened.data["outage_since"],
    });
    await toldOf(choosy.tenant, "tidegate.endpoint.circuit_closed");
    await suite.client.endpointWhen(other.id, (endpoint) => !isOpen(endpoint));
    expect((await toldTo(asking.tenant)).map(({ type }) => type)).toEqual([
      "tidegate.endpoint.circuit_opened",
      "tidegate.endpoint.circuit_closed",
    ]);
    expect(await toldTo(choosy.tenant)).toHaveLength(1);
    expect(await toldTo(other.tenant)).toEqual([]);
    // It is about itself, and gets it like any other event.
    await waitUntil(() => asking.receiver.requests.filter(isOurs).length === 2);
  });

  test("is not told of again by a process that takes over", async () => {
    await using shared = await createTestDatabase();
    await using first = await startTestGateway({ DATABASE_URL: shared.url });
    const client = createClient(first.url, first.operatorKey);
    await client.expectOk("PUT", "/tenants/acme", { operational_events: ["tidegate.*"] });
    const receiver = await suite.receiverThat(down);
    const { id } = await client.createEndpoint("acme", { url: receiver.url });
    await appendMany(client, "acme", repeated("a", 20));
    await toldOf("acme", "tidegate.endpoint.circuit_opened", client);
    await first.stop();

    await using next = await startTestGateway(first.environment);
    const again = createClient(next.url, next.operatorKey);
    const count = receiver.requests.length;
    await receiver.received(count + 1, 15_000); // a probe
    receiver.behave(up);
    await toldOf("acme", "tidegate.endpoint.circuit_closed", again);
    await again.endpointWhen(id, ({ lag, retrying }) => lag.events === 0 && retrying === 0, 15_000);
    expect(await toldTo("acme", again)).toHaveLength(2);
  });
});

describe("an endpoint whose receiver", () => {
  test("is gone is told to be disabled, each time that it is", async () => {
    const { tenant, id, receiver } = await pushTo({ kind: "answer", status: 410 });
    await ask(tenant, "tidegate.endpoint.disabled");
    await appendMany(suite.client, tenant, ["a"]);
    const { data } = await toldOf(tenant, "tidegate.endpoint.disabled");
    expect(data).toMatchObject({ endpoint: id, reason: "410 Gone", suppressed: 0 });
    await suite.client.act(id, "resume");
    await waitUntil(async () => (await toldTo(tenant)).length === 2);
    receiver.behave(up);
    await suite.client.act(id, "resume");
    await suite.client.endpointWhen(id, ({ lag, retrying }) => lag.events + retrying === 0);
    expect(await toldTo(tenant)).toHaveLength(2);
  });

  test("wants no event has its dead letters told together, and none of that telling", async () => {
    const headers = { "webhook-delivery": "abort-message" };
    const { tenant, id } = await pushTo({ kind: "answer", status: 400, headers });
    await ask(tenant, "tidegate.*");
    const events = await appendMany(suite.client, tenant, repeated("a", 150));
    const { data } = await toldOf(tenant, "tidegate.delivery.dead_lettered");
    const deliveries = data["deliveries"] as Json[];
    expect(deliveries.length).toBeLessThanOrEqual(100);
    const [named] = deliveries;
    const { event, id: delivery } = named as { event: Json; id: string };
    expect(events).toContain(event["id"]);
    expect(await suite.client.expectOk("GET", `/deliveries/${delivery}`)).toMatchObject({
      ...{ endpoint: id, status: "dead", attempts: named?.["attempts"] },
      event: { id: event["id"] },
    });
    // The notices died as well. One more may come between two looks, and dies a moment later.
    const told = await waitUntil(
      async () => {
        const notices = await toldTo(tenant);
        const { dead, lag } = await suite.client.endpoint(id);
        return notices.length > 0 && lag.events === 0 && dead === 150 + notices.length && notices;
      },
      { deadlineMs: 10_000, what: "a dead letter for each event and each notice" },
    );
    const counts = told.map((each) => Number(each.data["count"]));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(150);
  });
});

test("deliveries that receipts gave up are told together, and none of that telling", async () => {
  const settings = { require_receipt: true, retry_schedule: [] };
  const { tenant, id, receiver } = await pushTo(up, settings);
  await ask(tenant, "tidegate.*");
  const events = await appendMany(suite.client, tenant, repeated("a", 3));
  await when(id, ({ awaiting_receipt: waiting }) => waiting?.length === 3);
  await fail(events);
  const { data, id: told } = await toldOf(tenant, "tidegate.delivery.dead_lettered");
  expect(data).toMatchObject({
    ...{ endpoint: id, url: new URL(receiver.url).origin, count: 3 },
    deliveries: events.map((event) => ({
      ...{ attempts: 1, error: "receipt: broken (1 attempt failed)" },
      event: { id: event, type: "a" },
    })),
  });
  await when(id, ({ awaiting_receipt: waiting }) => waiting?.length === 1);
  await fail([told]);
  await suite.client.endpointWhen(id, ({ dead }) => dead === 4);
  expect(await toldTo(tenant)).toHaveLength(1);

  async function fail(some: readonly string[]): Promise<void> {
    const receipt = { endpoint: id, events: some, status: "failed", detail: "broken" };
    const { results } = await suite.client.expectOk("POST", "/receipts", receipt);
    expect(results).toEqual(some.map((event) => ({ event, outcome: "dead" })));
  }
});

test("deliveries whose events retention took are told together", async () => {
  const { tenant, id } = await pushTo({ kind: "answer", status: 400 }, { retry_schedule: ["1s"] });
  await ask(tenant, "tidegate.delivery.expired");
  await appendMany(suite.client, tenant, repeated("a", 3));
  await suite.client.endpointWhen(id, ({ retrying }) => retrying === 3);
  await suite.client.act(id, "pause");
  await suite.sql`delete from events where tenant =
    (select id from tenants where name = ${tenant}) and sequence <= 2`;
  await suite.client.act(id, "resume");
  const { data } = await toldOf(tenant, "tidegate.delivery.expired");
  expect(data).toMatchObject({ endpoint: id, count: 2 });
  const [first] = data["deliveries"] as { id: string; event: Json }[];
  expect(first?.event).toEqual({ id: null, type: null, sequence: 1 });
  expect(first?.id).toMatch(/^dlv_/);
  const expired = await suite.sql`select from deliveries where status = 'expired'`;
  expect(expired).toHaveLength(2);
});

describe("a notice", () => {
  test("adds nothing when it is told again", async () => {
    const { tell, tenant } = await openNotices("tidegate.*");
    for (const generation of [1, 2, 1, 2, 1]) tell(generation);
    await waitUntil(async () => (await toldTo(tenant)).length === 2);
    for (const generation of [1, 2, 3]) tell(generation);
    await waitUntil(async () => (await toldTo(tenant)).length === 3);
  });

  test("is left out when there are too many, and counted in the next one", async () => {
    const { tell, tenant } = await openNotices("tidegate.endpoint.*");
    for (let generation = 1; generation <= 200; generation += 1) tell(generation);
    await waitUntil(async () => (await toldTo(tenant)).length >= 60);
    let next = 200;
    const last = await waitUntil(
      async () => {
        tell((next += 1));
        return (await toldTo(tenant)).find(({ data }) => Number(data["suppressed"]) > 0);
      },
      { deadlineMs: 15_000 },
    );
    expect(Number(last.data["suppressed"])).toBeGreaterThan(100);
    expect((await toldTo(tenant)).length).toBeLessThan(100);
  });

  test("that cannot be appended holds nobody up who stops", { timeout: 10_000 }, async () => {
    await using proxy = await startProxy(suite.gateway.databaseUrl);
    const { sql, stop } = openDatabase(proxy.url, { connections: 1, name: "test" });
    await sql`select`;
    proxy.silence();
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const log = createLogger({ level: "warn", destination });
    const notices = createNotices({ sql, log, append: () => Promise.resolve([]) });
    const tenant = crypto.randomUUID() as TenantId;
    const endpoint = { tenant, id: crypto.randomUUID(), name: "ep_1", url: "https://a.example/" };
    const disabled = { generation: 1, reason: "410 Gone", at: 0 };
    notices.tell(tenant, endpointDisabled(endpoint, disabled));
    await notices.stop(100);
    expect(lines.map((line) => JSON.parse(line) as Json)).toMatchObject([
      { notices: 1, msg: "operational events left out" },
    ]);
    await stop();
  });
});

describe("a consumer that takes nothing for a day", () => {
  test("is told of once, and again only when it has caught up in between", async () => {
    const { tenant, id, notices } = await openNotices("tidegate.consumer.*");
    const { client, sql } = suite;
    const filter = `tenant=${tenant}`;
    await client.expectOk("PUT", `/consumers/warehouse?${filter}`, { start: "earliest" });
    await client.expectOk("PUT", `/consumers/idle?${filter}`, { start: "earliest" });
    const { id: endpoint } = await client.createEndpoint(tenant, { url: "http://127.0.0.1:1/" });
    await client.act(endpoint, "poll");
    const unasked = await newTenant();
    await client.expectOk("PUT", `/consumers/warehouse?tenant=${unasked}`, { start: "earliest" });
    for (const name of [tenant, unasked]) await appendMany(client, name, repeated("a", 3));
    await lookForLate(notices.tell);
    await makeYesterdays();
    await lookForLate(notices.tell);
    await waitUntil(async () => (await toldTo(tenant)).length === 3);
    const told = await toldTo(tenant);
    expect(told.map(({ subject }) => subject).toSorted()).toEqual([endpoint, "idle", "warehouse"]);
    expect(told.find(({ subject }) => subject === "idle")).toMatchObject({
      source: "/tidegate/consumers/idle",
      data: { consumer: "idle", lag: { events: expect.any(Number) }, lost: 0, suppressed: 0 },
    });
    // What was told is new to all of them, and makes none late; what waited still waits.
    await makeYesterdays();
    await lookForLate(notices.tell);

    // One takes all there is, and then nothing any more.
    const page = await client.expectOk("GET", `/consumers/warehouse/events?${filter}`);
    const { cursor } = page;
    await client.expectOk("POST", `/consumers/warehouse/ack?${filter}`, { cursor });
    await lookForLate(notices.tell);
    await appendMany(client, tenant, ["a"]);
    await makeYesterdays();
    await lookForLate(notices.tell);
    await waitUntil(async () => (await toldTo(tenant)).length === 4);
    expect((await toldTo(tenant)).at(-1)).toMatchObject({ subject: "warehouse" });
    expect(await toldTo(unasked)).toEqual([]);

    /** All of this tenant, in the day that has begun before it. */
    async function makeYesterdays(): Promise<void> {
      await sql`update events set day = current_date - 1, appended_at = now() - interval '25 hours'
        where tenant = ${id}`;
      await sql`update positions set day = current_date - 1 where tenant = ${id}`;
      await sql`delete from append_keys where tenant = ${id}`;
      await sql`delete from log_days where tenant = ${id} and day = current_date
        and exists (select from log_days where tenant = ${id} and day < current_date)`;
      await sql`update log_days set day = current_date - 1, first_at = now() - interval '25 hours'
        where tenant = ${id}`;
      await sql`update heads set day = current_date - 1, at = now() - interval '25 hours'
        where tenant = ${id}`;
    }
  });
});

describe("an endpoint that is sent what is told of it", () => {
  // With other odds, see test/unit/operational-loop.test.ts.
  test("and refuses and accepts that in turns does not keep itself going", async () => {
    const { tenant, tell } = await openNotices("tidegate.*");
    for (let generation = 1; generation <= 40; generation += 1) tell(generation);
    await waitUntil(async () => (await toldTo(tenant)).length === 40);
    let refused = 0;
    const receiver = await suite.receiverThat(() => {
      const isTaken = refused === runThatOpens;
      refused = isTaken ? 0 : refused + 1;
      return isTaken ? up : down;
    });
    const settings = { url: receiver.url, start: "earliest" };
    const { id } = await suite.client.createEndpoint(tenant, settings);
    await receiver.received(3 * runThatOpens + 2, 15_000);
    await suite.client.endpointWhen(id, isOpen);
    // It has opened three times and closed twice.
    await toldOf(tenant, "tidegate.endpoint.circuit_closed");
    expect((await toldTo(tenant)).map(({ type }) => type).slice(40)).toEqual([
      "tidegate.endpoint.circuit_opened",
      "tidegate.endpoint.circuit_closed",
    ]);
  });
});

/** Tells as a process does, in a tenant that asked. */
async function openNotices(...types: string[]) {
  const tenant = await newTenant();
  await ask(tenant, ...types);
  const { sql } = suite;
  const [row] = await sql<{ id: TenantId }[]>`select id from tenants where name = ${tenant}`;
  if (row === undefined) throw new Error("no tenant");
  const { id } = row;
  const log = createLogger({ level: "silent" });
  const { append } = createAppender({ sql, log, tell: () => {} });
  const notices = createNotices({ sql, log, append });
  const endpoint = { tenant: id, id: crypto.randomUUID(), name: "ep_1", url: "https://a.example/" };
  const tell = (generation: number) =>
    notices.tell(id, endpointDisabled(endpoint, { generation, reason: "410 Gone", at: 0 }));
  return { tenant, id, notices, tell };
}

async function lookForLate(tell: ReturnType<typeof createNotices>["tell"]): Promise<void> {
  const chore = createFallingBehindChore({ database: suite, tell, retentionDays: 30 });
  expect(await chore.run({ isHeld: () => true })).toBe("done");
}
