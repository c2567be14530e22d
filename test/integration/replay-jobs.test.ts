/** Replays that are interrupted: by their users, by the receiver, by the end of a process. */
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { createClient } from "../support/client.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { createDirectory, productionEnvironment, startGatewayProcess } from "../support/process.ts";
import { openPushSuite } from "../support/push-suite.ts";
import { upTo } from "../support/pushes.ts";
import { startReceiver, type Behave, type Behaviour } from "../support/receiver.ts";
import {
  askForReplay,
  pushesOf,
  replayWhen,
  sequencesOf,
  whenCompleted,
} from "../support/replays.ts";
import { waitUntil } from "../support/wait.ts";

const deadlineMs = 20_000;

const suite = openPushSuite();

const accept: Behaviour = { kind: "answer" };

/** A second and more for a few hundred events, whatever the machine. */
const slow: Behave = async () => {
  await delay(10);
  return accept;
};

/** An endpoint to which so many events have been delivered. */
async function delivered(events: number, behaviour?: Behaviour | Behave, settings = {}) {
  const { client } = suite;
  const { tenant, receiver, id } = await suite.pushTo(undefined, settings);
  await appendBatch(tenant, events);
  await client.endpointWhen(id, ({ position }) => Number(position) === events, deadlineMs);
  if (behaviour !== undefined) receiver.behave(behaviour);
  return { tenant, receiver, id };
}

async function appendBatch(tenant: string, count: number, client = suite.client): Promise<void> {
  const events = upTo(count).map((n) => ({ tenant, type: "order.created", data: { n } }));
  await client.expectOk("POST", "/events", { events });
}

describe("a replay", () => {
  test("goes on where it was when its endpoint is resumed", async () => {
    const { client } = suite;
    const { receiver, id } = await delivered(300, slow);
    const asked = await askForReplay(client, id, { status: "all" });
    await replayWhen(client, asked, ({ sent }) => sent >= 20);
    await client.act(id, "pause");
    const waiting = await replayWhen(client, asked, (now) => now.waiting_for === "paused");
    expect(waiting).toMatchObject({ status: "running" });
    await client.act(id, "resume");
    const done = await whenCompleted(client, asked);
    expect(done).toMatchObject({ sent: 300, failed: 0, total: 300, waiting_for: null });
    const sent = sequencesOf(pushesOf(receiver.requests, asked.id));
    expect(new Set(sent)).toEqual(new Set(upTo(300)));
    // What was under way when it was paused comes again, and nothing else.
    expect(sent.length).toBeLessThanOrEqual(300 + 50);
  });

  test("waits while the circuit is open, and burns nothing", async () => {
    const { client } = suite;
    const { receiver, id } = await delivered(200, slow);
    const asked = await askForReplay(client, id, { status: "all" });
    await replayWhen(client, asked, ({ sent }) => sent >= 20);
    receiver.behave({ kind: "answer", status: 503 });
    await replayWhen(client, asked, (now) => now.waiting_for === "circuit");
    receiver.behave(accept);
    const done = await whenCompleted(client, asked);
    expect(done).toMatchObject({ sent: 200, failed: 0, total: 200 });
    expect(await client.endpoint(id)).toMatchObject({ dead: 0, retrying: 0 });
  });

  test("of dead letters does not fail them anew while the receiver is away", async () => {
    const { client } = suite;
    const settings = { retry_schedule: [], drain_dead_letters: false };
    const { tenant, receiver, id } = await suite.pushTo({ kind: "answer", status: 400 }, settings);
    await appendBatch(tenant, 30);
    await client.endpointWhen(id, ({ dead }) => dead === 30, deadlineMs);
    receiver.behave({ kind: "answer", status: 500 });
    const asked = await askForReplay(client, id, { status: "dead" });
    await replayWhen(client, asked, (now) => now.waiting_for === "circuit");
    receiver.behave(accept);
    expect(await whenCompleted(client, asked)).toMatchObject({ sent: 30, failed: 0, total: 30 });
    expect(await client.endpoint(id)).toMatchObject({ dead: 0, circuit: { state: "closed" } });
  });

  test("counts a fault against the event when the receiver takes the others", async () => {
    const { client } = suite;
    const { receiver, id } = await delivered(20, ({ headers }) => ({
      kind: "answer",
      status: Number(headers["tidegate-sequence"]) % 10 === 0 ? 500 : 200,
    }));
    const asked = await askForReplay(client, id, { status: "all" });
    expect(await whenCompleted(client, asked)).toMatchObject({ sent: 18, failed: 2, total: 20 });
    expect(pushesOf(receiver.requests, asked.id)).toHaveLength(20);
  });

  test("waits as long as a receiver asks that only wants less", async () => {
    const { client } = suite;
    let refusals = 0;
    const { receiver, id } = await delivered(20, ({ headers }) => {
      const isOne = headers["tidegate-sequence"]?.toString().endsWith("7") === true;
      if (!isOne || (refusals += 1) > 3) return accept;
      return { kind: "answer", status: 429, headers: { "retry-after": "1" } };
    });
    const asked = await askForReplay(client, id, { status: "all" });
    expect(await whenCompleted(client, asked)).toMatchObject({ sent: 20, failed: 0, total: 20 });
    const [first, ...again] = pushesOf(receiver.requests, asked.id).filter(
      ({ headers }) => Number(headers["tidegate-sequence"]) === 7,
    );
    expect(again.length).toBeGreaterThan(0);
    for (const { at } of again) expect(at - (first?.at ?? at)).toBeGreaterThanOrEqual(900);
  });

  test("counts what it had sent behind one that was interrupted", async () => {
    const { client } = suite;
    const settings = { retry_schedule: [], drain_dead_letters: false, timeout_ms: 2_000 };
    const { tenant, receiver, id } = await suite.pushTo({ kind: "answer", status: 400 }, settings);
    await appendBatch(tenant, 20);
    await client.endpointWhen(id, ({ dead }) => dead === 20, deadlineMs);
    let hung = 0;
    receiver.behave(({ headers }) => {
      const isFirst = Number(headers["tidegate-sequence"]) === 1;
      return isFirst && (hung += 1) === 1 ? { kind: "hang" } : accept;
    });
    const asked = await askForReplay(client, id, { status: "dead" });
    await client.endpointWhen(id, ({ dead }) => dead === 1, deadlineMs);
    await client.act(id, "pause");
    await client.act(id, "resume");
    const done = await whenCompleted(client, asked);
    expect(done).toMatchObject({ sent: 20, failed: 0, total: 20 });
    expect(sequencesOf(pushesOf(receiver.requests, asked.id)).toSorted((a, b) => a - b)).toEqual([
      ...[1, ...upTo(20)],
    ]);
  });

  test("that is cancelled sends no more", async () => {
    const { client } = suite;
    const { receiver, id } = await delivered(500, slow);
    const asked = await askForReplay(client, id, { status: "all" });
    await replayWhen(client, asked, ({ sent }) => sent >= 10);
    await client.expectOk("DELETE", `/replays/${asked.id}`);
    const cancelled = await replayWhen(client, asked, ({ status }) => status === "cancelled");
    // Attempts that were under way then are still told.
    const last = await waitUntil(
      async () => {
        const now = await replayWhen(client, asked, () => true);
        return now.sent === pushesOf(receiver.requests, asked.id).length && now;
      },
      { deadlineMs, what: "the last attempts" },
    );
    expect(last).toMatchObject({ status: "cancelled", failed: 0 });
    expect(last.sent).toBeGreaterThanOrEqual(cancelled.sent);
    expect(last.sent).toBeLessThan(500);
    // The endpoint is served on, and a job that is over is not cancelled.
    const other = await askForReplay(client, id, { status: "dead" });
    await whenCompleted(client, other);
    await client.expectOk("DELETE", `/replays/${other.id}`);
    expect(await replayWhen(client, other, () => true)).toMatchObject({ status: "completed" });
  });

  test("comes after what is live, and comes all the same", async () => {
    const { client } = suite;
    const { tenant, receiver, id } = await delivered(300, slow, { max_in_flight: 4 });
    const asked = await askForReplay(client, id, { status: "all" });
    await replayWhen(client, asked, ({ sent }) => sent >= 5);
    const before = receiver.requests.length;
    await appendBatch(tenant, 200);
    await client.endpointWhen(id, ({ position }) => Number(position) === 500, deadlineMs);
    const during = receiver.requests.slice(before);
    const firstLive = during.findIndex(({ headers }) => headers["tidegate-replay"] === undefined);
    const lastLive = during.findLastIndex(
      ({ headers }) => headers["tidegate-replay"] === undefined,
    );
    const between = during.slice(firstLive, lastLive + 1);
    const replayed = pushesOf(between, asked.id).length;
    expect(between.length - replayed).toBe(200);
    expect(replayed).toBeGreaterThan(0);
    // A quarter of the window at most, which is one at a time: behind each come three live ones.
    expect(replayed).toBeLessThan(100);
    expect(await whenCompleted(client, asked)).toMatchObject({ sent: 300, failed: 0 });
  });

  test("of one event does not wait for that of many", async () => {
    const { client } = suite;
    const { id } = await delivered(400, slow);
    const many = await askForReplay(client, id, { status: "all" });
    await replayWhen(client, many, ({ sent }) => sent >= 5);
    const { deliveries } = await client.expectOk("GET", `/endpoints/${id}/deliveries?limit=1`);
    const [last] = deliveries as { id: string }[];
    const one = await client.expectOk("POST", `/deliveries/${last?.id ?? ""}/replay`);
    await whenCompleted(client, { id: String(one["id"]) });
    expect(await replayWhen(client, many, () => true)).toMatchObject({ status: "running" });
    await client.expectOk("DELETE", `/replays/${many.id}`);
  });
});

describe("processes that end", () => {
  let opened = new AsyncDisposableStack();

  afterEach(async () => {
    await opened.disposeAsync();
    opened = new AsyncDisposableStack();
  });

  test("leave a replay to another one, which counts every event once", async () => {
    const database = opened.use(await createTestDatabase());
    const directory = opened.use(await createDirectory());
    const env = productionEnvironment(database.url);
    const start = async () =>
      opened.use(await startGatewayProcess({ directory: directory.path, env }));
    const receiver = opened.use(await startReceiver());
    const first = await start();
    const client = createClient(first.url, first.operatorKey);
    await client.tenant("acme");
    const { id } = await client.createEndpoint("acme", { url: receiver.url });
    await appendBatch("acme", 600, client);
    await client.endpointWhen(id, ({ position }) => Number(position) === 600, deadlineMs);
    receiver.behave(({ headers }) => ({
      ...{ kind: "answer", afterMs: 10 },
      status: Number(headers["tidegate-sequence"]) % 50 === 0 ? 409 : 200,
    }));
    const asked = await askForReplay(client, id, { status: "all" });
    const second = await start();
    const other = createClient(second.url, second.operatorKey);
    await replayWhen(client, asked, ({ sent }) => sent >= 100);
    await first.kill();
    const done = await whenCompleted(other, asked);
    expect(done).toMatchObject({ sent: 588, failed: 12, total: 600, position: asked.through });
    const sent = sequencesOf(pushesOf(receiver.requests, asked.id));
    expect(new Set(sent)).toEqual(new Set(upTo(600)));
    // What was under way or not yet written when it was killed.
    expect(sent.length).toBeLessThan(600 + 300);
  }, 60_000);

  test("leave a replay of dead letters to another one, which counts what the first had sent", async () => {
    const database = opened.use(await createTestDatabase());
    const directory = opened.use(await createDirectory());
    const env = productionEnvironment(database.url);
    const start = async () =>
      opened.use(await startGatewayProcess({ directory: directory.path, env }));
    const receiver = opened.use(await startReceiver());
    receiver.behave({ kind: "answer", status: 422 });
    const first = await start();
    const client = createClient(first.url, first.operatorKey);
    await client.tenant("acme");
    const settings = { url: receiver.url, retry_schedule: [], timeout_ms: 30_000 };
    const { id } = await client.createEndpoint("acme", settings);
    await appendBatch("acme", 100, client);
    await client.endpointWhen(id, ({ dead }) => dead === 100, deadlineMs);
    // The first of them holds up the job's position, and not the others.
    receiver.behave(({ headers }) =>
      Number(headers["tidegate-sequence"]) === 1 ? { kind: "hang" } : accept,
    );
    const asked = await askForReplay(client, id, { status: "dead" });
    await client.endpointWhen(id, ({ dead }) => dead === 1, deadlineMs);
    receiver.behave(accept);
    await first.kill();
    const second = await start();
    const done = await whenCompleted(createClient(second.url, second.operatorKey), asked);
    expect(done).toMatchObject({ sent: 100, failed: 0, total: 100 });
  }, 60_000);
});
