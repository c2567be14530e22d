/** Endpoints are paused, left to poll and resumed, and their receivers see what that means. */
import { describe, expect, test } from "vitest";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import { openPushSuite } from "../support/push-suite.ts";
import { appendMany, header, repeated, sequenceOf, sequencesOf, upTo } from "../support/pushes.ts";
import { type Behaviour } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

/** Unlike a 5xx it opens no circuit. */
const refusing: Behaviour = { kind: "answer", status: 422 };

/** So that nothing is retried while a test looks. */
const never = { retry_schedule: ["1h"] };

const suite = openPushSuite();
const { newTenant, receiverThat, pushTo } = suite;

const previousOf = header("tidegate-previous-sequence");

/** Each push of a sequence with the one that it names as the one before it. */
function pairsOf(requests: Parameters<typeof sequencesOf>[0]) {
  return requests
    .map((request) => [sequenceOf(request), Number(previousOf(request))] as const)
    .toSorted(([one], [other]) => one - other);
}

async function skippedOf(id: string): Promise<number[]> {
  const rows = await suite.sql<{ sequence: number }[]>`
    select sequence from deliveries where endpoint = ${endpointUuid(id) ?? null}
      and status = 'skipped' order by sequence`;
  return rows.map(({ sequence }) => sequence);
}

describe("a pause", () => {
  test("sends nothing more, records what is under way, and ends where it began", async () => {
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    const { tenant, receiver, id } = await pushTo(async () => {
      await released;
      return { kind: "answer" };
    });
    await suite.client.append(tenant, {});
    await receiver.received(1);
    const paused = await suite.client.act(id, "pause", { reason: "moving house" });
    expect(paused).toMatchObject({ status: "paused", status_reason: "moving house" });
    release();
    await suite.client.endpointWhen(id, ({ position }) => Number(position) === 1);
    await suite.client.append(tenant, {});

    const other = await receiverThat();
    await suite.client.createEndpoint(tenant, { url: other.url, start: "earliest" });
    await other.received(2);
    expect(receiver.requests).toHaveLength(1);
    expect(await suite.client.act(id, "resume")).toMatchObject({
      status: "active",
      status_reason: null,
    });
    expect(pairsOf(await receiver.received(2))).toEqual([
      [1, 0],
      [2, 1],
    ]);
  });

  test("holds retries too", async () => {
    const { tenant, receiver, id } = await pushTo(refusing, { retry_schedule: ["1s", "1s"] });
    await suite.client.append(tenant, {});
    await suite.client.endpointWhen(id, ({ retrying }) => retrying === 1);
    await suite.client.act(id, "pause");
    await suite.sql`update retries set due_at = now() where endpoint = ${endpointUuid(id) ?? ""}`;
    const other = await receiverThat();
    await suite.client.createEndpoint(tenant, { url: other.url });
    await suite.client.append(tenant, {});
    await other.received(1);
    const before = receiver.requests.length;
    receiver.behave({ kind: "answer" });
    await suite.client.act(id, "resume");
    const requests = await receiver.received(before + 2);
    expect(sequencesOf(requests.slice(before))).toEqual([1, 2]);
  });
});

describe("an endpoint that polls", () => {
  test("keeps its position, and is pushed to again after what was polled", async () => {
    const { tenant, receiver, id } = await pushTo({ kind: "answer" });
    await appendMany(suite.client, tenant, repeated("a", 2));
    await receiver.received(2);
    const at2 = await suite.client.endpointWhen(id, ({ position }) => Number(position) === 2);
    expect(await suite.client.act(id, "poll")).toMatchObject({ ...at2, status: "polling" });
    await appendMany(suite.client, tenant, repeated("a", 3));
    const { events, cursor } = await suite.client.page(tenant, { limit: "4" });
    expect(events).toHaveLength(4);
    expect(await suite.client.endpoint(id)).toMatchObject({
      status: "polling",
      position: at2.position,
    });

    await suite.client.act(id, "resume", { from: { cursor } });
    const requests = await receiver.received(3);
    // It has the events in between, but not by push: the hole says so.
    expect(pairsOf(requests)).toEqual([
      [1, 0],
      [2, 1],
      [5, 4],
    ]);
  });
});

describe("a resume", () => {
  test("enables an endpoint that its receiver had disabled, and sends what was held", async () => {
    const { tenant, receiver, id } = await pushTo({ kind: "answer", status: 410 });
    await suite.client.append(tenant, {});
    await suite.client.endpointWhen(id, ({ status }) => status === "disabled");
    receiver.behave({ kind: "answer" });
    expect(await suite.client.act(id, "resume", { from: "position" })).toMatchObject({
      status: "active",
      status_reason: null,
      circuit: { state: "closed" },
    });
    expect(sequencesOf(await receiver.received(2))).toEqual([1, 1]);
    await suite.client.endpointWhen(
      id,
      ({ retrying, position }) => retrying + 1 === Number(position),
    );
  });

  test("from latest skips what was owed and what came since, and leaves a hole", async () => {
    const { tenant, receiver, id } = await pushTo(refusing, { ...never, types: ["order.*"] });
    await appendMany(suite.client, tenant, ["order.a", "other", "order.b"]);
    await suite.client.endpointWhen(id, ({ retrying }) => retrying === 2);
    await suite.client.act(id, "pause");
    await appendMany(suite.client, tenant, ["order.c", "other"]);
    receiver.behave({ kind: "answer" });
    await blockSubject(id);
    const resumed = await suite.client.act(id, "resume", { from: "latest" });
    expect(resumed).toMatchObject({ status: "active", retrying: 0, status_reason: null });
    expect(Number(resumed.position)).toBe(5);
    expect(await skippedOf(id)).toEqual([1, 3]);
    expect(await blockedOf(id)).toBe(0);

    await appendMany(suite.client, tenant, ["other", "order.d", "order.e"]);
    expect(pairsOf((await receiver.received(4)).slice(2))).toEqual([
      [7, 4],
      [8, 7],
    ]);
  });

  test("from latest with nothing to skip leaves no hole", async () => {
    const { tenant, receiver, id } = await pushTo({ kind: "answer" }, { types: ["order.*"] });
    await appendMany(suite.client, tenant, ["order.a", "other"]);
    await receiver.received(1);
    await suite.client.act(id, "resume", { from: "latest" });
    await appendMany(suite.client, tenant, ["order.b"]);
    expect(pairsOf(await receiver.received(2))).toEqual([
      [1, 0],
      [3, 1],
    ]);
  });

  test("from a cursor sends everything after it again, with the same events before", async () => {
    const { tenant, receiver, id } = await pushTo(({ headers }) =>
      Number(headers["tidegate-sequence"]) === 4 ? refusing : { kind: "answer" },
    );
    await suite.client.expectOk("PATCH", `/endpoints/${id}`, never);
    const { cursor } = await suite.client.append(tenant, {}, "a.b");
    await suite.client.append(tenant, {}, "a.b");
    const second = await suite.client.append(tenant, {}, "a.b");
    await appendMany(suite.client, tenant, repeated("a.c", 3));
    await receiver.received(6);
    await suite.client.endpointWhen(
      id,
      ({ position, retrying }) => retrying + 5 === Number(position),
    );

    receiver.behave({ kind: "answer" });
    const resumed = await suite.client.act(id, "resume", { from: { cursor: second.cursor } });
    expect(resumed).toMatchObject({ status: "active", retrying: 0 });
    const again = (await receiver.received(9)).slice(6);
    expect(pairsOf(again)).toEqual([
      [4, 3],
      [5, 4],
      [6, 5],
    ]);
    // Sent from the log, so that it begins anew.
    expect(new Set(again.map(header("tidegate-attempt")))).toEqual(new Set(["1"]));
    await suite.client.act(id, "resume", { from: { cursor } });
    expect(sequencesOf((await receiver.received(14)).slice(9))).toEqual(upTo(6, 2));
    expect(await skippedOf(id)).toEqual([]);
  });

  test("from its position moves nothing", async () => {
    const { tenant, receiver, id } = await pushTo(refusing, never);
    await appendMany(suite.client, tenant, repeated("a", 3));
    const before = await suite.client.endpointWhen(id, ({ retrying }) => retrying === 3);
    await blockSubject(id);
    const resumed = await suite.client.act(id, "resume", {});
    expect(resumed).toMatchObject({ position: before.position, retrying: 3 });
    expect([await skippedOf(id), await blockedOf(id)]).toEqual([[], 1]);
    expect(receiver.requests).toHaveLength(3);
  });

  test("takes no cursor that a reader could not continue from", async () => {
    const { tenant, id } = await pushTo({ kind: "answer" });
    const stranger = await newTenant();
    const { cursor } = await suite.client.append(stranger, {});
    for (const [from, told] of [
      [{ cursor }, [400, "cursor-invalid"]],
      [{ cursor: "x" }, [400, "cursor-invalid"]],
      ["earliest", [422, "invalid"]],
      [{}, [422, "invalid"]],
    ] as const) {
      const body = { from };
      const answer = await suite.gateway.call("POST", `/endpoints/${id}/resume`, { body });
      expect([answer.status, answer.slug]).toEqual(told);
    }
    const own = await suite.client.append(tenant, {});
    await suite.sql`update heads set head = 0 where tenant = (
      select id from tenants where name = ${tenant})`;
    const body = { from: { cursor: own.cursor } };
    const ahead = await suite.gateway.call("POST", `/endpoints/${id}/resume`, { body });
    expect([ahead.status, ahead.slug]).toEqual([410, "cursor-ahead"]);
  });

  test("clears away retries in any number, each in its way", { timeout: 60_000 }, async () => {
    const { tenant, receiver, id } = await pushTo({ kind: "answer" });
    await suite.client.act(id, "pause");
    for (let batch = 0; batch < 12; batch += 1) {
      await appendMany(suite.client, tenant, repeated("a", 1_000));
    }
    await owe(id);
    const { cursor } = await suite.client.page(tenant, { limit: "1000" });
    let at = cursor;
    for (let page = 1; page < 11; page += 1) {
      at = (await suite.client.page(tenant, { limit: "1000", cursor: at })).cursor;
    }
    expect(await suite.client.endpoint(id)).toMatchObject({ retrying: 12_000 });
    await suite.client.act(id, "resume", { from: { cursor: at } });
    expect(await skippedOf(id)).toEqual(upTo(11_000));
    expect(sequencesOf(await receiver.received(1_000, 30_000))).toEqual(upTo(12_000, 11_001));
    await suite.client.endpointWhen(id, ({ position }) => Number(position) === 12_000);
    expect(receiver.requests).toHaveLength(1_000);
  });
});

describe("actions at the same time", () => {
  test("leave nothing that came after the last of them unsent", { timeout: 60_000 }, async () => {
    const settings = { retry_schedule: repeated("1s", 22), max_in_flight: 8 };
    const { tenant, receiver, id } = await pushTo(
      ({ at }) => (at % 3 === 0 ? refusing : { kind: "answer" }),
      settings,
    );
    const cursors: string[] = [];
    for (let round = 0; round < 8; round += 1) {
      const { results } = await suite.client.expectOk("POST", "/events?cursors=true", {
        events: repeated("a", 30).map((type) => ({ tenant, type, data: round })),
      });
      cursors.push(...(results as { cursor: string }[]).map((result) => result.cursor));
      const cursorAt = (share: number) => cursors[Math.floor(cursors.length * share)] ?? "";
      const path = `/endpoints/${id}`;
      const answers = await Promise.all([
        suite.client.call("POST", `${path}/resume`, { from: { cursor: cursorAt(0.2) } }),
        suite.client.call("POST", `${path}/resume`, { from: "latest" }),
        suite.client.call("POST", `${path}/resume`, {}),
        suite.client.call("POST", `${path}/pause`, {}),
        suite.client.call("PATCH", path, { max_in_flight: 8 + round }),
        suite.client.call("POST", `${path}/resume`, { from: { cursor: cursorAt(0.8) } }),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    }
    const last = 100;
    const before = receiver.requests.length;
    await suite.client.act(id, "resume", { from: { cursor: cursors[last - 1] ?? "" } });
    await waitUntil(
      () => {
        const sent = new Set(receiver.requests.slice(before).map(sequenceOf));
        return upTo(240, last + 1).every((sequence) => sent.has(sequence));
      },
      { deadlineMs: 20_000, what: "the arrival of all that follows" },
    );
    receiver.behave({ kind: "answer" });
    await suite.client.endpointWhen(
      id,
      ({ retrying, position }) => retrying === 0 && Number(position) === 240,
      20_000,
    );
  });

  test("leave nothing of a tenant or an endpoint that goes", { timeout: 60_000 }, async () => {
    const { tenant, id } = await pushTo({ kind: "answer" });
    await suite.client.act(id, "pause");
    for (let batch = 0; batch < 6; batch += 1) {
      await appendMany(suite.client, tenant, repeated("a", 1_000));
    }
    await owe(id);
    await blockSubject(id);
    const isMoved = async () => (await skippedOf(id)).length > 0;
    const resumed = suite.client.call("POST", `/endpoints/${id}/resume`, { from: "latest" });
    await waitUntil(isMoved, { what: "the first step" });
    expect((await suite.client.call("DELETE", `/endpoints/${id}`)).status).toBe(204);
    expect([200, 404]).toContain((await resumed).status);
    const uuid = endpointUuid(id) ?? "";
    const left = await suite.sql`
      select from positions where consumer = ${uuid}
      union all select from retries where endpoint = ${uuid}
      union all select from blocked_subjects where endpoint = ${uuid}`;
    expect(left).toHaveLength(0);
  });
});

/** A retry of every event, far from due. */
async function owe(id: string): Promise<void> {
  await suite.sql`
    insert into retries (tenant, endpoint, sequence, day, attempts, previous, due_at,
      first_attempt_at, last_attempt_at)
    select e.tenant, p.consumer, e.sequence, e.day, 1, e.sequence - 1, now() + interval '1 day',
      now(), now()
    from events e join positions p on p.tenant = e.tenant
    where p.consumer = ${endpointUuid(id) ?? ""}`;
}

async function blockSubject(id: string): Promise<void> {
  await suite.sql`
    insert into blocked_subjects (tenant, endpoint, key, subject, sequence, day, matched)
    select tenant, consumer, md5('s')::uuid, 's', sequence, day, last_matched from positions
    where consumer = ${endpointUuid(id) ?? ""}`;
}

async function blockedOf(id: string): Promise<number> {
  const [row] = await suite.sql<[{ rows: number }]>`
    select count(*) as rows from blocked_subjects where endpoint = ${endpointUuid(id) ?? ""}`;
  return row.rows;
}
