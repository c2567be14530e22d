/** The push role of a whole gateway, seen from its receivers. */

import { setTimeout as delay } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { verifyPlace } from "../../src/client/verify.ts";
import { openPushSuite } from "../support/push-suite.ts";
import { appendMany, header, repeated, sequenceOf, sequencesOf, upTo } from "../support/pushes.ts";

const zeros = "0".repeat(20);

const suite = openPushSuite();
const { newTenant, receiverThat, pushTo } = suite;

describe("a push", () => {
  test("carries the stored bytes and everything that its receiver needs", async () => {
    const { tenant, receiver, endpoint } = await pushTo(undefined, {
      headers: { Authorization: "Basic eA==" },
    });
    const sentAt = Date.now();
    const appended = await suite.client.append(tenant, { text: "é 🎈", n: 1.5 });
    const [request] = await receiver.received(1);
    if (request === undefined) throw new Error("no request");
    expect(request.method).toBe("POST");
    expect(request.headers).toMatchObject({
      "content-type": "application/json",
      "user-agent": `Tidegate/${packageJson.version}`,
      "webhook-id": appended.id,
      "tidegate-sequence": appended.sequence,
      "tidegate-previous-sequence": zeros,
      "tidegate-attempt": "1",
      "tidegate-endpoint": endpoint.id,
      authorization: "Basic eA==",
    });
    expect(Math.abs(Number(request.headers["webhook-timestamp"]) * 1_000 - sentAt)).toBeLessThan(
      5_000,
    );
    const stored = await suite.gateway.call("GET", `/events/${appended.id}`);
    expect(request.body.toString()).toBe(stored.text);
    const headers = request.headers as Record<string, string>;
    expect(new Webhook(endpoint.secret).verify(request.body, headers)).toEqual(stored.json);
    expect(() => new Webhook(endpoint.secret).verify(`${stored.text} `, headers)).toThrow();
    expect(await verifyPlace(endpoint.secret, headers)).toBe(true);
  });

  test("carries a cursor that goes on right after it, under any filter", async () => {
    const { tenant, receiver } = await pushTo(undefined);
    await appendMany(suite.client, tenant, ["a", "b.c", "a", "b.c"]);
    const requests = await receiver.received(4);
    const second = requests.find((request) => sequenceOf(request) === 2);
    const cursor = String(second?.headers["tidegate-cursor"]);
    const rest = await suite.client.readAll(tenant, cursor);
    expect(rest.map(({ sequence }) => Number(sequence))).toEqual([3, 4]);
    const filtered = await suite.client.page(tenant, { cursor, types: "b.*" });
    expect(filtered.events.map(({ sequence }) => Number(sequence))).toEqual([4]);
  });

  test("has the media type of CloudEvents where the endpoint asks for it", async () => {
    const { tenant, receiver } = await pushTo(undefined, { format: "cloudevents" });
    await suite.client.append(tenant, {});
    const [request] = await receiver.received(1);
    expect(request?.headers["content-type"]).toBe("application/cloudevents+json");
  });

  test("names the event before it that matched, the same on every attempt", async () => {
    const failing = new Set([2, 5]);
    const { tenant, receiver } = await pushTo(
      (request) => ({
        kind: "answer",
        status:
          failing.has(sequenceOf(request)) && Number(header("tidegate-attempt")(request)) < 3
            ? 500
            : 200,
      }),
      { types: ["order.*"], retry_schedule: ["1s", "1s"] },
    );
    const types = [
      "user.created",
      "order.a",
      "user.created",
      "order.b.c",
      "order.a",
      "orders",
      "order.d",
    ];
    await appendMany(suite.client, tenant, types);
    const requests = await receiver.received(4 + 2 * failing.size, 10_000);
    const previous = new Map([
      [2, 0],
      [4, 2],
      [5, 4],
      [7, 5],
    ]);
    for (const request of requests) {
      const before = Number(header("tidegate-previous-sequence")(request));
      expect(before).toBe(previous.get(sequenceOf(request)));
      expect(header("tidegate-previous-sequence")(request)).toHaveLength(20);
    }
    expect(sequencesOf(requests)).toEqual([2, 2, 2, 4, 5, 5, 5, 7]);
  });
});

describe("a failed delivery", () => {
  test("is tried again by the schedule until it is delivered, with the same bytes", async () => {
    const { tenant, receiver, endpoint } = await pushTo(
      { kind: "answer", status: 500 },
      {
        retry_schedule: ["1s", "1s", "1s"],
      },
    );
    await suite.client.append(tenant, { amount: 1 });
    await receiver.received(1);
    const failing = await suite.client.endpointWhen(endpoint.id, ({ retrying }) => retrying === 1);
    expect(failing).toMatchObject({ dead: 0, last_failure: { error: "http: status 500" } });
    await receiver.received(2);
    receiver.behave({ kind: "answer" });
    const requests = await receiver.received(3);
    await suite.client.endpointWhen(endpoint.id, ({ retrying }) => retrying === 0);

    expect(requests.map(header("tidegate-attempt"))).toEqual(["1", "2", "3"]);
    expect(new Set(requests.map(({ body }) => body.toString())).size).toBe(1);
    for (const same of ["webhook-id", "tidegate-cursor", "tidegate-previous-sequence"]) {
      expect(new Set(requests.map(header(same))).size, `values of ${same}`).toBe(1);
    }
    for (const fresh of ["webhook-timestamp", "webhook-signature"]) {
      expect(new Set(requests.map(header(fresh))).size, `values of ${fresh}`).toBe(3);
    }
    const webhook = new Webhook(endpoint.secret);
    for (const { body, headers } of requests) {
      expect(() => webhook.verify(body, headers as Record<string, string>)).not.toThrow();
    }
    for (const [index, { at }] of requests.slice(1).entries()) {
      expect(at - (requests[index]?.at ?? 0)).toBeGreaterThan(950);
    }
    expect(await suite.client.endpoint(endpoint.id)).toMatchObject({ status: "active", dead: 0 });
  });

  test("is a dead letter at the schedule's end, and the next events go on", async () => {
    const { tenant, receiver, endpoint } = await pushTo(
      (request) => ({ kind: "answer", status: sequenceOf(request) === 1 ? 503 : 200 }),
      { retry_schedule: ["1s", "1s"] },
    );
    await suite.client.append(tenant, {});
    const dead = await suite.client.endpointWhen(endpoint.id, ({ dead: count }) => count === 1);
    expect(dead).toMatchObject({ retrying: 0, status: "active" });
    expect(dead.last_failure?.error).toBe("http: status 503 (3 attempts failed)");
    await suite.client.append(tenant, {});
    const requests = await receiver.received(4);
    expect(sequencesOf(requests)).toEqual([1, 1, 1, 2]);
    await suite.client.endpointWhen(endpoint.id, ({ position }) => Number(position) === 2);
  });

  test.each([
    { behaviour: { kind: "reset", when: "before-head" }, words: "reset: connection closed" },
    { behaviour: { kind: "hang" }, words: "timeout: no response head in 1 s" },
    { behaviour: { kind: "half" }, words: "timeout: body not finished in 1 s" },
    { behaviour: { kind: "drip", everyMs: 100 }, words: "timeout: body not finished in 1 s" },
  ] as const)("says in words that the receiver did this: $behaviour.kind", async (given) => {
    const { tenant, endpoint } = await pushTo(given.behaviour, {
      timeout_ms: 1_000,
      retry_schedule: [],
    });
    await suite.client.append(tenant, {});
    const { last_failure } = await suite.client.endpointWhen(endpoint.id, ({ dead }) => dead === 1);
    expect(last_failure?.error).toContain(given.words);
  });

  test("is what a redirect is: nobody follows it", async () => {
    const elsewhere = await receiverThat();
    const { tenant, receiver, endpoint } = await pushTo(
      { kind: "answer", status: 302, headers: { location: elsewhere.url } },
      { retry_schedule: ["1s"] },
    );
    await suite.client.append(tenant, {});
    const { last_failure } = await suite.client.endpointWhen(endpoint.id, ({ dead }) => dead === 1);
    expect(last_failure?.error).toContain("http: status 302");
    expect(receiver.requests).toHaveLength(2);
    expect(elsewhere.requests).toHaveLength(0);
  });
});

describe("an endpoint", () => {
  test("is disabled by 410, with the reason, and gets nothing more", async () => {
    const { tenant, receiver, endpoint } = await pushTo({ kind: "answer", status: 410 });
    const other = await receiverThat();
    await suite.client.createEndpoint(tenant, { url: other.url });
    await suite.client.append(tenant, {});
    const shown = await suite.client.endpointWhen(
      endpoint.id,
      ({ status }) => status === "disabled",
    );
    expect(shown.status_reason).toBe("410 Gone");
    await suite.client.append(tenant, {});
    await other.received(2);
    expect(receiver.requests).toHaveLength(1);
    const { last_failure, retrying } = await suite.client.endpoint(endpoint.id);
    expect(last_failure?.error).toBe("http: status 410 (410 Gone)");
    expect(retrying).toBe(1); // held, not lost
  });

  test("that hangs delays neither its tenant's other endpoint nor other tenants", async () => {
    const hanging = await pushTo({ kind: "hang" }, { timeout_ms: 30_000, max_in_flight: 100 });
    const beside = await receiverThat();
    await suite.client.createEndpoint(hanging.tenant, { url: beside.url });
    const elsewhere = await pushTo(undefined);
    await appendMany(suite.client, hanging.tenant, repeated("a", 300));
    await hanging.receiver.received(1);
    await beside.received(300);
    for (let n = 1; n <= 20; n += 1) {
      const startedAt = performance.now();
      await Promise.all([
        suite.client.append(elsewhere.tenant, n),
        suite.client.append(hanging.tenant, n),
      ]);
      await Promise.all([elsewhere.receiver.received(n), beside.received(300 + n)]);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
    }
    expect(hanging.receiver.requests.length).toBeLessThanOrEqual(3);
  });

  test("that fails is no concern of its tenant's other one", async () => {
    const failing = await pushTo({ kind: "answer", status: 400 }, { retry_schedule: ["1s"] });
    const healthy = await receiverThat();
    const { id } = await suite.client.createEndpoint(failing.tenant, {
      url: healthy.url,
      types: ["even"],
    });
    await appendMany(suite.client, failing.tenant, ["odd", "even", "odd", "even"]);
    const requests = await healthy.received(2);
    await suite.client.endpointWhen(failing.endpoint.id, ({ dead }) => dead === 4);
    expect(sequencesOf(requests)).toEqual([2, 4]);
    expect(requests.map(header("tidegate-previous-sequence")).toSorted()).toEqual([
      zeros,
      `${zeros.slice(1)}2`,
    ]);
    expect(requests.map(header("tidegate-endpoint"))).toEqual([id, id]);
    expect(await suite.client.endpoint(id)).toMatchObject({
      retrying: 0,
      dead: 0,
      last_failure: null,
    });
    expect(failing.receiver.requests).toHaveLength(8);
  });

  test("is pushed to where a PATCH says, also what failed before", async () => {
    const { tenant, receiver, endpoint } = await pushTo(
      { kind: "answer", status: 500 },
      {
        retry_schedule: ["1s", "1s", "1s"],
      },
    );
    await suite.client.append(tenant, 1);
    await suite.client.endpointWhen(endpoint.id, ({ retrying }) => retrying === 1);
    const moved = await receiverThat();
    await suite.client.expectOk("PATCH", `/endpoints/${endpoint.id}`, { url: moved.url });
    await suite.client.append(tenant, 2);
    expect(sequencesOf(await moved.received(2))).toEqual([1, 2]);
    await suite.client.endpointWhen(endpoint.id, ({ retrying }) => retrying === 0);
    expect(new Set(sequencesOf(receiver.requests))).toEqual(new Set([1]));
  });

  test("gets nothing more once it is deleted, not even retries", async () => {
    const { tenant, receiver, endpoint } = await pushTo(
      { kind: "answer", status: 500 },
      { retry_schedule: ["1s", "1s", "1s"] },
    );
    await suite.client.append(tenant, 1);
    await suite.client.endpointWhen(endpoint.id, ({ retrying }) => retrying === 1);
    await suite.client.expectOk("DELETE", `/endpoints/${endpoint.id}`);
    const other = await receiverThat();
    await suite.client.createEndpoint(tenant, { url: other.url });
    await suite.client.append(tenant, 2);
    await other.received(1);
    // Not before: one may have been under way when the endpoint went.
    const count = receiver.requests.length;
    await delay(1_500); // past the time at which the retry was due
    expect(receiver.requests).toHaveLength(count);
  });

  test("has never more requests under way than it allows", async () => {
    let underWay = 0;
    let most = 0;
    const { tenant, receiver } = await pushTo(
      async () => {
        underWay += 1;
        most = Math.max(most, underWay);
        await delay(20);
        underWay -= 1;
        return { kind: "answer" };
      },
      { max_in_flight: 3 },
    );
    await appendMany(suite.client, tenant, repeated("a", 60));
    expect(sequencesOf(await receiver.received(60))).toEqual(upTo(60));
    expect(most).toBe(3);
  });

  test("whose filter matches nothing passes over the events, until one matches", async () => {
    const { tenant, receiver, endpoint } = await pushTo(undefined, { types: ["rare"] });
    for (let batch = 0; batch < 12; batch += 1)
      await appendMany(suite.client, tenant, repeated("a", 1_000));
    // It has come past most of them, although nothing was delivered.
    await suite.client.endpointWhen(endpoint.id, ({ position }) => Number(position) > 10_000);
    await suite.client.append(tenant, {}, "rare");
    const [request] = await receiver.received(1);
    expect(request?.headers).toMatchObject({
      "tidegate-sequence": `${zeros.slice(5)}12001`,
      "tidegate-previous-sequence": zeros,
    });
    await suite.client.endpointWhen(endpoint.id, ({ position }) => Number(position) === 12_001);
    expect(receiver.requests).toHaveLength(1);
  });

  test.each([
    { start: "latest", first: 4 },
    { start: "earliest", first: 1 },
    { start: "cursor", first: 3 },
    { start: undefined, first: 4 },
  ])("starts where it was told to: $start", async ({ start, first }) => {
    const tenant = await newTenant();
    await suite.client.append(tenant, 1);
    const { cursor } = await suite.client.append(tenant, 2);
    await suite.client.append(tenant, 3);
    const receiver = await receiverThat();
    const where = start === "cursor" ? { cursor } : start;
    const settings = { url: receiver.url, ...(where !== undefined && { start: where }) };
    await suite.client.createEndpoint(tenant, settings);
    await suite.client.append(tenant, 4);
    const requests = await receiver.received(5 - first);
    expect(sequencesOf(requests)).toEqual(upTo(4, first));
    const previous = requests.map(header("tidegate-previous-sequence"));
    expect(previous).toContain(zeros); // none before its first was for this endpoint
  });

  test.each([
    "http://10.0.0.1/hook",
    "http://169.254.169.254/latest/meta-data",
    "http://[fd00::1]/",
    "http://0x7f.1.1.1.1/",
    "ftp://example.com/",
  ])("cannot be at %s", async (url) => {
    const tenant = await newTenant();
    const { status } = await suite.client.call("POST", "/endpoints", { tenant, url });
    expect(status).toBe(422);
  });

  test("can be neither created at nor moved to an address that is not allowed", async () => {
    const { tenant, endpoint } = await pushTo(undefined);
    const url = "http://192.168.1.1/";
    const slug = "https://tidegate.dev/problems/address-not-allowed";
    const created = await suite.client.call("POST", "/endpoints", { tenant, url });
    expect(created).toMatchObject({ status: 422, json: { type: slug } });
    const moved = await suite.client.call("PATCH", `/endpoints/${endpoint.id}`, { url });
    expect(moved).toMatchObject({ status: 422, json: { type: slug } });
  });
});
