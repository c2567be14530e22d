/** Circuits of endpoints that are down, seen from their receivers, the API and the database. */

import { describe, expect, test } from "vitest";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import { openPushSuite } from "../support/push-suite.ts";
import { createClient, type Json, type ShownEndpoint } from "../support/client.ts";
import { startTestGateway } from "../support/gateway.ts";
import { appendMany, header, repeated, sequenceOf, sequencesOf, upTo } from "../support/pushes.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { type Behaviour } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

const down: Behaviour = { kind: "answer", status: 503 };

const suite = openPushSuite();
const { receiverThat, pushTo } = suite;

function isOpen({ circuit }: ShownEndpoint): boolean {
  return circuit.state !== "closed";
}

/** What was recorded of an endpoint's events: rows of each table. */
async function rowsOf({ id }: ShownEndpoint) {
  const endpoint = endpointUuid(id) ?? null;
  const [row] = await suite.sql<{ settled: number; retries: number; attempts: number }[]>`
    select (select count(*) from deliveries where endpoint = ${endpoint}) as settled,
      (select count(*) from retries where endpoint = ${endpoint}) as retries,
      (select count(*) from attempts where endpoint = ${endpoint}) as attempts`;
  if (row === undefined) throw new Error("no row");
  return row;
}

describe("an endpoint that is down", () => {
  const timeout = 60_000;
  test("is left alone but for probes, which are no attempts and no rows", { timeout }, async () => {
    const { tenant, receiver, endpoint } = await pushTo(down);
    await appendMany(suite.client, tenant, repeated("a", 1_000));
    const open = await suite.client.endpointWhen(endpoint.id, isOpen);
    expect(open.circuit.state).toMatch(/open/);
    expect(Date.parse(open.circuit.since ?? "")).toBeGreaterThan(Date.now() - 60_000);
    // What was under way when it opened is recorded a moment later.
    const before = await waitUntil(
      async () => {
        const rows = await rowsOf(endpoint);
        return rows.settled + rows.retries === receiver.requests.length && rows;
      },
      { what: "a row for each of the attempts" },
    );
    await appendMany(suite.client, tenant, repeated("a", 1_000));

    const count = receiver.requests.length;
    await receiver.received(count + 2, 15_000); // probes
    expect(receiver.requests.length).toBeLessThanOrEqual(15);
    expect(await rowsOf(endpoint)).toEqual(before);
    expect(before.settled + before.retries).toBeLessThanOrEqual(receiver.requests.length);
    const { position, retrying, last_failure } = await suite.client.endpoint(endpoint.id);
    expect(Number(position)).toBeLessThanOrEqual(retrying);
    expect(last_failure?.error).toBe("http: status 503");

    receiver.behave({ kind: "answer" });
    await suite.client.endpointWhen(
      endpoint.id,
      (shown) => !isOpen(shown) && Number(shown.position) === 2_000 && shown.retrying === 0,
      30_000,
    );
    const delivered = receiver.requests.slice(count).map(sequenceOf);
    expect(new Set(delivered)).toEqual(new Set(upTo(2_000)));
    // No attempt was used up by a probe: those that failed before it opened are at their second.
    const attempts = new Set(receiver.requests.map(header("tidegate-attempt")));
    expect(attempts).toEqual(new Set(["1", "2"]));
  });

  test("is found to be back although the event that comes next is refused for ever", async () => {
    const { tenant, receiver, endpoint } = await pushTo(down);
    await appendMany(suite.client, tenant, repeated("a", 200));
    const { position } = await suite.client.endpointWhen(endpoint.id, isOpen);
    const known = new Set(receiver.requests.map(sequenceOf));
    const refused = upTo(200).find((each) => each > Number(position) && !known.has(each));
    receiver.behave((request) =>
      sequenceOf(request) === refused ? { kind: "answer", status: 503 } : { kind: "answer" },
    );
    await suite.client.endpointWhen(
      endpoint.id,
      (shown) => !isOpen(shown) && Number(shown.position) === 200 && shown.retrying <= 1,
      30_000,
    );
    const accepted = new Set(receiver.requests.map(sequenceOf).filter((each) => each !== refused));
    expect(accepted.size).toBe(199);
  });

  test.each<[string, Behaviour, Json]>([
    ["hangs", { kind: "hang" }, { timeout_ms: 1_000 }],
    ["breaks connections", { kind: "reset", when: "before-head" }, {}],
    ["never finishes its bodies", { kind: "half" }, { timeout_ms: 1_000 }],
  ])("may be one that %s", async (_what, behaviour, settings) => {
    const { tenant, receiver, endpoint } = await pushTo(behaviour, settings);
    await appendMany(suite.client, tenant, repeated("a", 100));
    await suite.client.endpointWhen(endpoint.id, isOpen, 15_000);
    receiver.behave({ kind: "answer" });
    await suite.client.endpointWhen(
      endpoint.id,
      ({ position, retrying }) => Number(position) === 100 && retrying === 0,
      20_000,
    );
    expect(new Set(sequencesOf(receiver.requests))).toEqual(new Set(upTo(100)));
  });

  test.each([400, 404, 429])("is none that answers %i, however often", async (status) => {
    const settings = { retry_schedule: [] };
    const { tenant, endpoint } = await pushTo({ kind: "answer", status }, settings);
    await appendMany(suite.client, tenant, repeated("a", 100));
    const shown = await suite.client.endpointWhen(endpoint.id, ({ dead }) => dead === 100);
    expect(shown.circuit.state).toBe("closed");
  });

  test("stays so over a restart, and is probed by whoever takes over", async () => {
    await using shared = await createTestDatabase();
    const first = await startTestGateway({ DATABASE_URL: shared.url });
    const admin = createClient(first.url, first.operatorKey);
    await admin.tenant("acme");
    const receiver = await receiverThat(down);
    const { id } = await admin.createEndpoint("acme", { url: receiver.url });
    await appendMany(admin, "acme", repeated("a", 100));
    const before = await admin.endpointWhen(id, isOpen);
    await receiver.received(9, 15_000); // a probe failed, and the next one is some seconds off
    await first.stop();

    const count = receiver.requests.length;
    await using second = await startTestGateway(first.environment);
    const after = createClient(second.url, second.operatorKey);
    // Half open when the next probe is under way already.
    expect((await after.endpoint(id)).circuit).toMatchObject({
      state: expect.stringMatching(/open/) as string,
      since: before.circuit.since,
    });
    await receiver.received(count + 1, 20_000);
    receiver.behave({ kind: "answer" });
    await after.endpointWhen(
      id,
      ({ position, retrying }) => Number(position) === 100 && retrying === 0,
      20_000,
    );
    expect(receiver.requests.length).toBeLessThanOrEqual(count + 100 + 9);
  });
});

describe("dead letters of an outage", () => {
  test("are tried once more when it is over", async () => {
    const { tenant, receiver, endpoint } = await pushTo(down, { retry_schedule: [] });
    await appendMany(suite.client, tenant, repeated("a", 8));
    await suite.client.endpointWhen(endpoint.id, (shown) => isOpen(shown) && shown.dead >= 7);
    // Nothing else is left: one of them becomes the probe.
    receiver.behave({ kind: "answer" });
    await suite.client.endpointWhen(
      endpoint.id,
      (shown) => !isOpen(shown) && shown.dead === 0 && shown.retrying === 0,
    );
    const succeeded = receiver.requests.slice(-8);
    expect(sequencesOf(succeeded)).toEqual(upTo(8));
    expect(succeeded.map(header("tidegate-attempt"))).toEqual(repeated("2", 8));
  });

  test("are not tried a third time when they fail again", async () => {
    const { tenant, receiver, endpoint } = await pushTo(down, { retry_schedule: [] });
    await appendMany(suite.client, tenant, repeated("a", 8));
    await suite.client.endpointWhen(endpoint.id, (shown) => isOpen(shown) && shown.dead >= 7);
    receiver.behave({ kind: "answer", status: 400 });
    const shown = await suite.client.endpointWhen(
      endpoint.id,
      ({ circuit, dead, retrying }) => circuit.state === "closed" && dead === 8 && retrying === 0,
    );
    expect(shown.last_failure?.error).toBe("http: status 400 (2 attempts failed)");
    expect(receiver.requests.filter((request) => sequenceOf(request) === 1).length).toBeLessThan(9);
    const again = await rowsOf(endpoint);
    expect(again).toMatchObject({ settled: 8, retries: 0 });
  });

  test.each<[string, Json]>([
    ["drain_dead_letters is off", { drain_dead_letters: false }],
    ["order is kept", { ordering: "subject" }],
  ])("stay dead where %s", async (_what, settings) => {
    const { tenant, receiver, endpoint } = await pushTo(down, { retry_schedule: [], ...settings });
    await appendMany(suite.client, tenant, repeated("a", 9));
    await suite.client.endpointWhen(endpoint.id, (shown) => isOpen(shown) && shown.dead === 8);
    receiver.behave({ kind: "answer" });
    const shown = await suite.client.endpointWhen(
      endpoint.id,
      ({ circuit, position }) => circuit.state === "closed" && Number(position) === 9,
    );
    expect(shown).toMatchObject({ dead: 8, retrying: 0 });
  });
});

describe("an endpoint that has nothing left to be probed with", () => {
  test("costs nothing, and is probed with the next event", async () => {
    const settings = { retry_schedule: [], drain_dead_letters: false };
    const { tenant, receiver, endpoint } = await pushTo(down, settings);
    await appendMany(suite.client, tenant, repeated("a", 8));
    await suite.client.endpointWhen(endpoint.id, (shown) => isOpen(shown) && shown.dead === 8);
    receiver.behave({ kind: "answer" });
    const at = Date.parse((await suite.client.endpoint(endpoint.id)).circuit.next_probe_at ?? "");
    await waitUntil(() => Date.now() > at + 100, { what: "the probe to be due" });
    const before = process.cpuUsage();
    const startedAt = Date.now();
    await waitUntil(() => Date.now() > startedAt + 500, { what: "half a second" });
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000).toBeLessThan(400);
    expect(receiver.requests).toHaveLength(8);
    await suite.client.append(tenant, 9);
    await suite.client.endpointWhen(
      endpoint.id,
      (shown) => !isOpen(shown) && shown.position.endsWith("9"),
    );
  });
});

describe("a change of the endpoint", () => {
  test("is probed at once, and ends the outage with all that it left behind", async () => {
    const { tenant, endpoint } = await pushTo(down, { retry_schedule: [] });
    await appendMany(suite.client, tenant, repeated("a", 11));
    await suite.client.endpointWhen(endpoint.id, (shown) => isOpen(shown) && shown.dead === 8);
    const moved = await receiverThat();
    await suite.client.expectOk("PATCH", `/endpoints/${endpoint.id}`, { url: moved.url });
    await suite.client.endpointWhen(
      endpoint.id,
      (shown) => !isOpen(shown) && shown.dead === 0 && Number(shown.position) === 11,
    );
    expect(sequencesOf(await moved.received(11))).toEqual(upTo(11));
  });
});

describe("under fifo", () => {
  test("a probe is the attempt of the event that stands first", async () => {
    const settings = { ordering: "fifo", retry_schedule: repeated("1s", 14) };
    const { tenant, receiver, endpoint } = await pushTo(down, settings);
    await appendMany(suite.client, tenant, repeated("a", 20));
    await receiver.received(10, 25_000);
    expect(isOpen(await suite.client.endpoint(endpoint.id))).toBe(true);
    expect(new Set(sequencesOf(receiver.requests))).toEqual(new Set([1]));
    receiver.behave({ kind: "answer" });
    await suite.client.endpointWhen(endpoint.id, ({ position }) => Number(position) === 20, 30_000);
    const attempts = receiver.requests.filter((request) => sequenceOf(request) === 1);
    expect(attempts.map(header("tidegate-attempt"))).toEqual(upTo(attempts.length).map(String));
    const order = receiver.requests.map(sequenceOf);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
  });
});

describe("an endpoint gives up", () => {
  test("an event whose time is over while the circuit is open, without an attempt", async () => {
    const { tenant, receiver, endpoint } = await pushTo(down, {
      retry_schedule: repeated("1s", 20),
      give_up_after: "3s",
    });
    await appendMany(suite.client, tenant, repeated("a", 5));
    await suite.client.endpointWhen(endpoint.id, isOpen);
    await waitUntil(() => Date.now() > (receiver.requests[0]?.at ?? Infinity) + 3_000, {
      what: "the time to give up",
    });
    receiver.behave({ kind: "answer" });
    await appendMany(suite.client, tenant, ["a"]);
    const shown = await suite.client.endpointWhen(
      endpoint.id,
      ({ circuit, dead, retrying }) => circuit.state === "closed" && dead > 0 && retrying === 0,
      20_000,
    );
    expect(shown.dead).toBeGreaterThanOrEqual(4);
    const [row] = await suite.sql<{ error: string }[]>`
      select error from deliveries
      where endpoint = ${endpointUuid(endpoint.id) ?? null} and status = 'dead' limit 1`;
    expect(row?.error).toContain("(given up: out of time)");
  });

  test("itself after five days of nothing but failures, with the reason", async () => {
    const { tenant, receiver, endpoint } = await pushTo({ kind: "answer", status: 404 });
    await suite.client.append(tenant, 1);
    await suite.client.endpointWhen(endpoint.id, ({ retrying }) => retrying === 1);
    // Five days later, as the next process finds it.
    await suite.sql`
      update positions set failing_since = clock_timestamp() - interval '5 days',
        generation = generation + 1 where consumer = ${endpointUuid(endpoint.id) ?? null}`;
    await suite.client.expectOk("PATCH", `/endpoints/${endpoint.id}`, { description: "same" });
    await suite.client.append(tenant, 2);
    const shown = await suite.client.endpointWhen(
      endpoint.id,
      ({ status }) => status === "disabled",
      15_000,
    );
    expect(shown.status_reason).toBe("nothing but failures for 5 days");
    const count = receiver.requests.length;
    await suite.client.append(tenant, 3);
    expect(receiver.requests).toHaveLength(count);
  });
});
