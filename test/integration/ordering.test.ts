/**
 * Order of deliveries, seen from receivers: `fifo` and `subject`, over failures, restarts and
 * changes of mind.
 */

import { afterEach, describe, expect, test } from "vitest";
import { openDatabase } from "../../src/db/database.ts";
import { createClient, type Client, type Json } from "../support/client.ts";
import { startTestGateway } from "../support/gateway.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { header, sequenceOf, upTo } from "../support/pushes.ts";
import {
  startReceiver,
  type Behave,
  type Behaviour,
  type Received,
  type Receiver,
} from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

/** Stopped last first: gateways before the database that they use. */
let opened = new AsyncDisposableStack();

afterEach(async () => {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
});

async function openSystem() {
  const { url: databaseUrl } = opened.use(await createTestDatabase());
  const database = openDatabase(databaseUrl, { connections: 1, name: "test" });
  opened.defer(() => database.stop());
  let gateway = await startTestGateway({ DATABASE_URL: databaseUrl });
  opened.defer(() => gateway.stop());
  let client = createClient(gateway.url, gateway.operatorKey);
  await client.tenant("acme");
  return {
    sql: database.sql,
    client: (): Client => client,
    async restart() {
      await gateway.stop();
      gateway = await startTestGateway(gateway.environment);
      client = createClient(gateway.url, gateway.operatorKey);
    },
  };
}

async function receiverThat(behaviour?: Behaviour | Behave): Promise<Receiver> {
  return opened.use(await startReceiver(behaviour));
}

/** Appends an event for each subject, in this order; `-` has none. */
async function append(
  client: Client,
  subjects: readonly string[],
  type = "a",
  tenant = "acme",
): Promise<void> {
  const events = subjects.map((subject) => ({
    ...{ tenant, type, data: {} },
    ...(subject !== "-" && { subject }),
  }));
  await client.expectOk("POST", "/events", { events });
}

function subjectOf({ body }: Received): string | undefined {
  return (JSON.parse(body.toString()) as { subject?: string }).subject;
}

/** Without the attempts that came again: each event where it was last sent. */
function lastOfEach(requests: readonly Received[]): number[] {
  return [...new Set(requests.map(sequenceOf).toReversed())].toReversed();
}

function isIncreasing(numbers: readonly number[]): boolean {
  return numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0));
}

async function delivered(client: Client, id: string, last: number, deadlineMs = 20_000) {
  return client.endpointWhen(
    id,
    ({ position, retrying }) => Number(position) === last && retrying === 0,
    deadlineMs,
  );
}

/** A tenth of the attempts are refused, in no order. */
function flaky(seed: number): Behave {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return { kind: "answer", status: state % 10 === 0 ? 400 : 200 };
  };
}

const soon: Json = { retry_schedule: ["1s", "1s", "1s", "1s", "1s", "1s"] };

describe("fifo", () => {
  test("waits at a failing event until it is delivered", async () => {
    const { client } = await openSystem();
    const receiver = await receiverThat((request) => ({
      kind: "answer",
      status: sequenceOf(request) === 2 && header("tidegate-attempt")(request) !== "3" ? 400 : 200,
    }));
    const { id } = await client().createEndpoint("acme", {
      ...{ url: receiver.url, ordering: "fifo", max_in_flight: 10, ...soon },
    });
    await append(client(), Array(6).fill("-") as string[]);
    await delivered(client(), id, 6);
    expect(receiver.requests.map(sequenceOf)).toEqual([1, 2, 2, 2, 3, 4, 5, 6]);
    expect(receiver.requests.map(header("tidegate-previous-sequence")).map(Number)).toEqual([
      0, 1, 1, 1, 2, 3, 4, 5,
    ]);
  });

  test("goes on behind an event that is dead", async () => {
    const { client } = await openSystem();
    const receiver = await receiverThat((request) => ({
      kind: "answer",
      status: sequenceOf(request) === 2 ? 400 : 200,
    }));
    const { id } = await client().createEndpoint("acme", {
      ...{ url: receiver.url, ordering: "fifo", retry_schedule: ["1s"] },
    });
    await append(client(), Array(4).fill("-") as string[]);
    const shown = await delivered(client(), id, 4);
    expect(shown.dead).toBe(1);
    expect(receiver.requests.map(sequenceOf)).toEqual([1, 2, 2, 3, 4]);
  });

  test("holds over failures, restarts, and a backlog that becomes live", async () => {
    const system = await openSystem();
    const receiver = await receiverThat(flaky(7));
    const { id } = await system.client().createEndpoint("acme", {
      ...{ url: receiver.url, ordering: "fifo", ...soon },
    });
    // Each time while the last ones are on their way.
    for (let round = 1; round <= 3; round += 1) {
      await append(system.client(), Array(12).fill("-") as string[]);
      await receiver.received((round - 1) * 12 + 5, 20_000);
      await system.restart();
    }
    await append(system.client(), ["-"]);
    await delivered(system.client(), id, 37, 60_000);
    expect(lastOfEach(receiver.requests)).toEqual(upTo(37));
    // What came again came before anything that follows it.
    expect(isIncreasing(firstOfEach(receiver.requests))).toBe(true);
  });

  test("begins when what failed before it was set is settled, in order", async () => {
    const { client } = await openSystem();
    const receiver = await receiverThat({ kind: "answer", status: 400 });
    const { id } = await client().createEndpoint("acme", { url: receiver.url, ...soon });
    await append(client(), Array(4).fill("-") as string[]);
    await client().endpointWhen(id, ({ retrying }) => retrying === 4);
    await client().expectOk("PATCH", `/endpoints/${id}`, { ordering: "fifo" });
    const before = receiver.requests.length;
    receiver.behave({ kind: "answer" });
    await append(client(), Array(3).fill("-") as string[]);
    await delivered(client(), id, 7);
    const after = receiver.requests.slice(before).map(sequenceOf);
    expect(after.filter((sequence, index) => after.indexOf(sequence) === index)).toEqual(upTo(7));
  });
});

describe("subject", () => {
  test("holds back the events of a subject that fails, and no others", async () => {
    const { client, sql } = await openSystem();
    const failing = new Set(["a"]);
    const receiver = await receiverThat((request) => ({
      kind: "answer",
      status: failing.has(subjectOf(request) ?? "") ? 400 : 200,
    }));
    const { id } = await client().createEndpoint("acme", {
      ...{ url: receiver.url, ordering: "subject", ...soon },
    });
    await append(client(), ["a", "b", "a", "c", "-", "b", "a", "-", "c"]);
    const others = [2, 4, 5, 6, 8, 9];
    await waitUntil(() => others.every((n) => receiver.requests.some((r) => sequenceOf(r) === n)));
    // The lane has come past all of them: what the subject still owes is a position of its own.
    await client().endpointWhen(id, ({ position, retrying }) => {
      return Number(position) === 9 && retrying === 1;
    });
    expect(await sql`select subject, sequence from blocked_subjects`).toMatchObject([
      { subject: "a", sequence: 0 },
    ]);
    failing.delete("a");
    await append(client(), ["a", "b"]);
    await waitUntil(() => receiver.requests.some((request) => sequenceOf(request) === 10));
    await waitUntil(async () => (await sql`select from blocked_subjects`).length === 0);
    await delivered(client(), id, 11);
    const ofA = receiver.requests.filter((request) => subjectOf(request) === "a").map(sequenceOf);
    expect(ofA.filter((sequence) => sequence !== 1)).toEqual([3, 7, 10]);
    expect(new Set(ofA.slice(0, -3))).toEqual(new Set([1]));
    const previous = new Map(
      receiver.requests.map((r) => [
        sequenceOf(r),
        Number(header("tidegate-previous-sequence")(r)),
      ]),
    );
    expect([...previous].toSorted(([x], [y]) => x - y)).toEqual(upTo(11).map((n) => [n, n - 1]));
  });

  test("names the event before by the filter, whatever its subject", async () => {
    const { client } = await openSystem();
    const failing = new Set(["x"]);
    const receiver = await receiverThat((request) => ({
      kind: "answer",
      status: failing.has(subjectOf(request) ?? "") ? 400 : 200,
    }));
    const { id } = await client().createEndpoint("acme", {
      ...{ url: receiver.url, ordering: "subject", types: ["order.*"], ...soon },
    });
    await append(client(), ["x"], "order.a");
    await append(client(), ["y", "x"], "other");
    await append(client(), ["y"], "order.b");
    await append(client(), ["x", "x"], "other");
    await append(client(), ["x", "y"], "order.c");
    await client().endpointWhen(id, ({ position }) => Number(position) === 8);
    failing.delete("x");
    await waitUntil(() => new Set(receiver.requests.map(sequenceOf)).size === 4, {
      deadlineMs: 10_000,
    });
    const previous = new Map(
      receiver.requests.map((r) => [
        sequenceOf(r),
        Number(header("tidegate-previous-sequence")(r)),
      ]),
    );
    expect(Object.fromEntries(previous)).toEqual({ 1: 0, 4: 1, 7: 4, 8: 7 });
  });

  test("holds over failures and restarts, for each of many subjects", async () => {
    const system = await openSystem();
    const receiver = await receiverThat(flaky(11));
    const { id } = await system.client().createEndpoint("acme", {
      ...{ url: receiver.url, ordering: "subject", max_in_flight: 20, ...soon },
    });
    const subjects = Array.from({ length: 60 }, (_, index) => `subject_${index % 7}`);
    for (let round = 1; round <= 3; round += 1) {
      await append(system.client(), subjects);
      await receiver.received(round * 50, 20_000);
      await system.restart();
    }
    await append(system.client(), ["last"]);
    await waitUntil(async () => (await system.sql`select from blocked_subjects`).length === 0, {
      deadlineMs: 60_000,
    });
    await delivered(system.client(), id, 181, 30_000);
    expect(new Set(receiver.requests.map(sequenceOf))).toEqual(new Set(upTo(181)));
    for (const requests of bySubject(receiver.requests)) {
      expect(isIncreasing(firstOfEach(requests))).toBe(true);
      expect(isIncreasing(lastOfEach(requests))).toBe(true);
    }
  });

  test("is caught up with also when the endpoint has stopped to ask for order", async () => {
    const { client, sql } = await openSystem();
    const receiver = await receiverThat({ kind: "answer", status: 400 });
    const { id } = await client().createEndpoint("acme", {
      ...{ url: receiver.url, ordering: "subject", ...soon },
    });
    await append(client(), ["a", "a", "a", "b", "b"]);
    await client().endpointWhen(id, ({ retrying }) => retrying === 2);
    await client().expectOk("PATCH", `/endpoints/${id}`, { ordering: "parallel" });
    receiver.behave({ kind: "answer" });
    await append(client(), ["a"]);
    await waitUntil(async () => (await sql`select from blocked_subjects`).length === 0, {
      deadlineMs: 10_000,
    });
    await delivered(client(), id, 6);
    expect(new Set(receiver.requests.map(sequenceOf))).toEqual(new Set(upTo(6)));
  });
});

test(
  "fifo and subject hold while another takes its share of the shards",
  { timeout: 90_000 },
  async () => {
    const { url } = opened.use(await createTestDatabase());
    const first = opened.use(await startTestGateway({ DATABASE_URL: url, TIDEGATE_SHARDS: "16" }));
    const client = createClient(first.url, first.operatorKey);
    const tenants = upTo(8).map((n) => `tenant_${n}`);
    const receivers = await Promise.all(tenants.map((_, n) => receiverThat(flaky(n + 3))));
    for (const [n, tenant] of tenants.entries()) {
      await client.tenant(tenant);
      const ordering = n % 2 === 0 ? "fifo" : "subject";
      await client.createEndpoint(tenant, { url: receivers[n]?.url, ordering, ...soon });
    }
    const subjects = Array.from({ length: 40 }, (_, index) => `subject_${index % 5}`);
    const appendAll = () => Promise.all(tenants.map((name) => append(client, subjects, "a", name)));
    await appendAll();
    opened.use(await startTestGateway(first.environment));
    await appendAll();
    for (const [n, receiver] of receivers.entries()) {
      await waitUntil(() => new Set(receiver.requests.map(sequenceOf)).size === 80, {
        deadlineMs: 60_000,
      });
      const groups = n % 2 === 0 ? [receiver.requests] : bySubject(receiver.requests);
      for (const requests of groups) expect(isIncreasing(firstOfEach(requests))).toBe(true);
    }
  },
);

function bySubject(requests: readonly Received[]): Received[][] {
  return [...Map.groupBy(requests, subjectOf).values()];
}

function firstOfEach(requests: readonly Received[]): number[] {
  return [...new Set(requests.map(sequenceOf))];
}
