/** Endpoints that require receipts, endpoints that keep the order, and those that are polled. */
import { describe, expect, test } from "vitest";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import { openPushSuite } from "../support/push-suite.ts";
import { appendMany, header, repeated, sequenceOf, sequencesOf, upTo } from "../support/pushes.ts";
import type { Behaviour } from "../support/receiver.ts";
import { deadlineMs, gate, receiptsOf } from "../support/receipts.ts";
import { waitUntil } from "../support/wait.ts";

const refusing: Behaviour = { kind: "answer", status: 422 };
const accepting: Behaviour = { kind: "answer" };

const suite = openPushSuite();
const { pushTo } = suite;
const { send, outcomes, standing, when, delivery } = receiptsOf(() => suite.client);

const attemptOf = header("tidegate-attempt");
const previousOf = header("tidegate-previous-sequence");

async function hurry(id: string): Promise<void> {
  await suite.sql`update retries set due_at = now() where endpoint = ${endpointUuid(id) ?? ""}`;
}

async function appendSubjects(tenant: string, subjects: readonly string[]): Promise<string[]> {
  const events = subjects.map((subject) => ({ tenant, type: "a", subject, data: {} }));
  const { results } = await suite.client.expectOk("POST", "/events", { events });
  return (results as { id: string }[]).map(({ id }) => id);
}

describe("an endpoint that requires receipts", () => {
  test("has accepted events wait for theirs, and is not held up by them", async () => {
    const { tenant, receiver, id } = await pushTo(accepting, { require_receipt: true });
    const ids = await appendMany(suite.client, tenant, repeated("a", 3));
    await when(id, ({ awaiting_receipt: waiting }) => waiting?.length === 3);
    const shown = await suite.client.endpointWhen(id, ({ position }) => Number(position) === 3);
    expect(shown).toMatchObject({ retrying: 0, require_receipt: true });
    const path = `/endpoints/${id}/deliveries?status=awaiting_receipt`;
    const { deliveries } = await suite.client.expectOk("GET", path);
    expect(deliveries).toHaveLength(3);
    const [first = ""] = ids;
    const { attempt_log: log } = await suite.client.expectOk(
      "GET",
      `/deliveries/${(await delivery(id, first)).id}`,
    );
    expect(log).toMatchObject([{ attempt: 1, status_code: 200, error: null }]);

    expect(await outcomes(id, ids, { detail: "done" })).toEqual(repeated("settled", 3));
    expect(await standing(id)).toEqual({ delivered: [1, 2, 3] });
    expect(await delivery(id, first)).toMatchObject({
      ...{ status: "delivered", attempts: 1, last_error: null },
      receipt: { status: "processed", detail: "done" },
    });
    expect(receiver.requests).toHaveLength(3);
  });

  test("gets an event again when no receipt comes, until its schedule is over", async () => {
    const settings = { require_receipt: true, receipt_timeout_ms: 1_000, retry_schedule: ["1s"] };
    const { tenant, receiver, id } = await pushTo(accepting, settings);
    const [event = ""] = await appendMany(suite.client, tenant, ["a"]);
    await when(id, ({ dead }) => dead?.length === 1);
    expect(receiver.requests.map(attemptOf)).toEqual(["1", "2"]);
    const { id: name, ...shown } = await delivery(id, event);
    expect(shown).toMatchObject({
      ...{ status: "dead", attempts: 2 },
      last_error: "receipt: none within 1 s (2 attempts failed)",
    });
    const { attempt_log: log } = await suite.client.expectOk("GET", `/deliveries/${name}`);
    const error = { class: "receipt", message: "none within 1 s" };
    expect(log).toMatchObject([
      { attempt: 1, status_code: 200, error },
      { attempt: 2, status_code: 200, error },
    ]);
    expect(await suite.client.endpoint(id)).toMatchObject({
      circuit: { state: "closed" },
      status: "active",
    });
    // Too late for this one, but what was processed was.
    expect(await outcomes(id, [event])).toEqual(["settled"]);
  });

  test("tells of a missed receipt while it waits for the next, which settles it", async () => {
    const settings = { require_receipt: true, receipt_timeout_ms: 2_000 };
    const { tenant, receiver, id } = await pushTo(accepting, settings);
    const [event = ""] = await appendMany(suite.client, tenant, ["a"]);
    await receiver.received(2, deadlineMs);
    await waitUntil(async () => (await delivery(id, event)).attempts === 2, { deadlineMs });
    expect(await delivery(id, event)).toMatchObject({
      ...{ status: "awaiting_receipt", last_error: "receipt: none within 2 s" },
    });
    expect(await outcomes(id, [event])).toEqual(["settled"]);
    expect(await delivery(id, event)).toMatchObject({ status: "delivered", last_error: null });
  });

  test("that says an event has failed gets it by the schedule", async () => {
    const settings = { require_receipt: true, retry_schedule: ["1s"] };
    const { tenant, receiver, id } = await pushTo(accepting, settings);
    const [event = ""] = await appendMany(suite.client, tenant, ["a"]);
    await when(id, ({ awaiting_receipt: waiting }) => waiting?.length === 1);
    expect(await outcomes(id, [event], { status: "failed", detail: "no" })).toEqual(["retrying"]);
    await receiver.received(2, deadlineMs);
    await when(id, ({ awaiting_receipt: waiting }) => waiting?.length === 1);
    expect(await outcomes(id, [event], { status: "failed", detail: "no" })).toEqual(["dead"]);
    expect(await delivery(id, event)).toMatchObject({
      ...{ attempts: 2, last_error: "receipt: no (2 attempts failed)" },
    });
  });

  test("that requires none any more has what waits delivered when its time is up", async () => {
    const { tenant, receiver, id } = await pushTo(accepting, { require_receipt: true });
    await appendMany(suite.client, tenant, ["a"]);
    await when(id, ({ awaiting_receipt: waiting }) => waiting?.length === 1);
    await hurry(id);
    await suite.client.expectOk("PATCH", `/endpoints/${id}`, { require_receipt: null });
    await when(id, ({ delivered }) => delivered?.length === 1);
    expect(receiver.requests).toHaveLength(1);
  });

  test("has the log wait for each receipt under fifo", async () => {
    const settings = { require_receipt: true, ordering: "fifo", max_in_flight: 10 };
    const { tenant, receiver, id } = await pushTo(accepting, settings);
    const ids = await appendMany(suite.client, tenant, repeated("a", 6));
    for (const [index, event] of ids.entries()) {
      await receiver.received(index + 1, deadlineMs);
      await when(id, ({ awaiting_receipt: waiting }) => waiting?.[0] === index + 1);
      expect(receiver.requests).toHaveLength(index + 1);
      await outcomes(id, [event]);
    }
    await when(id, ({ delivered }) => delivered?.length === 6);
    expect(receiver.requests.map(sequenceOf)).toEqual(upTo(6));
  });

  test("has only its subject wait for each receipt under subject", async () => {
    const settings = { require_receipt: true, ordering: "subject" };
    const { tenant, receiver, id } = await pushTo(accepting, settings);
    const ids = await appendSubjects(tenant, ["a", "a", "b", "a", "b"]);
    await when(id, ({ awaiting_receipt: waiting }) => waiting?.length === 2);
    expect(sequencesOf(receiver.requests)).toEqual([1, 3]);
    await outcomes(id, [ids[0] ?? ""]);
    await when(id, ({ awaiting_receipt: waiting }) => waiting?.join() === "2,3");
    // One whose turn has not come yet is passed over.
    await outcomes(id, [ids[3] ?? "", ids[1] ?? ""]);
    await outcomes(id, [ids[2] ?? ""]);
    await receiver.received(4, deadlineMs);
    await when(id, ({ awaiting_receipt: waiting }) => waiting?.join() === "5");
    await outcomes(id, [ids[4] ?? ""]);
    expect(await standing(id)).toEqual({ delivered: [1, 2, 3, 5], settled: [4] });
    await waitUntil(
      async () => {
        const left = await suite.sql`
          select from blocked_subjects where endpoint = ${endpointUuid(id) ?? ""}`;
        return left.length === 0;
      },
      { deadlineMs, what: "the subjects merged" },
    );
    expect(receiver.requests.map(sequenceOf)).not.toContain(4);
  });
});

describe("where the order is kept", () => {
  test.each(["fifo", "subject"])("a receipt for the head lets the %s go on", async (ordering) => {
    const settings = { ordering, retry_schedule: ["1h"] };
    const { tenant, receiver, id } = await pushTo(
      (request) => (sequenceOf(request) === 1 ? refusing : accepting),
      settings,
    );
    const ids = await appendSubjects(tenant, repeated("s", 5));
    await when(id, ({ retrying }) => retrying?.length === 1);
    await outcomes(id, [ids[0] ?? "", ids[2] ?? ""]);
    await when(id, ({ delivered }) => delivered?.length === 3);
    expect(receiver.requests.map(sequenceOf)).toEqual([1, 2, 4, 5]);
    expect(receiver.requests.map(previousOf).map(Number)).toEqual([0, 1, 3, 4]);
  });

  test.each(["fifo", "subject"])(
    "a receipt for the head of a %s that is under way does too",
    async (ordering) => {
      const { released, release } = gate();
      const { tenant, receiver, id } = await pushTo(
        async (request) => {
          if (sequenceOf(request) !== 1) return accepting;
          await released;
          return refusing;
        },
        { ordering, retry_schedule: ["1h"] },
      );
      const ids = await appendSubjects(tenant, repeated("s", 3));
      await receiver.received(1);
      await outcomes(id, [ids[0] ?? ""]);
      release();
      await when(id, ({ delivered }) => delivered?.length === 2);
      expect(receiver.requests.map(sequenceOf)).toEqual([1, 2, 3]);
      expect(await standing(id)).toEqual({ settled: [1], delivered: [2, 3] });
    },
  );

  test.each(["fifo", "subject"])(
    "a receipt through a cursor lets the %s go on",
    async (ordering) => {
      const { tenant, receiver, id } = await pushTo(
        (request) => (sequenceOf(request) <= 2 ? refusing : accepting),
        { ordering, retry_schedule: ["1h"] },
      );
      await appendSubjects(tenant, ["s", "t", "s", "t", "s", "t", "s"]);
      await when(id, ({ retrying }) => (retrying?.length ?? 0) === (ordering === "fifo" ? 1 : 2));
      const { cursor } = await suite.client.page(tenant, { limit: "4" });
      await send(id, { through: cursor, status: "processed" });
      await when(id, ({ delivered }) => delivered?.length === 3);
      const after = sequencesOf(receiver.requests).filter((each) => each > 2);
      expect(after).toEqual([5, 6, 7]);
      expect(
        await suite.client.endpointWhen(id, ({ position }) => Number(position) === 7),
      ).toMatchObject({ retrying: 0 });
    },
  );
});

describe("an endpoint that is polled", () => {
  test("goes on where the receipts have got to when it is pushed to again", async () => {
    const { tenant, receiver, id } = await pushTo(accepting, { types: ["a"] });
    const mixed = Array.from({ length: 30 }, (_, index) => (index % 3 === 2 ? "b" : "a"));
    await appendMany(suite.client, tenant, mixed);
    await receiver.received(20, deadlineMs);
    await suite.client.endpointWhen(id, ({ position }) => Number(position) === 30);
    await suite.client.act(id, "poll");
    await appendMany(suite.client, tenant, mixed);

    // Three pages of its events: one confirmed by ids, one by its cursor, one in part.
    const pages = [];
    let cursor = "";
    for (let page = 0; page < 3; page += 1) {
      const place = cursor === "" ? { from: "earliest" } : { cursor };
      const found = await suite.client.page(tenant, { endpoint: id, limit: "10", ...place });
      cursor = found.cursor;
      pages.push(found);
    }
    const third = pages[2];
    const idsOf = (page: typeof third, from = 0) =>
      page?.events.slice(from).map((one) => one.id) ?? [];
    expect(await outcomes(id, idsOf(pages[0]))).toEqual(repeated("settled", 10));
    await send(id, { through: pages[1]?.cursor, status: "processed" });
    expect(Number((await suite.client.endpoint(id)).position)).toBe(30);
    expect(await outcomes(id, idsOf(third).slice(0, 4))).toEqual(repeated("settled", 4));
    expect(await outcomes(id, idsOf(third).slice(5, 6))).toEqual(["settled"]);
    const shown = await suite.client.endpoint(id);
    expect(shown).toMatchObject({ status: "polling" });
    // Over the four, and what is not for it behind them; the sixth stands above.
    expect(Number(shown.position)).toBe(36);
    expect(receiver.requests).toHaveLength(20);

    await suite.client.act(id, "resume");
    await suite.client.endpointWhen(id, ({ position }) => Number(position) === 60, deadlineMs);
    const matching = upTo(60, 31).filter((sequence) => sequence % 3 !== 0);
    const rest = matching.filter((_, index) => index === 4 || index > 5);
    const pushed = receiver.requests.slice(20);
    expect(sequencesOf(pushed)).toEqual(rest);
    for (const request of pushed) {
      const before = matching[matching.indexOf(sequenceOf(request)) - 1] ?? 29;
      expect(Number(previousOf(request))).toBe(before);
    }
  });
});
