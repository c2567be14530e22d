/** How fast and how many at once: windows, rates and shares, seen from receivers. */

import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { openPushSuite } from "../support/push-suite.ts";
import { appendMany, header, repeated, sequenceOf, sequencesOf, upTo } from "../support/pushes.ts";
import { type Behave } from "../support/receiver.ts";

const suite = openPushSuite({ TIDEGATE_PUSH_CONCURRENCY: "64" });
const { newTenant, receiverThat, pushTo } = suite;

/** Answers after a while, and knows how many it had at once. */
function counting(afterMs: number, status: () => number = () => 200) {
  const seen = { now: 0, most: 0, each: [] as number[] };
  const behave: Behave = async () => {
    seen.now += 1;
    seen.most = Math.max(seen.most, seen.now);
    seen.each.push(seen.now);
    await delay(afterMs);
    seen.now -= 1;
    return { kind: "answer", status: status() };
  };
  return { seen, behave };
}

describe("an endpoint with a rate", () => {
  test("gets its events at that rate, and waiting is no failure and no attempt", async () => {
    const limited = await pushTo(undefined, { rate_per_second: 25 });
    const beside = await receiverThat();
    await suite.client.createEndpoint(limited.tenant, { url: beside.url });
    await appendMany(suite.client, limited.tenant, repeated("a", 100));
    await beside.received(100);
    expect(limited.receiver.requests.length).toBeLessThan(80);
    const requests = await limited.receiver.received(100, 20_000);
    const seconds = ((requests.at(-1)?.at ?? 0) - (requests[0]?.at ?? 0)) / 1_000;
    // 2 or 3 at once in the beginning; a busy machine may only be slower.
    expect(seconds).toBeGreaterThan(3.7);
    expect(new Set(requests.map(header("tidegate-attempt")))).toEqual(new Set(["1"]));
    const shown = await suite.client.endpointWhen(limited.endpoint.id, ({ position }) => {
      return Number(position) === 100;
    });
    expect(shown).toMatchObject({ retrying: 0, dead: 0, last_failure: null });
  });

  test("has its retries at that rate too, each when its time has come", async () => {
    const { tenant, receiver, endpoint } = await pushTo(
      (request) => ({
        kind: "answer",
        status: header("tidegate-attempt")(request) === "1" ? 400 : 200,
      }),
      { rate_per_second: 10, retry_schedule: ["1s", "1s"] },
    );
    await appendMany(suite.client, tenant, repeated("a", 10));
    await suite.client.endpointWhen(
      endpoint.id,
      ({ position, retrying }) => Number(position) === 10 && retrying === 0,
    );
    expect(receiver.requests).toHaveLength(20);
    const [first, last] = [receiver.requests[0], receiver.requests.at(-1)];
    expect((last?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(1_700);
  });
});

describe("the window of an endpoint", () => {
  test("opens while answers are fast, up to what the endpoint allows", async () => {
    const { seen, behave } = counting(30);
    const { tenant, receiver, endpoint } = await pushTo(behave, { max_in_flight: 12 });
    await appendMany(suite.client, tenant, repeated("a", 200));
    await receiver.received(3);
    const shown = await suite.client.endpointWhen(endpoint.id, ({ in_flight }) => in_flight > 1);
    expect(shown.in_flight).toBeLessThanOrEqual(12);
    await receiver.received(200);
    expect(seen.most).toBe(12);
  });

  test("closes when it is asked for less", async () => {
    let busy = false;
    const { seen, behave } = counting(20, () => (busy ? 429 : 200));
    const settings = { max_in_flight: 16, retry_schedule: ["1h"] };
    const { tenant, endpoint } = await pushTo(behave, settings);
    await appendMany(suite.client, tenant, repeated("a", 100));
    await suite.client.endpointWhen(endpoint.id, ({ position }) => Number(position) === 100);
    expect(seen.most).toBe(16);
    busy = true;
    await appendMany(suite.client, tenant, repeated("a", 60));
    await suite.client.endpointWhen(endpoint.id, ({ retrying }) => retrying === 60);
    expect(Math.max(...seen.each.slice(-10))).toBeLessThanOrEqual(4);
  });

  test("is one of its own for each topic, where each has an endpoint", async () => {
    const orders = counting(25);
    const invoices = counting(25);
    const tenant = await newTenant();
    const caps = new Map<string, number>([
      ["order.*", 3],
      ["invoice.*", 8],
    ]);
    const receivers = await Promise.all(
      [orders, invoices].map(({ behave }) => receiverThat(behave)),
    );
    for (const [index, [type, max_in_flight]] of [...caps].entries()) {
      const url = receivers[index]?.url;
      await suite.client.createEndpoint(tenant, { url, types: [type], max_in_flight });
    }
    const types = Array.from({ length: 60 }, (_, n) => (n % 2 === 0 ? "order.a" : "invoice.a"));
    await appendMany(suite.client, tenant, types);
    await Promise.all(receivers.map((receiver) => receiver.received(30)));
    expect([orders.seen.most, invoices.seen.most]).toEqual([3, 8]);
    for (const [index, first] of [1, 2].entries()) {
      const odd = sequencesOf(receivers[index]?.requests ?? []);
      expect(odd).toEqual(upTo(30).map((n) => first + 2 * (n - 1)));
    }
  });
});

describe("many endpoints that hang", () => {
  test.each(["of one tenant", "of as many tenants"])(
    "%s have a quarter of the slots, and less once they are known",
    async (whose) => {
      const hanging = await receiverThat({ kind: "hang" });
      const one = await newTenant();
      const settings = { url: hanging.url, timeout_ms: 4_000, max_in_flight: 1_000 };
      const all = Array.from({ length: 40 }, async (_, n) => {
        const tenant = whose === "of one tenant" ? one : await newTenant();
        await suite.client.createEndpoint(tenant, settings);
        if (tenant !== one) await suite.client.append(tenant, n);
      });
      await Promise.all(all);
      if (whose === "of one tenant") await suite.client.append(one, 0);
      await hanging.received(16);
      expect(hanging.connections.open).toBeLessThanOrEqual(16);
      // Those whose time is over are slow now: half of that is left to new ones.
      await hanging.received(24, 20_000);
      const healthy = await pushTo(undefined);
      await suite.client.append(healthy.tenant, 0);
      // As new as the others, it may have to wait for the time-outs of those before it.
      await healthy.receiver.received(1, 20_000);
      expect(hanging.connections.open).toBeLessThanOrEqual(16);
    },
  );

  test("leave slots to those that have answered before", async () => {
    const known = await pushTo(undefined);
    await suite.client.append(known.tenant, 0);
    await known.receiver.received(1);
    const hanging = await receiverThat({ kind: "hang" });
    const tenant = await newTenant();
    for (let n = 0; n < 40; n += 1) {
      await suite.client.createEndpoint(tenant, { url: hanging.url, timeout_ms: 30_000 });
    }
    await suite.client.append(tenant, 0);
    await hanging.received(16);
    for (let n = 1; n <= 20; n += 1) {
      await suite.client.append(known.tenant, n);
      await known.receiver.received(n + 1);
    }
    expect(known.receiver.requests.map(sequenceOf)).toEqual(upTo(21));
    expect(hanging.requests.length).toBeLessThanOrEqual(16);
  });
});
