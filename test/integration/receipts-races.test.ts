/**
 * Receipts and pushes of the same events at the same time, from several processes: whatever the
 * order, each event ends in one way, and what was processed is not pushed any more.
 */
import { afterEach, describe, expect, test } from "vitest";
import { openDatabase, type Sql } from "../../src/db/database.ts";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import { createChance } from "../support/chance.ts";
import { createClient, type Client } from "../support/client.ts";
import { startTestGateway } from "../support/gateway.ts";
import { startNats } from "../support/nats.ts";
import { createTestDatabase } from "../support/postgres.ts";
import {
  appendMany,
  eventOf,
  header,
  repeated,
  sequenceOf,
  sequencesOf,
  upTo,
} from "../support/pushes.ts";
import { deadlineMs, gate, receiptsOf } from "../support/receipts.ts";
import { startReceiver, type Behave, type Behaviour, type Received } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

const accepting: Behaviour = { kind: "answer" };
const refusing: Behaviour = { kind: "answer", status: 422 };

/** Stopped last first: gateways before the database that they use. */
let opened = new AsyncDisposableStack();

afterEach(async () => {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
});

async function receiverThat(behaviour: Behaviour | Behave) {
  return opened.use(await startReceiver(behaviour));
}

/**
 * Two gateways on one database, of which the first alone pushes. Nobody carries frames between them:
 * of what the second is told the first learns nothing.
 */
async function openPair() {
  const { url: databaseUrl } = opened.use(await createTestDatabase());
  const { sql, stop } = openDatabase(databaseUrl, { connections: 2, name: "test" });
  opened.defer(stop);
  const first = opened.use(await startTestGateway({ DATABASE_URL: databaseUrl }));
  const second = opened.use(
    await startTestGateway({ ...first.environment, TIDEGATE_ROLES: "api" }),
  );
  const client = createClient(first.url, first.operatorKey);
  const other = createClient(second.url, second.operatorKey);
  await client.tenant("acme");
  return { sql, client, other, own: receiptsOf(() => client), remote: receiptsOf(() => other) };
}

test("a lane that hears nothing of a receipt learns of it with the next outcome", async () => {
  const { client, own, remote } = await openPair();
  const { released, release } = gate();
  const receiver = await receiverThat(async (request) => {
    if (sequenceOf(request) === 1) await released;
    return { ...accepting, afterMs: 1_500 };
  });
  const settings = { url: receiver.url, max_in_flight: 1 };
  const { id } = await client.createEndpoint("acme", settings);
  const ids = await appendMany(client, "acme", repeated("a", 10));
  await receiver.received(1);
  const evens = ids.filter((_, index) => index % 2 === 1);
  expect(await remote.outcomes(id, evens)).toEqual(repeated("settled", 5));
  release();
  await client.endpointWhen(id, ({ position }) => Number(position) === 10, deadlineMs);
  // The second was on its way when the outcome of the first was written.
  expect(sequencesOf(receiver.requests).filter((each) => each !== 2)).toEqual([1, 3, 5, 7, 9]);
  expect(await own.standing(id)).toMatchObject({ settled: [2, 4, 6, 8, 10] });
});

test.each(["fifo", "subject"])(
  "a lane of %s that has learned of receipts keeps the order over those that it does not hear",
  async (ordering) => {
    const { client, own, remote } = await openPair();
    const failing = new Set(["1.1", "2.1", "3.1", "3.2"]);
    const told: string[] = [];
    const nameOf = (request: Received) =>
      `${sequenceOf(request)}.${header("tidegate-attempt")(request)}`;
    const receiver = await receiverThat(async (request) => {
      if (!failing.has(nameOf(request))) return accepting;
      told.push(...(await remote.outcomes(id, [eventOf(request)], { status: "failed" })));
      return accepting;
    });
    const settings = { url: receiver.url, ordering, retry_schedule: repeated("1s", 4) };
    const { id } = await client.createEndpoint("acme", settings);
    const append = (count: number) => {
      const event = { tenant: "acme", type: "a", subject: "one", data: {} };
      return client.expectOk("POST", "/events", {
        events: Array.from({ length: count }, () => event),
      });
    };
    await append(1);
    // Of the first of all nothing is known when the push ends: it is not lost all the same.
    await receiver.received(2, deadlineMs);
    await own.when(id, ({ delivered }) => delivered?.length === 1);
    await append(3);
    await receiver.received(8, deadlineMs);
    await own.when(id, ({ delivered }) => delivered?.length === 4);
    expect(receiver.requests.map(nameOf)).toEqual([
      ...["1.1", "1.2", "2.1", "2.2", "3.1", "3.2", "3.3", "4.1"],
    ]);
    expect(told).toEqual(["waiting", "waiting", "waiting", "retrying"]);
    await client.endpointWhen(
      id,
      ({ position, retrying }) => Number(position) === 4 && retrying === 0,
      deadlineMs,
    );
  },
);

test("processes hear of each other's receipts over the broker", async () => {
  const nats = await startNats();
  opened.defer(() => nats.stop());
  const { url: databaseUrl } = opened.use(await createTestDatabase());
  const environment = { DATABASE_URL: databaseUrl, NATS_URL: nats.url };
  const api = opened.use(await startTestGateway({ ...environment, TIDEGATE_ROLES: "api" }));
  const push = opened.use(await startTestGateway({ ...api.environment, TIDEGATE_ROLES: "push" }));
  for (const { call } of [api, push]) {
    await waitUntil(async () => (await call("GET", "/readyz")).text.includes('"fanout":"up"'), {
      ...{ deadlineMs, what: "the broker" },
    });
  }
  const client = createClient(api.url, api.operatorKey);
  const { outcomes, when } = receiptsOf(() => client);
  await client.tenant("acme");
  const { released, release } = gate();
  const receiver = await receiverThat(async (request) => {
    if (request.path.endsWith("/held")) await released;
    return accepting;
  });
  const held = { url: `${receiver.url}/held`, max_in_flight: 1, timeout_ms: 30_000 };
  const { id } = await client.createEndpoint("acme", held);
  await client.createEndpoint("acme", { url: `${receiver.url}/other`, types: ["b"] });
  const ids = await appendMany(client, "acme", repeated("a", 10));
  await receiver.received(1, deadlineMs);
  const evens = ids.filter((_, index) => index % 2 === 1);
  expect(await outcomes(id, evens)).toEqual(repeated("settled", 5));
  // It goes over the same subject behind the receipt.
  await appendMany(client, "acme", ["b"]);
  await receiver.received(2, deadlineMs);
  release();
  await when(id, ({ delivered }) => delivered?.length === 6);
  const pushed = receiver.requests.filter(({ path }) => path.endsWith("/held"));
  expect(sequencesOf(pushed)).toEqual([1, 3, 5, 7, 9, 11]);
});

test.each([accepting, refusing, { kind: "hang" } as const])(
  "a push under way that ends with %o changes nothing of a receipt to another process",
  async (answer) => {
    const { client, own, remote } = await openPair();
    const { released, release } = gate();
    const receiver = await receiverThat(async () => {
      await released;
      return answer;
    });
    const settings = { url: receiver.url, timeout_ms: 1_000, retry_schedule: ["1s"] };
    const { id } = await client.createEndpoint("acme", settings);
    const [one = "", two = ""] = await appendMany(client, "acme", repeated("a", 2));
    await receiver.received(1);
    const { cursor } = await client.page("acme", { limit: "2" });
    expect(await remote.outcomes(id, [one])).toEqual(["settled"]);
    await remote.send(id, { through: cursor, status: "processed" });
    release();
    await waitUntil(async () => (await own.delivery(id, one)).attempts === 1, { deadlineMs });
    expect(await own.delivery(id, one)).toMatchObject({ status: "settled" });
    receiver.behave(accepting);
    await appendMany(client, "acme", ["a"]);
    await own.when(id, ({ delivered }) => delivered?.includes(3) === true);
    expect(await client.endpoint(id)).toMatchObject({ retrying: 0, dead: 0 });
    const { status } = await own.delivery(id, two).catch(() => ({ status: "settled" }));
    expect(["settled", "delivered"]).toContain(status);
  },
);

test("what a process left that died after it moved the position is not pushed, and is mended", async () => {
  const { client, sql, own } = await openPair();
  const receiver = await receiverThat(refusing);
  const settings = { url: receiver.url, retry_schedule: ["1h", "1h"] };
  const { id } = await client.createEndpoint("acme", settings);
  await appendMany(client, "acme", repeated("a", 6));
  await client.endpointWhen(id, ({ retrying }) => retrying === 6, deadlineMs);
  const uuid = endpointUuid(id) ?? "";
  const { cursor } = await client.page("acme", { limit: "4" });
  await sql`
    select settle_through(tenant, consumer, generation, 4, day, 4, null)
    from positions where consumer = ${uuid}`;
  await client.act(id, "pause");
  await sql`update retries set due_at = now() where endpoint = ${uuid}`;
  receiver.behave(accepting);
  await client.act(id, "resume");
  await own.when(id, ({ delivered }) => delivered?.length === 2);
  expect(sequencesOf(receiver.requests.slice(6))).toEqual([5, 6]);
  expect(await own.standing(id)).toEqual({ retrying: upTo(4), delivered: [5, 6] });
  expect(await own.send(id, { through: cursor, status: "processed" })).toMatchObject({
    ...{ passed: 0, settled: 4 },
  });
  expect(await own.standing(id)).toEqual({ settled: upTo(4), delivered: [5, 6] });
});

test("a retry under way of which a receipt says that it fails waits by the schedule", async () => {
  const { client, own } = await openPair();
  let fail = () => Promise.resolve();
  const receiver = await receiverThat(async (request) => {
    if (header("tidegate-attempt")(request) === "1") return refusing;
    await fail();
    return accepting;
  });
  const settings = { url: receiver.url, retry_schedule: ["1s", "1h", "1h", "1h"] };
  const { id } = await client.createEndpoint("acme", settings);
  const [event = ""] = await appendMany(client, "acme", ["a"]);
  fail = async () => {
    expect(await own.outcomes(id, [event], { status: "failed", detail: "no" })).toEqual([
      "retrying",
    ]);
  };
  await receiver.received(2, deadlineMs);
  await waitUntil(async () => (await own.delivery(id, event)).attempts === 2, { deadlineMs });
  const shown = await own.delivery(id, event);
  expect(shown).toMatchObject({
    ...{ status: "retrying", last_error: "receipt: no" },
    receipt: { status: "failed", detail: "no" },
  });
  expect(Date.parse(shown.next_attempt_at ?? "")).toBeGreaterThan(Date.now());
});

test("receipts of before a position was moved back, however many, hold up nothing", async () => {
  const { client, sql } = await openPair();
  const receiver = await receiverThat(accepting);
  const { id } = await client.createEndpoint("acme", { url: receiver.url });
  await appendMany(client, "acme", repeated("a", 300));
  await client.endpointWhen(id, ({ position }) => Number(position) === 300, deadlineMs);
  const uuid = endpointUuid(id) ?? "";
  await sql`
    insert into receipt_ranges (tenant, endpoint, after, through, day, detail, at)
    select tenant, consumer, 300 + n, 301 + n, day, null, now()
    from positions, generate_series(0, 40000) n where consumer = ${uuid}`;
  await sql`update positions set receipts = 40001 where consumer = ${uuid}`;
  const { cursor } = await client.page("acme", { limit: "1" });
  await client.expectOk("POST", `/endpoints/${id}/resume`, { from: { cursor } });
  await receiver.received(599, deadlineMs);
  await client.endpointWhen(id, ({ position }) => Number(position) === 300, deadlineMs);
  expect(await sql`select from receipt_ranges where endpoint = ${uuid}`).toHaveLength(0);
});

test("receipts through the log under load repeat nothing and hold up nothing", async () => {
  const { client, own } = await openPair();
  const chance = fractions(11);
  const receiver = await receiverThat(() => (chance() < 0.1 ? refusing : accepting));
  const settings = { url: receiver.url, retry_schedule: ["1s", "1s", "1s"] };
  const { id } = await client.createEndpoint("acme", settings);
  let cursor: string | undefined;
  for (let page = 0; page < 15; page += 1) {
    await appendMany(client, "acme", repeated("a", 100));
    const found = await client.page("acme", cursor === undefined ? {} : { cursor });
    cursor = found.cursor;
    await own.send(id, { through: cursor, status: "processed" });
    await appendMany(client, "acme", repeated("a", 20));
  }
  await client.endpointWhen(
    id,
    ({ position, retrying }) => Number(position) === 1_800 && retrying === 0,
    deadlineMs,
  );
  const attempts = receiver.requests.map(
    (request) => `${sequenceOf(request)} ${header("tidegate-attempt")(request)}`,
  );
  expect(new Set(attempts).size).toBe(attempts.length);
});

describe("receipts and pushes in any order", () => {
  /**
   * Goal: whatever comes first of a push's result, receipts by ids and receipts through a cursor, each
   * event is accounted for once, and what was processed stays so. Method: 200 endpoints over the same
   * events, each with a schedule of its own: its receiver accepts, refuses or lets time out, and
   * receipts of both kinds go to either process at random moments, among the pushes and their
   * retries. In the end the tables are held against what was said.
   */
  test("leave each event in one state", { timeout: 120_000 }, async () => {
    const seed = Number(process.env["TEST_RECEIPTS_SEED"] ?? 7);
    const { client, other, sql } = await openPair();
    const chance = fractions(seed);
    const receiver = await receiverThat(() => {
      const drawn = chance();
      if (drawn < 0.5) return { ...accepting, afterMs: chance() * 100 };
      return drawn < 0.95 ? { ...refusing, afterMs: chance() * 100 } : { kind: "hang" };
    });
    const ids = await appendMany(client, "acme", repeated("a", eventsEach));
    const { cursors } = await cursorsOf(client);
    const found: Interleaving[] = [];
    const working = Array.from({ length: 8 }, async () => {
      while (found.length < interleavings) {
        const settings = {
          ...{ url: receiver.url, start: "earliest", timeout_ms: 1_000 },
          retry_schedule: ["1s", "1s"],
          require_receipt: chance() < 0.3,
          receipt_timeout_ms: 1_000,
          ordering: (["parallel", "parallel", "fifo", "subject"] as const)[
            Math.floor(chance() * 4)
          ],
        };
        const one: Interleaving = { id: "", processed: new Set(), through: 0 };
        found.push(one);
        one.id = (await client.createEndpoint("acme", settings)).id;
        const receipts = [receiptsOf(() => client), receiptsOf(() => other)] as const;
        for (let n = 0; n < 4; n += 1) {
          await new Promise((resolve) => setTimeout(resolve, chance() * 150));
          const sender = receipts[chance() < 0.5 ? 0 : 1];
          if (chance() < 0.25) {
            const through = Math.floor(chance() * eventsEach);
            await sender.send(one.id, { through: cursors[through], status: "processed" });
            one.through = Math.max(one.through, through + 1);
          } else {
            const some = ids.filter(() => chance() < 0.3);
            if (some.length === 0) continue;
            const status = chance() < 0.7 ? "processed" : "failed";
            await sender.outcomes(one.id, some, { status });
            if (status === "failed") continue;
            for (const event of some) one.processed.add(ids.indexOf(event) + 1);
          }
        }
      }
    });
    await Promise.all(working);
    expect(found).toHaveLength(interleavings);
    await waitUntil(() => isAtRest(sql), { deadlineMs: 60_000, what: `rest, seed ${seed}` });
    for (const one of found) {
      const faults = await faultsOf(sql, one);
      expect(faults, `seed ${seed}, endpoint ${one.id}`).toEqual([]);
    }
  });
});

/** From 0 to below 1. */
function fractions(seed: number): () => number {
  const { below } = createChance(seed);
  return () => below(1_000_000) / 1_000_000;
}

const interleavings = 200;
const eventsEach = 6;

type Interleaving = { id: string; readonly processed: Set<number>; through: number };

async function cursorsOf(client: Client): Promise<{ cursors: string[] }> {
  const cursors: string[] = [];
  let cursor: string | undefined;
  for (let n = 0; n < eventsEach; n += 1) {
    const page = await client.page("acme", { limit: "1", ...(cursor && { cursor }) });
    cursor = page.cursor;
    cursors.push(cursor);
  }
  return { cursors };
}

/** All positions are at the end, and nothing is tried any more. */
async function isAtRest(sql: Sql): Promise<boolean> {
  const [row] = await sql<[{ behind: number; open: number }]>`
    select (select count(*) from positions where sequence < ${eventsEach}) as behind,
      (select count(*) from retries) as open`;
  return row.behind === 0 && row.open === 0;
}

async function faultsOf(sql: Sql, { id, processed, through }: Interleaving): Promise<string[]> {
  const uuid = endpointUuid(id) ?? "";
  const rows = await sql<{ sequence: number; status: string; receipt: string | null }[]>`
    select sequence, status, receipt_status as receipt from deliveries where endpoint = ${uuid}`;
  const ranges = await sql<{ after: number; through: number }[]>`
    select after, through from receipt_ranges where endpoint = ${uuid}`;
  const blocked = await sql`select from blocked_subjects where endpoint = ${uuid}`;
  const faults: string[] = blocked.length > 0 ? ["a subject is blocked"] : [];
  for (const sequence of upTo(eventsEach)) {
    const own = rows.filter((row) => row.sequence === sequence);
    const isCovered = ranges.some((one) => one.after < sequence && sequence <= one.through);
    const [row] = own;
    if (own.length > 1) faults.push(`${sequence} has ${own.length} deliveries`);
    if (row === undefined && !isCovered) faults.push(`${sequence} is lost`);
    if (sequence <= through && !isCovered) faults.push(`${sequence} is covered by no receipt`);
    const wasProcessed = processed.has(sequence) || sequence <= through;
    if (wasProcessed && row?.status === "dead")
      faults.push(`${sequence} was processed and is dead`);
    if (processed.has(sequence) && !isCovered && row?.receipt !== "processed") {
      faults.push(`${sequence} was processed and says ${row?.receipt ?? "nothing"}`);
    }
    if (!wasProcessed && row?.status === "settled") faults.push(`${sequence} is settled by nobody`);
  }
  return faults;
}
