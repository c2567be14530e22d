/**
 * Subjects that an endpoint is behind with, where they are easily forgotten: ahead of the position,
 * behind an open circuit, after a change of the ordering, after a restart.
 */
import { describe, expect, test } from "vitest";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import { createClient, type ShownEndpoint } from "../support/client.ts";
import { startTestGateway } from "../support/gateway.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { openPushSuite } from "../support/push-suite.ts";
import { header, sequenceOf, sequencesOf, upTo } from "../support/pushes.ts";
import type { Behave, Received } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

const suite = openPushSuite();
const { pushTo, receiverThat } = suite;

const soon = { retry_schedule: ["1s", "1s", "1s"] };

/** Appends an event for each subject, in this order. */
async function append(tenant: string, subjects: readonly string[], client = suite.client) {
  const events = subjects.map((subject) => ({ tenant, type: "a", data: {}, subject }));
  await client.expectOk("POST", "/events", { events });
}

/** Different ones: they open the window of an endpoint. */
const warmUp = upTo(10).map((n) => `warm_${n}`);

function isFirstOf(sequence: number) {
  return (request: Received) =>
    sequenceOf(request) === sequence && header("tidegate-attempt")(request) === "1";
}

const refuse = { kind: "answer", status: 400 } as const;
const accept = { kind: "answer" } as const;

/** 11 takes its time, and 12 is refused once: so what follows 12 is ahead of the position. */
function slowAt11(afterMs: number): Behave {
  const isRefused = isFirstOf(12);
  return (request) => {
    if (isRefused(request)) return refuse;
    return sequenceOf(request) === 11 ? { ...accept, afterMs } : accept;
  };
}

function isDone(last: number) {
  return ({ position, retrying }: ShownEndpoint) => Number(position) === last && retrying === 0;
}

function isAt(sequence: number) {
  return ({ position }: ShownEndpoint) => Number(position) === sequence;
}

const isOpen = ({ circuit }: ShownEndpoint) => circuit.state !== "closed";

async function blocked(id: string): Promise<number> {
  const endpoint = endpointUuid(id) ?? null;
  return (await suite.sql`select from blocked_subjects where endpoint = ${endpoint}`).length;
}

describe("a subject that has caught up before the position has come past it", () => {
  const settings = { ordering: "subject", timeout_ms: 20_000, ...soon };

  test("loses nothing of what is appended then", async () => {
    const { tenant, receiver, id } = await pushTo(slowAt11(5_000), settings);
    await append(tenant, warmUp);
    await receiver.received(10);
    await append(tenant, ["slow", "a", "a"]);
    await receiver.received(14);
    for (let n = 14; n <= 17; n += 1) {
      await append(tenant, ["a"]);
      await receiver.received(n + 1);
    }
    await suite.client.endpointWhen(id, isDone(17));
    expect(sequencesOf(receiver.requests)).toEqual([...upTo(12), ...upTo(17, 12)]);
    await waitUntil(async () => (await blocked(id)) === 0);
  });

  test("does not hold up the endpoint when it becomes fifo", async () => {
    const { tenant, receiver, id } = await pushTo(slowAt11(15_000), settings);
    await append(tenant, warmUp);
    await receiver.received(10);
    await append(tenant, ["slow", "a", "a"]);
    await receiver.received(14);
    receiver.behave(accept);
    await suite.client.expectOk("PATCH", `/endpoints/${id}`, { ordering: "fifo" });
    await append(tenant, ["other", "a"]);
    await suite.client.endpointWhen(id, isDone(15));
    expect(receiver.requests.slice(-2).map(sequenceOf)).toEqual([14, 15]);
  });
});

describe("behind an open circuit", () => {
  test.each(["subject", "fifo"])("a subject alone is probed with: %s", async (ordering) => {
    const isRefused = isFirstOf(1);
    const { tenant, receiver, id } = await pushTo(
      (request) => (isRefused(request) ? refuse : { kind: "answer", status: 503 }),
      { ordering: "subject", retry_schedule: ["1s"] },
    );
    await append(tenant, Array<string>(12).fill("a"));
    await suite.client.endpointWhen(id, isOpen, 25_000);
    receiver.behave(accept);
    if (ordering === "fifo") {
      await suite.client.expectOk("PATCH", `/endpoints/${id}`, { ordering });
    }
    await append(tenant, ["a"]);
    await suite.client.endpointWhen(id, (shown) => !isOpen(shown) && isDone(13)(shown), 30_000);
    await waitUntil(async () => (await blocked(id)) === 0, { deadlineMs: 20_000 });
    await suite.client.endpointWhen(id, isDone(13));
    expect(receiver.requests.slice(-3).map(sequenceOf)).toEqual([11, 12, 13]);
  });

  test("an endpoint that is behind with as many subjects as it may be is probed", async () => {
    const { tenant, receiver, id } = await pushTo(refuse, {
      ...{ ordering: "subject", max_in_flight: 100 },
      retry_schedule: Array<string>(20).fill("5s"),
    });
    await append(
      tenant,
      upTo(1_000).map((n) => `subject_${n}`),
    );
    await suite.client.endpointWhen(id, ({ retrying }) => retrying >= 1_000, 20_000);
    await append(
      tenant,
      upTo(50).map((n) => `late_${n}`),
    );
    receiver.behave({ kind: "answer", status: 503 });
    await suite.client.endpointWhen(id, isOpen, 20_000);
    receiver.behave(accept);
    await suite.client.endpointWhen(id, (shown) => !isOpen(shown) && isDone(1_050)(shown), 30_000);
    expect(new Set(sequencesOf(receiver.requests))).toEqual(new Set(upTo(1_050)));
  });
});

test("what failed before an endpoint asked for order is not taken for the subject's next", async () => {
  const { tenant, receiver, id } = await pushTo(
    (request) => {
      if (sequenceOf(request) === 13) return refuse;
      return sequenceOf(request) > 10 ? { kind: "hang" } : accept;
    },
    { retry_schedule: Array<string>(5).fill("1h"), timeout_ms: 20_000 },
  );
  await append(tenant, warmUp);
  await receiver.received(10);
  await append(tenant, ["a", "a", "a"]);
  await receiver.received(13);
  await suite.client.endpointWhen(id, ({ retrying }) => retrying === 1);
  let refusals = 0;
  receiver.behave((request) => {
    return sequenceOf(request) === 11 && (refusals += 1) === 1 ? refuse : accept;
  });
  // 13 is due; 11 fails once more and blocks the subject.
  await suite.sql`update retries set due_at = now() where endpoint = ${endpointUuid(id) ?? null}`;
  await suite.client.expectOk("PATCH", `/endpoints/${id}`, { ordering: "subject", ...soon });
  await suite.client.endpointWhen(id, isDone(13), 20_000);
  await waitUntil(async () => (await blocked(id)) === 0);
  expect(new Set(receiver.requests.slice(13).map(sequenceOf))).toEqual(new Set([11, 12, 13]));
});

test("a retry ahead of the position holds its subject back when a lane is opened anew", async () => {
  const settings = { ordering: "subject", timeout_ms: 20_000, retry_schedule: ["1h"] };
  const { tenant, receiver, id } = await pushTo(slowAt11(15_000), settings);
  await append(tenant, warmUp);
  await receiver.received(10);
  await append(tenant, ["slow", "a"]);
  await suite.client.endpointWhen(id, ({ retrying }) => retrying === 1);
  receiver.behave(accept);
  await suite.client.expectOk("PATCH", `/endpoints/${id}`, { timeout_ms: 10_000 });
  await suite.client.endpointWhen(id, isAt(12));
  await append(tenant, ["a", "other"]);
  await receiver.received(14);
  expect(receiver.requests.slice(12).map(sequenceOf)).toEqual([11, 14]);
});

test("a subject is gone on with after a restart, although nothing else is left to do", async () => {
  await using shared = await createTestDatabase();
  const first = await startTestGateway({ DATABASE_URL: shared.url });
  const admin = createClient(first.url, first.operatorKey);
  await admin.tenant("acme");
  const isRefused = isFirstOf(1);
  const receiver = await receiverThat((request) => {
    if (isRefused(request)) return refuse;
    return sequenceOf(request) === 2 ? { kind: "hang" } : accept;
  });
  const settings = { url: receiver.url, ordering: "subject", timeout_ms: 30_000, ...soon };
  const { id } = await admin.createEndpoint("acme", settings);
  await append("acme", ["a", "a", "a"], admin);
  await receiver.received(3);
  await admin.endpointWhen(id, isDone(3));
  receiver.behave(accept);
  await first.stop();
  await using second = await startTestGateway(first.environment);
  await receiver.received(5, 20_000);
  expect(receiver.requests.slice(3).map(sequenceOf)).toEqual([2, 3]);
  await createClient(second.url, second.operatorKey).endpointWhen(id, isDone(3));
});
