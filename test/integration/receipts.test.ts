/** What consumers say of events, and what is pushed to them after that. */
import { describe, expect, test } from "vitest";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import { createReceiptChore } from "../../src/deliveries/receipt-chore.ts";
import { openPushSuite } from "../support/push-suite.ts";
import {
  appendMany,
  eventOf,
  header,
  repeated,
  sequenceOf,
  sequencesOf,
  upTo,
} from "../support/pushes.ts";
import type { Behaviour, Received } from "../support/receiver.ts";
import { deadlineMs, gate, receiptsOf } from "../support/receipts.ts";
import { waitUntil } from "../support/wait.ts";

/** Unlike a 5xx it opens no circuit. */
const refusing: Behaviour = { kind: "answer", status: 422 };
const accepting: Behaviour = { kind: "answer" };

/** So that nothing is retried while a test looks. */
const later = { retry_schedule: ["1h", "1h"] };

const suite = openPushSuite();
const { pushTo } = suite;
const { send, outcomes, standing, when, delivery } = receiptsOf(() => suite.client);

const previousOf = header("tidegate-previous-sequence");

/** Retries are due now. */
async function hurry(id: string): Promise<void> {
  await suite.sql`update retries set due_at = now() where endpoint = ${endpointUuid(id) ?? ""}`;
}

describe("a receipt for events", () => {
  test("ends their retries, and settles dead letters and what was not pushed yet", async () => {
    const { tenant, receiver, id } = await pushTo(
      (request) =>
        sequenceOf(request) === 1
          ? accepting
          : sequenceOf(request) === 3
            ? { kind: "answer", status: 422, headers: { "webhook-delivery": "abort-message" } }
            : refusing,
      { ...later, types: ["a"] },
    );
    const ids = await appendMany(suite.client, tenant, ["a", "a", "a", "b"]);
    await when(id, ({ delivered, retrying, dead }) =>
      [delivered, retrying, dead].every((some) => some?.length === 1),
    );
    await suite.client.act(id, "pause");
    ids.push(...(await appendMany(suite.client, tenant, ["a", "a"])));
    expect(await outcomes(id, [...ids, "evt_2026-11-23_none"], { detail: "by hand" })).toEqual([
      ...["settled", "settled", "settled", "unmatched", "settled", "settled", "unknown"],
    ]);
    expect(await standing(id)).toEqual({ delivered: [1], settled: [2, 3, 5, 6] });
    expect(await outcomes(id, ids)).toEqual([
      ...["unchanged", "unchanged", "unchanged", "unmatched", "unchanged", "unchanged"],
    ]);
    // Nobody drives it: the position has moved over what is settled, and does not match.
    expect(await suite.client.endpoint(id)).toMatchObject({ retrying: 0, dead: 0 });
    expect(Number((await suite.client.endpoint(id)).position)).toBe(6);
    const [, , , , unpushed = ""] = ids;
    expect(await delivery(id, unpushed)).toMatchObject({
      ...{ status: "settled", attempts: 0, first_attempt_at: null },
      receipt: { status: "processed", detail: "by hand" },
    });

    receiver.behave(accepting);
    await suite.client.act(id, "resume");
    await appendMany(suite.client, tenant, ["a"]);
    const requests = await receiver.received(4, deadlineMs);
    expect(requests.map((request) => [sequenceOf(request), Number(previousOf(request))])).toEqual([
      [1, 0],
      [2, 1],
      [3, 2],
      [7, 6],
    ]);
  });

  test("takes them out of what a live lane holds, and no other", async () => {
    const { released, release } = gate();
    const { tenant, receiver, id } = await pushTo(
      async () => {
        await released;
        return accepting;
      },
      { max_in_flight: 1 },
    );
    const ids = await appendMany(suite.client, tenant, repeated("a", 10));
    await receiver.received(1);
    const some = ids.filter((_, index) => index % 2 === 1);
    expect(await outcomes(id, some)).toEqual(repeated("settled", 5));
    release();
    await suite.client.endpointWhen(id, ({ position }) => Number(position) === 10, deadlineMs);
    expect(sequencesOf(receiver.requests)).toEqual([1, 3, 5, 7, 9]);
    expect(await standing(id)).toEqual({ delivered: [1, 3, 5, 7, 9], settled: [2, 4, 6, 8, 10] });
  });

  test.each([
    { answer: accepting, detail: null },
    { answer: refusing, detail: "http: status 422" },
    { answer: { kind: "answer", status: 500 } as const, detail: "http: status 500" },
    { answer: { kind: "hang" } as const, detail: "timeout" },
  ])("is not undone by a push under way that ends with $detail", async ({ answer, detail }) => {
    const { released, release } = gate();
    const { tenant, receiver, id } = await pushTo(
      async () => {
        await released;
        return answer;
      },
      { timeout_ms: 1_000, retry_schedule: ["1s", "1s"] },
    );
    const [event = ""] = await appendMany(suite.client, tenant, ["a"]);
    await receiver.received(1);
    expect(await outcomes(id, [event])).toEqual(["settled"]);
    release();
    await waitUntil(async () => (await delivery(id, event)).attempts === 1, { deadlineMs });
    const { status, last_error: error, receipt } = await delivery(id, event);
    expect({ status, receipt }).toMatchObject({
      status: "settled",
      receipt: { status: "processed" },
    });
    if (detail === null) expect(error).toBeNull();
    else expect(error).toContain(detail);
    // What comes next shows that nothing is retried, and that the lane goes on.
    receiver.behave(accepting);
    await appendMany(suite.client, tenant, ["a"]);
    await when(id, ({ delivered }) => delivered?.length === 1);
    expect(await suite.client.endpoint(id)).toMatchObject({ retrying: 0 });
    expect(sequencesOf(receiver.requests)).toEqual([1, 2]);
  });
});

describe("a receipt that it failed", () => {
  test("sends what was delivered again, with its detail kept, to the end of the schedule", async () => {
    const { tenant, receiver, id } = await pushTo(accepting, { retry_schedule: ["1h"] });
    const [event = ""] = await appendMany(suite.client, tenant, ["a"]);
    await when(id, ({ delivered }) => delivered?.length === 1);
    const failed = { status: "failed", detail: "no stock" };
    expect(await outcomes(id, [event], failed)).toEqual(["retrying"]);
    expect(await delivery(id, event)).toMatchObject({
      ...{ status: "retrying", attempts: 1, last_error: "receipt: no stock", receipt: failed },
    });
    // It comes again with the same event before it, under the next number.
    await hurry(id);
    await appendMany(suite.client, tenant, ["a"]);
    await suite.client.act(id, "pause");
    await suite.client.act(id, "resume");
    await when(id, ({ delivered }) => delivered?.length === 2);
    const again = receiver.requests.filter((request) => sequenceOf(request) === 1);
    expect(again.map(header("tidegate-attempt"))).toEqual(["1", "2"]);
    expect(await outcomes(id, [event], failed)).toEqual(["dead"]);
    expect(await delivery(id, event)).toMatchObject({
      ...{ status: "dead", last_error: "receipt: no stock (2 attempts failed)" },
    });
    expect(await outcomes(id, [event])).toEqual(["settled"]);
    expect(await outcomes(id, [event], failed)).toEqual(["unchanged"]);
    expect(await standing(id)).toEqual({ settled: [1], delivered: [2] });
  });

  test("is told while its event has not been pushed: it is, by the first delay", async () => {
    const { tenant, receiver, id } = await pushTo(accepting, { retry_schedule: ["1s", "1h"] });
    await suite.client.act(id, "poll");
    const ids = await appendMany(suite.client, tenant, repeated("a", 3));
    expect(await outcomes(id, [ids[1] ?? ""], { status: "failed" })).toEqual(["retrying"]);
    await suite.client.act(id, "resume");
    const requests = await receiver.received(3, deadlineMs);
    expect(sequencesOf(requests)).toEqual([1, 2, 3]);
    const pushed = requests.find((request) => sequenceOf(request) === 2);
    expect(pushed && previousOf(pushed)).toBe(`${"0".repeat(19)}1`);
    expect(pushed && header("tidegate-attempt")(pushed)).toBe("1");
    await when(id, ({ delivered }) => delivered?.length === 3);
  });

  test("counts for a push that was under way when it came", async () => {
    const { released, release } = gate();
    const { tenant, receiver, id } = await pushTo(
      async (request) => {
        if (header("tidegate-attempt")(request) === "1") await released;
        return accepting;
      },
      { retry_schedule: ["1s", "1s"] },
    );
    const [event = ""] = await appendMany(suite.client, tenant, ["a"]);
    await receiver.received(1);
    expect(await outcomes(id, [event], { status: "failed" })).toEqual(["retrying"]);
    release();
    await when(id, ({ delivered }) => delivered?.length === 1);
    expect(receiver.requests.length).toBeGreaterThanOrEqual(2);
    expect(await suite.client.endpoint(id)).toMatchObject({ retrying: 0 });
  });

  /** What becomes of an attempt, named by its event's sequence and its number; others are accepted. */
  const plans: { plan: Record<string, "refused" | "failed">; order: string[] }[] = [
    { plan: { "1.1": "failed" }, order: ["1.1", "1.2", "2.1", "3.1"] },
    {
      plan: { "1.1": "refused", "1.2": "failed", "2.1": "failed" },
      order: ["1.1", "1.2", "1.3", "2.1", "2.2", "3.1"],
    },
  ];
  test.each(
    (["fifo", "subject"] as const).flatMap((ordering) =>
      plans.flatMap(({ plan, order }) =>
        [false, true].map((required) => ({ ordering, required, plan, order })),
      ),
    ),
  )("keeps the order of $ordering (required: $required): $plan", async (given) => {
    const { ordering, required, plan, order } = given;
    const told: string[] = [];
    const { tenant, receiver, id } = await pushTo(
      async (request) => {
        const what = plan[nameOf(request)];
        if (what === "refused") return refusing;
        if (what === "failed") {
          const failed = { status: "failed", detail: "no stock" };
          told.push(...(await outcomes(id, [eventOf(request)], failed)));
        } else if (required) await outcomes(id, [eventOf(request)]);
        return accepting;
      },
      { ordering, require_receipt: required, retry_schedule: repeated("1s", 4) },
    );
    const events = repeated("one", 3).map((subject) => ({ tenant, type: "a", subject, data: {} }));
    await suite.client.expectOk("POST", "/events", { events });
    await receiver.received(order.length, deadlineMs);
    await when(id, ({ delivered = [], settled = [] }) => delivered.length + settled.length === 3);
    expect(receiver.requests.map(nameOf)).toEqual(order);
    expect(told).toEqual(order.includes("1.3") ? ["retrying", "waiting"] : ["waiting"]);
    await suite.client.endpointWhen(
      id,
      ({ position, retrying }) => Number(position) === 3 && retrying === 0,
      deadlineMs,
    );
  });

  test.each(["fifo", "subject"])(
    "before its push changes nothing of its turn: %s",
    async (ordering) => {
      const { tenant, receiver, id } = await pushTo(accepting, { ordering, ...later });
      await suite.client.act(id, "poll");
      const events = repeated("one", 3).map((subject) => ({
        tenant,
        type: "a",
        subject,
        data: {},
      }));
      const { results } = await suite.client.expectOk("POST", "/events", { events });
      const ids = (results as { id: string }[]).map((one) => one.id);
      const failed = { status: "failed" };
      expect(await outcomes(id, [ids[1] ?? ""], failed)).toEqual(["waiting"]);
      expect(await outcomes(id, [ids[1] ?? ""], failed)).toEqual(["waiting"]);
      expect(await standing(id)).toEqual({});
      await suite.client.act(id, "resume");
      await when(id, ({ delivered }) => delivered?.length === 3);
      expect(receiver.requests.map(nameOf)).toEqual(["1.1", "2.1", "3.1"]);
      const { attempts } = await delivery(id, ids[1] ?? "");
      expect(attempts).toBe(1);
      expect(await suite.client.endpoint(id)).toMatchObject({ retrying: 0 });
    },
  );
});

test.each([
  { ordering: "parallel", outcome: "retrying" },
  { ordering: "fifo", outcome: "waiting" },
  { ordering: "subject", outcome: "waiting" },
])("a receipt that a push of after a step back failed counts: $ordering", async (given) => {
  const { tenant, receiver, id } = await pushTo(accepting, {
    ...{ ordering: given.ordering, retry_schedule: repeated("1s", 4), max_in_flight: 1 },
  });
  const events = repeated("one", 3).map((subject) => ({ tenant, type: "a", subject, data: {} }));
  await suite.client.expectOk("POST", "/events", { events });
  await suite.client.endpointWhen(id, ({ position }) => Number(position) === 3, deadlineMs);
  const { cursor } = await suite.client.page(tenant, { limit: "1" });
  let told: string[] | undefined;
  receiver.behave(async (request) => {
    if (told === undefined) told = await outcomes(id, [eventOf(request)], { status: "failed" });
    return accepting;
  });
  await suite.client.expectOk("POST", `/endpoints/${id}/resume`, { from: { cursor } });
  await receiver.received(6, deadlineMs);
  await when(id, ({ delivered }) => delivered?.length === 3);
  expect(told).toEqual([given.outcome]);
  const order = ["1.1", "2.1", "3.1", "2.1", "2.2", "3.1"];
  const found = receiver.requests.map(nameOf);
  if (given.ordering === "parallel") expect(found.toSorted()).toEqual(order.toSorted());
  else expect(found).toEqual(order);
});

/** An attempt by its event's sequence and its number. */
function nameOf(request: Received): string {
  return `${sequenceOf(request)}.${header("tidegate-attempt")(request)}`;
}

describe("a receipt through a cursor", () => {
  test("settles all up to there by one row, and nothing of it is pushed any more", async () => {
    const { tenant, receiver, id } = await pushTo(refusing, later);
    await appendMany(suite.client, tenant, repeated("a", 3));
    await suite.client.endpointWhen(id, ({ retrying }) => retrying === 3, deadlineMs);
    await suite.client.act(id, "pause");
    await appendMany(suite.client, tenant, repeated("a", 7));
    const { cursor } = await suite.client.page(tenant, { limit: "8" });
    const told = await send(id, { through: cursor, status: "processed", detail: "all" });
    expect(told).toEqual({ position: `${"0".repeat(19)}8`, passed: 5, settled: 3 });
    expect(await standing(id)).toEqual({ settled: [1, 2, 3] });
    const again = await send(id, { through: cursor, status: "processed" });
    expect(again).toEqual({ position: `${"0".repeat(19)}8`, passed: 0, settled: 0 });

    receiver.behave(accepting);
    await suite.client.act(id, "resume");
    const requests = await receiver.received(5, deadlineMs);
    expect(sequencesOf(requests.slice(3))).toEqual([9, 10]);
    expect(Number(requests.slice(3).map(previousOf).toSorted()[0])).toBe(8);
  });

  test("never moves a position back", async () => {
    const { tenant, receiver, id } = await pushTo(accepting);
    await appendMany(suite.client, tenant, repeated("a", 4));
    await receiver.received(4);
    await suite.client.endpointWhen(id, ({ position }) => Number(position) === 4);
    const { cursor } = await suite.client.page(tenant, { limit: "2" });
    expect(await send(id, { through: cursor, status: "processed" })).toMatchObject({ passed: 0 });
    expect(Number((await suite.client.endpoint(id)).position)).toBe(4);
  });

  test("of a live lane that is behind lets what is under way end, and pushes the rest once", async () => {
    const { released, release } = gate();
    const { tenant, receiver, id } = await pushTo(
      async () => {
        await released;
        return refusing;
      },
      { ...later, max_in_flight: 2 },
    );
    await appendMany(suite.client, tenant, repeated("a", 500));
    await receiver.received(1);
    const { cursor } = await suite.client.page(tenant, { limit: "490" });
    expect(await send(id, { through: cursor, status: "processed" })).toMatchObject({
      passed: 490,
    });
    const under = receiver.requests.length;
    receiver.behave(accepting);
    release();
    await suite.client.endpointWhen(id, ({ position }) => Number(position) === 500, deadlineMs);
    const after = sequencesOf(receiver.requests.slice(under)).filter((each) => each > 490);
    expect(after).toEqual(upTo(500, 491));
    expect(receiver.requests.length).toBe(under + 10);
    expect(await suite.client.endpoint(id)).toMatchObject({ retrying: 0 });
  });

  test("leaves to be pushed what a live lane has passed over, since its subject is behind", async () => {
    const { released, release } = gate();
    const { tenant, receiver, id } = await pushTo(
      async (request) => {
        if (sequenceOf(request) === 1) return refusing;
        if (sequenceOf(request) === 2) await released;
        return accepting;
      },
      { ...later, ordering: "subject" },
    );
    const subjects = ["behind", "slow", "behind", "behind", "behind", "quick"];
    const events = subjects.map((subject) => ({ tenant, type: "a", subject, data: {} }));
    await suite.client.expectOk("POST", "/events", { events });
    await when(id, ({ retrying, delivered }) => retrying?.[0] === 1 && delivered?.[0] === 6);
    // The position stands before what is under way, and the lane is far beyond.
    const { cursor } = await suite.client.page(tenant, { limit: "3" });
    expect(await send(id, { through: cursor, status: "processed" })).toMatchObject({ passed: 2 });
    release();
    await suite.client.endpointWhen(id, ({ position }) => Number(position) === 6, deadlineMs);
    await when(id, ({ delivered }) => delivered?.length === 4);
    expect(sequencesOf(receiver.requests).toSorted((a, b) => a - b)).toEqual([1, 2, 4, 5, 6]);
    expect(await standing(id)).toEqual({ delivered: [2, 4, 5, 6], settled: [1] });
  });
});

describe("the receipts of an event", () => {
  test("are listed by endpoint, also those through a cursor", async () => {
    const { tenant, receiver, id } = await pushTo(accepting);
    const other = await suite.client.createEndpoint(tenant, { url: receiver.url, types: ["a"] });
    const [one = "", two = ""] = await appendMany(suite.client, tenant, ["a", "b"]);
    await receiver.received(3, deadlineMs);
    await when(id, ({ delivered }) => delivered?.length === 2);
    await outcomes(id, [one], { status: "failed", detail: "no" });
    const { cursor } = await suite.client.page(tenant, { limit: "2" });
    await send(other.id, { through: cursor, status: "processed", detail: "all" });
    expect(await listed(one)).toEqual([
      { endpoint: id, event: one, status: "failed", detail: "no" },
      { endpoint: other.id, event: one, status: "processed", detail: "all" },
    ]);
    // The second event is not for the other endpoint, and of this one nothing was said.
    expect(await listed(two)).toEqual([]);
    expect(await listed(one, `&endpoint=${id}`)).toHaveLength(1);
    expect(await delivery(other.id, one)).toMatchObject({
      receipt: { status: "processed", detail: "all" },
    });
    const path = `/endpoints/${id}/deliveries?status=settled`;
    expect(await suite.client.expectOk("GET", path)).toMatchObject({ deliveries: [] });
  });

  test("through events that retention has taken go with them", async () => {
    const { tenant, id } = await pushTo(accepting);
    await appendMany(suite.client, tenant, ["a"]);
    const { cursor } = await suite.client.page(tenant, { limit: "1" });
    await send(id, { through: cursor, status: "processed" });
    const uuid = endpointUuid(id) ?? "";
    const count = async () =>
      (await suite.sql`select from receipt_ranges where endpoint = ${uuid}`).length;
    const chore = createReceiptChore({ sql: suite.sql });
    await chore.run({ isHeld: () => true });
    expect(await count()).toBe(1);
    await suite.sql`update receipt_ranges set day = '1969-12-31' where endpoint = ${uuid}`;
    await chore.run({ isHeld: () => true });
    expect(await count()).toBe(0);
  });
});

describe("a receipt is refused", () => {
  test.each([
    [{}, 422, "expected endpoint, status"],
    [{ events: [], status: "processed" }, 422, "/events"],
    [{ events: ["evt_1"], through: "x", status: "processed" }, 422, "expected endpoint, status"],
    [{ through: "x".repeat(64), status: "failed" }, 422, "/status"],
    [{ events: ["evt_1"], status: "processed", detail: "ü".repeat(513) }, 422, "at most 1 KiB"],
    [{ events: ["evt_1"], status: "done" }, 422, "/status"],
    [{ through: "x".repeat(64), status: "processed" }, 400, "cursor"],
    [{ endpoint: "ep_none", events: ["evt_1"], status: "processed" }, 404, "no such endpoint"],
  ])("%j: %i %s", async (body, status, detail) => {
    const { id } = await pushTo(accepting);
    const answer = await suite.client.call("POST", "/receipts", { endpoint: id, ...body });
    expect([answer.status, JSON.stringify(answer.json)]).toEqual([
      status,
      expect.stringContaining(detail),
    ]);
  });

  test("for a cursor ahead of the feed", async () => {
    const { tenant, id } = await pushTo(accepting);
    await appendMany(suite.client, tenant, repeated("a", 3));
    const { cursor } = await suite.client.page(tenant, { limit: "3" });
    await suite.sql`
      update heads set head = 2 where tenant = (select id from tenants where name = ${tenant})`;
    await suite.sql`
      delete from events where tenant = (select id from tenants where name = ${tenant})
        and sequence = 3`;
    const body = { endpoint: id, through: cursor, status: "processed" };
    const answer = await suite.client.call("POST", "/receipts", body);
    expect([answer.status, answer.json["type"]]).toEqual([
      410,
      "https://tidegate.dev/problems/cursor-ahead",
    ]);
  });
});

async function listed(event: string, more = ""): Promise<Record<string, unknown>[]> {
  const { receipts } = await suite.client.expectOk("GET", `/receipts?event=${event}${more}`);
  return (receipts as Record<string, unknown>[]).map(({ endpoint, event: of, status, detail }) => {
    return { endpoint, event: of, status, detail };
  });
}
