import { describe, expect, test } from "vitest";
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
async function whenRecorded(pushedTo: PushedTo, count: number): Promise<Map<number, Delivery>> {
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

void [askForReplay, pushesOf, replayWhen, sequencesOf];
