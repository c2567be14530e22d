/** Replays by their promise: which deliveries they make again, and what becomes of those. */
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import type { Json } from "../support/client.ts";
import { openPushSuite, type PushedTo } from "../support/push-suite.ts";
import type { Behave } from "../support/receiver.ts";
import {
  askForReplay,
  pushesOf,
  replayDelivery,
  replayWhen,
  sequencesOf,
  whenCompleted,
} from "../support/replays.ts";
import { waitUntil } from "../support/wait.ts";

const deadlineMs = 20_000;

const zeros = "0".repeat(20);

const suite = openPushSuite({ TIDEGATE_RETRY_SCHEDULE: "1h" });

/** Refuses the first attempt of each of these; null is all. */
const refusing =
  (sequences: readonly number[] | null): Behave =>
  ({ headers }) => {
    const isFirst = headers["tidegate-attempt"] === "1" && headers["tidegate-replay"] === undefined;
    const isOne = sequences === null || sequences.includes(Number(headers["tidegate-sequence"]));
    return { kind: "answer", status: isFirst && isOne ? 422 : 200 };
  };

/** One attempt, and it is dead. */
const dyingAtOnce = { retry_schedule: [] };

type Delivery = { id: string; status: string; attempts: number; event: { sequence: string } };

async function appendMany(tenant: string, count: number, type?: string): Promise<void> {
  for (let n = 0; n < count; n += 1) await suite.client.append(tenant, { n }, type);
}

async function deliveriesOf({ id }: Pick<PushedTo, "id">): Promise<Map<number, Delivery>> {
  const { client } = suite;
  const page = await client.expectOk("GET", `/endpoints/${id}/deliveries?limit=1000`);
  const deliveries = page["deliveries"] as Delivery[];
  return new Map(deliveries.map((each) => [Number(each.event.sequence), each]));
}

/** Waits until all of them are settled, or tried once. */
async function whenRecorded(
  pushedTo: Pick<PushedTo, "id">,
  count: number,
): Promise<Map<number, Delivery>> {
  return waitUntil(
    async () => {
      const found = await deliveriesOf(pushedTo);
      return found.size === count && found;
    },
    { deadlineMs, what: `${count} deliveries` },
  );
}

function idOf(deliveries: Map<number, Delivery>, sequence: number): string {
  const delivery = deliveries.get(sequence);
  if (delivery === undefined) throw new Error(`there is no delivery of ${sequence}`);
  return delivery.id;
}

async function deliveryOf(id: string): Promise<Json> {
  return suite.client.expectOk("GET", `/deliveries/${id}`);
}

describe("a delivery that is made again", () => {
  test("when it was delivered carries the same bytes and says whose attempt it is", async () => {
    const { client } = suite;
    const pushedTo = await suite.pushTo();
    await appendMany(pushedTo.tenant, 2);
    const id = idOf(await whenRecorded(pushedTo, 2), 2);
    const asked = await replayDelivery(client, id);
    expect(asked).toMatchObject({ endpoint: pushedTo.id, deliveries: "all", total: 1 });
    const done = await whenCompleted(client, asked);
    expect(done).toMatchObject({ sent: 1, failed: 0, total: 1, position: asked.through });

    const [first, second] = pushedTo.receiver.requests.filter(
      ({ headers }) => Number(headers["tidegate-sequence"]) === 2,
    );
    expect(second?.headers).toMatchObject({
      "tidegate-replay": asked.id,
      "tidegate-attempt": "2",
      "tidegate-previous-sequence": first?.headers["tidegate-previous-sequence"],
      "webhook-id": first?.headers["webhook-id"],
    });
    expect(first?.headers["tidegate-replay"]).toBeUndefined();
    expect(second?.body.equals(first?.body ?? Buffer.alloc(0))).toBe(true);
    expect(await deliveryOf(id)).toMatchObject({
      status: "delivered",
      attempts: 2,
      attempt_log: [
        { attempt: 1, trigger: "event", replay: null },
        { attempt: 2, trigger: "replay", replay: asked.id, status_code: 200 },
      ],
    });
  });

  test("when it was a dead letter is delivered", async () => {
    const { client } = suite;
    const pushedTo = await suite.pushTo(refusing(null), dyingAtOnce);
    await appendMany(pushedTo.tenant, 1);
    const id = idOf(await whenRecorded(pushedTo, 1), 1);
    const done = await whenCompleted(client, await replayDelivery(client, id));
    expect(done).toMatchObject({ sent: 1, failed: 0 });
    expect(await deliveryOf(id)).toMatchObject({
      ...{ status: "delivered", attempts: 2, last_status_code: 200, last_error: null },
      attempt_log: [{ trigger: "event", status_code: 422 }, { trigger: "replay" }],
    });
    expect(await client.endpoint(pushedTo.id)).toMatchObject({ dead: 0 });
  });

  test("while it is to be retried is not retried any more", async () => {
    const { client } = suite;
    const pushedTo = await suite.pushTo(refusing(null));
    await appendMany(pushedTo.tenant, 1);
    const id = idOf(await whenRecorded(pushedTo, 1), 1);
    await whenCompleted(client, await replayDelivery(client, id));
    expect(await deliveryOf(id)).toMatchObject({
      ...{ status: "delivered", attempts: 2, next_attempt_at: null },
    });
    expect(await client.endpoint(pushedTo.id)).toMatchObject({ retrying: 0 });
  });

  test("and refused stays what it was", async () => {
    const { client } = suite;
    const pushedTo = await suite.pushTo(refusing([1, 3]), dyingAtOnce);
    await appendMany(pushedTo.tenant, 2);
    const deliveries = await whenRecorded(pushedTo, 2);
    pushedTo.receiver.behave({ kind: "answer", status: 409 });
    const dead = await replayDelivery(client, idOf(deliveries, 1));
    const delivered = await replayDelivery(client, idOf(deliveries, 2));
    expect(await whenCompleted(client, dead)).toMatchObject({ sent: 0, failed: 1, total: 1 });
    expect(await whenCompleted(client, delivered)).toMatchObject({ sent: 0, failed: 1 });
    expect(await deliveryOf(idOf(deliveries, 1))).toMatchObject({
      ...{ status: "dead", attempts: 2, last_status_code: 409 },
      last_error: "http: status 409 (replayed)",
    });
    expect(await deliveryOf(idOf(deliveries, 2))).toMatchObject({
      ...{ status: "delivered", attempts: 2, last_status_code: 200, last_error: null },
      attempt_log: [{ trigger: "event", status_code: 200 }, { status_code: 409 }],
    });
  });

  test("of a retry that is refused keeps the retry's time", async () => {
    const { client } = suite;
    const pushedTo = await suite.pushTo({ kind: "answer", status: 409 });
    await appendMany(pushedTo.tenant, 1);
    const id = idOf(await whenRecorded(pushedTo, 1), 1);
    const before = await deliveryOf(id);
    await whenCompleted(client, await replayDelivery(client, id));
    expect(await deliveryOf(id)).toMatchObject({
      ...{ status: "retrying", attempts: 2, next_attempt_at: before["next_attempt_at"] },
    });
  });

  test("of an endpoint that was removed is refused", async () => {
    const { client } = suite;
    const pushedTo = await suite.pushTo();
    await appendMany(pushedTo.tenant, 1);
    const id = idOf(await whenRecorded(pushedTo, 1), 1);
    await client.expectOk("DELETE", `/endpoints/${pushedTo.id}`);
    const refused = await client.call("POST", `/deliveries/${id}/replay`);
    expect(refused).toMatchObject({ status: 404 });
  });
});

describe("a replay of many", () => {
  test("of dead letters sends those and no others, in order", async () => {
    const { client } = suite;
    const pushedTo = await suite.pushTo(refusing([2, 4, 6]), dyingAtOnce);
    await appendMany(pushedTo.tenant, 6);
    await whenRecorded(pushedTo, 6);
    const asked = await askForReplay(client, pushedTo.id, { status: "dead" });
    expect(asked).toMatchObject({ deliveries: "dead", total: 3, after: zeros });
    expect(await whenCompleted(client, asked)).toMatchObject({ sent: 3, failed: 0, total: 3 });
    const pushes = pushesOf(pushedTo.receiver.requests, asked.id);
    expect(sequencesOf(pushes)).toEqual([2, 4, 6]);
    const again = await askForReplay(client, pushedTo.id, { status: "dead" });
    expect(await whenCompleted(client, again)).toMatchObject({ sent: 0, failed: 0, total: 0 });
  });

  test("keeps to a range of time, to cursors, and to types", async () => {
    const { client } = suite;
    const pushedTo = await suite.pushTo(undefined, { types: ["order.*", "invoice.paid"] });
    const { tenant, receiver, id } = pushedTo;
    await appendMany(tenant, 2, "order.created");
    const fromHere = await client.append(tenant, 0, "invoice.paid");
    await appendMany(tenant, 1, "stock.changed");
    const toHere = await client.append(tenant, 0, "order.paid");
    await client.append(tenant, 0, "invoice.paid");
    await whenRecorded(pushedTo, 5);
    const [{ since, until }] = await suite.sql<[{ since: string; until: string }]>`
      select min(at) filter (where sequence = 3) as since, min(at) filter (where sequence = 6) as until
      from (select sequence, to_char(appended_at at time zone 'UTC',
          'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at
        from events e join tenants t on t.id = e.tenant where t.name = ${tenant}) as times`;
    const cases: [Json, number[]][] = [
      [{ from: fromHere.cursor }, [5, 6]],
      [{ through: toHere.cursor }, [1, 2, 3, 5]],
      [{ from: fromHere.cursor, through: toHere.cursor }, [5]],
      [{ types: ["order.*"] }, [1, 2, 5]],
      [{ types: ["order.created", "stock.changed"], from: fromHere.cursor }, []],
      [{ from: toHere.cursor, through: fromHere.cursor }, []],
    ];
    for (const [range, sequences] of cases) {
      const asked = await askForReplay(client, id, { status: "all", ...range });
      const done = await whenCompleted(client, asked);
      expect([range, done.sent]).toEqual([range, sequences.length]);
      expect(sequencesOf(pushesOf(receiver.requests, asked.id))).toEqual(sequences);
    }
    const timed = await askForReplay(client, id, { status: "all", since, until });
    await whenCompleted(client, timed);
    const sent = sequencesOf(pushesOf(receiver.requests, timed.id));
    expect(sent).toEqual(expect.arrayContaining([5]));
    expect(sent.every((sequence) => sequence < 6)).toBe(true);
  });

  test("of what is missing sends only what was never delivered", async () => {
    const { client, sql } = suite;
    const tenant = await suite.newTenant();
    // 1 to 4 were there before the endpoint, of which a receipt has settled all up to 3.
    await appendMany(tenant, 4);
    const receiver = await suite.receiverThat(refusing([7, 8, 13]));
    const { id } = await client.createEndpoint(tenant, {
      url: receiver.url,
      retry_schedule: ["1h"],
    });
    const pushedTo = { id };
    // 5 and 6 are delivered, 7 waits for its retry, 8 died, 9 was settled, 10 is not for it.
    await appendMany(tenant, 3);
    await whenRecorded(pushedTo, 3);
    await client.expectOk("PATCH", `/endpoints/${id}`, { retry_schedule: [] });
    await appendMany(tenant, 2);
    await whenRecorded(pushedTo, 5);
    await sql`update deliveries set status = 'settled'
      where sequence = 9 and endpoint = ${endpointUuid(id) ?? ""}`;
    await client.expectOk("PATCH", `/endpoints/${id}`, { types: ["order.*"] });
    await appendMany(tenant, 1, "stock.changed");
    // 11 and 12 are left out on purpose, and so is the retry of 7. 13 is to be retried.
    await client.act(id, "pause");
    await appendMany(tenant, 2);
    await client.act(id, "resume", { from: "latest" });
    await client.expectOk("PATCH", `/endpoints/${id}`, { retry_schedule: ["1h"] });
    await sql`
      insert into receipt_ranges (tenant, endpoint, after, through, day, at)
      select tenant, consumer, 0, 3, day, now() from positions
      where consumer = ${endpointUuid(id) ?? ""}`;
    await client.append(tenant, "last");
    await client.endpointWhen(id, ({ position }) => Number(position) === 13, deadlineMs);

    const asked = await askForReplay(client, id, { status: "missing" });
    const done = await whenCompleted(client, asked);
    const pushes = pushesOf(receiver.requests, asked.id);
    expect(sequencesOf(pushes)).toEqual([4, 7, 8, 11, 12]);
    expect(done).toMatchObject({ sent: 5, failed: 0, total: 5 });
    const previous = pushes.map(({ headers }) => Number(headers["tidegate-previous-sequence"]));
    expect(previous).toEqual([3, 6, 7, 9, 11]);
    const again = await askForReplay(client, id, { status: "missing" });
    expect(await whenCompleted(client, again)).toMatchObject({ sent: 0, failed: 0, total: 0 });
  });

  test.each([
    { through: "3", from: "4", missing: [4] },
    { through: "5", from: "2", missing: [] },
  ])(
    "of what is missing leaves out what was confirmed, through $through and resumed from $from",
    async ({ through, from, missing }) => {
      const { client } = suite;
      const { tenant, receiver, id } = await suite.pushTo({ kind: "answer" });
      await client.act(id, "poll");
      await appendMany(tenant, 5);
      const cursorOf = async (limit: string) => (await client.page(tenant, { limit })).cursor;
      const receipt = { endpoint: id, through: await cursorOf(through), status: "processed" };
      await client.expectOk("POST", "/receipts", receipt);
      await client.act(id, "resume", { from: { cursor: await cursorOf(from) } });
      await receiver.received(5 - Number(from));
      await client.endpointWhen(id, ({ position }) => Number(position) === 5, deadlineMs);
      const asked = await askForReplay(client, id, { status: "missing" });
      await whenCompleted(client, asked);
      expect(sequencesOf(pushesOf(receiver.requests, asked.id))).toEqual(missing);
    },
  );

  test("makes dead letters of what was never delivered and is refused", async () => {
    const { client } = suite;
    const tenant = await suite.newTenant();
    await appendMany(tenant, 2);
    const receiver = await suite.receiverThat({ kind: "answer", status: 422 });
    const { id } = await client.createEndpoint(tenant, { url: receiver.url });
    const asked = await askForReplay(client, id, { status: "missing" });
    expect(await whenCompleted(client, asked)).toMatchObject({ sent: 0, failed: 2, total: 2 });
    expect(await client.endpoint(id)).toMatchObject({ dead: 2, retrying: 0 });
    receiver.behave({ kind: "answer" });
    const dead = await askForReplay(client, id, { status: "dead" });
    expect(await whenCompleted(client, dead)).toMatchObject({ sent: 2, failed: 0 });
    expect(await client.endpoint(id)).toMatchObject({ dead: 0 });
  });

  test.each(["fifo", "subject"])("keeps the order of an endpoint with %s", async (ordering) => {
    const { client } = suite;
    const underWay = new Map<string, number>();
    let most = 0;
    const pushedTo = await suite.pushTo(
      async ({ body }) => {
        const { subject = "" } = JSON.parse(body.toString()) as { subject?: string };
        const key = ordering === "fifo" ? "" : subject;
        underWay.set(key, (underWay.get(key) ?? 0) + 1);
        most = Math.max(most, underWay.get(key) ?? 0);
        await delay(2);
        underWay.set(key, (underWay.get(key) ?? 0) - 1);
        return { kind: "answer" };
      },
      { ordering },
    );
    const { tenant, receiver, id } = pushedTo;
    const events = Array.from({ length: 60 }, (_, n) => {
      return { tenant, type: "order.created", subject: `s${n % 3}`, data: { n } };
    });
    await client.expectOk("POST", "/events", { events });
    await whenRecorded(pushedTo, 60);
    const asked = await askForReplay(client, id, { status: "all" });
    expect(await whenCompleted(client, asked)).toMatchObject({ sent: 60, failed: 0 });
    const sent = sequencesOf(pushesOf(receiver.requests, asked.id));
    const subjects =
      ordering === "fifo" ? [sent] : [0, 1, 2].map((n) => sent.filter((s) => s % 3 === n));
    for (const each of subjects) expect(each).toEqual(each.toSorted((a, b) => a - b));
    expect(new Set(sent).size).toBe(60);
    expect(most).toBe(1);
  });
});

describe("replays", () => {
  test("are listed, the newest first, page by page", async () => {
    const { client } = suite;
    const { tenant, id } = await suite.pushTo();
    const made: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      made.unshift((await askForReplay(client, id, { status: "dead" })).id);
    }
    const list = async (query: string) =>
      client.expectOk("GET", `/replays?tenant=${tenant}${query}`);
    const first = await list("&limit=2");
    expect(first).toMatchObject({ replays: [{ id: made[0] }, { id: made[1] }], has_more: true });
    const rest = await list(`&cursor=${String(first["cursor"])}&endpoint=${id}`);
    expect(rest).toMatchObject({ replays: [{ id: made[2] }], has_more: false });
    expect(await list("&status=cancelled")).toMatchObject({ replays: [] });
    expect(await list("&endpoint=nobody")).toMatchObject({ replays: [] });
  });

  test("end with their endpoint", async () => {
    const { client } = suite;
    const { tenant, id } = await suite.pushTo();
    await appendMany(tenant, 1);
    await whenRecorded({ id }, 1);
    await client.act(id, "pause");
    const asked = await askForReplay(client, id, { status: "all" });
    expect(asked).toMatchObject({ status: "running", waiting_for: "paused" });
    await client.expectOk("DELETE", `/endpoints/${id}`);
    await replayWhen(client, asked, ({ status }) => status === "cancelled");
  });
});
