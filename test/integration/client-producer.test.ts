/** The library's producer against a whole gateway, and through what networks do to it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  createProducer,
  ProblemError,
  QueueFullError,
  type ProducerOptions,
} from "../../src/client/client.ts";
import { startTestGateway, succeed, type TestGateway } from "../support/gateway.ts";
import { startMiddlebox, type Meddling } from "../support/middlebox.ts";
import { startProxy } from "../support/proxy.ts";
import { waitUntil } from "../support/wait.ts";

/** The machine may be busy. */
const deadlineMs = 20_000;

let gateway: TestGateway;
let tenants = 0;

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterAll(() => gateway?.stop());

async function newTenant() {
  tenants += 1;
  const tenant = await gateway.createTenant(`producer-${tenants}`);
  return { tenant, key: await gateway.createKey(tenant, ["append"]) };
}

/** The numbers in a tenant's log, in its order. */
async function logged(tenant: string): Promise<number[]> {
  const path = `/events?limit=1000&tenant=${tenant}`;
  const numbers: number[] = [];
  let cursor = "";
  for (;;) {
    const page = await succeed(gateway.call("GET", `${path}${cursor && `&cursor=${cursor}`}`));
    numbers.push(...(page["events"] as { data: { n: number } }[]).map(({ data }) => data.n));
    if (page["has_more"] !== true) return numbers;
    cursor = String(page["cursor"]);
  }
}

const event = (n: number) => ({ type: "order.created", data: { n } });

const range = (count: number) => Array.from({ length: count }, (_, n) => n);

type Options = Partial<ProducerOptions>;

async function through(meddle: (count: number) => Meddling, options: Options = {}) {
  const { tenant, key } = await newTenant();
  const box = await startMiddlebox(gateway.url, (_target, count) => meddle(count));
  return { tenant, box, producer: createProducer({ url: box.url, key, ...options }) };
}

describe("a producer", () => {
  test("appends at once, and together what comes while a request is under way", async () => {
    const { tenant, box, producer } = await through(() => "pass", { cursors: true });
    await using _box = box;
    const first = await producer.append(event(0));
    expect(first).toEqual({
      id: expect.stringMatching(/^evt_/) as string,
      sequence: "00000000000000000001",
      cursor: expect.stringMatching(/^[\w-]{64}$/) as string,
      duplicate: false,
    });
    expect(box.requests).toHaveLength(1);
    const appended = await Promise.all(range(2_500).map((n) => producer.append(event(n + 1))));
    expect(appended.map(({ sequence }) => Number(sequence))).toEqual(
      range(2_500).map((n) => n + 2),
    );
    expect(await logged(tenant)).toEqual(range(2_501));
    expect(box.requests).toHaveLength(4);
  });

  test("a key of the producer's own is kept, and its repetition told", async () => {
    const { key } = await newTenant();
    await using producer = createProducer({ url: gateway.url, key });
    const once = await producer.append({ ...event(1), key: "order-1" });
    const again = await producer.append({ ...event(1), key: "order-1" });
    expect(again).toEqual({ ...once, duplicate: true });
    const other = producer.append({ ...event(2), key: "order-1" });
    await expect(other).rejects.toMatchObject({ status: 422, slug: "idempotency-conflict" });
  });

  test("an event that is refused fails alone", async () => {
    const { tenant, key } = await newTenant();
    const producer = createProducer({ url: gateway.url, key });
    const bad = { type: "not a type", data: {} };
    const outcomes = await Promise.allSettled(
      range(9).map((n) => producer.append(n % 3 === 1 ? bad : event(n))),
    );
    expect(outcomes.map(({ status }) => status === "fulfilled")).toEqual(
      range(9).map((n) => n % 3 !== 1),
    );
    expect(outcomes[1]).toMatchObject({ reason: { status: 422, slug: "invalid" } });
    expect(await logged(tenant)).toEqual([0, 2, 3, 5, 6, 8]);
  });

  test("what no JSON can say is refused at once", async () => {
    const { key } = await newTenant();
    const producer = createProducer({ url: gateway.url, key });
    await expect(producer.append({ ...event(1), data: 1n })).rejects.toThrow(TypeError);
    expect(producer.size()).toBe(0);
  });

  test("an operator's producer serves many tenants, each in its order", async () => {
    const names = await Promise.all(range(30).map(async () => (await newTenant()).tenant));
    await using box = await startMiddlebox(gateway.url, () => "pass");
    const producer = createProducer({ url: box.url, key: gateway.operatorKey });
    for (const n of range(5)) {
      for (const tenant of names) void producer.append({ ...event(n), tenant });
    }
    await producer.flush();
    expect(producer.size()).toBe(0);
    for (const tenant of names) expect(await logged(tenant)).toEqual(range(5));
    const [tenant = ""] = names;
    const one = createProducer({ url: box.url, key: gateway.operatorKey, tenant });
    await one.append(event(5));
    expect(await logged(tenant)).toEqual(range(6));
  });

  test.each([
    ["a wrong key", { key: "tg_wrong" }, "unauthorized"],
    ["an unknown tenant", { tenant: "nobody" }, "unknown-tenant"],
  ])("%s fails at once with the problem", async (_what, change, slug) => {
    const producer = createProducer({ url: gateway.url, key: gateway.operatorKey, ...change });
    const outcomes = await Promise.allSettled(range(3).map((n) => producer.append(event(n))));
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { slug } });
  });
});

describe("a producer through a network that meddles", () => {
  test("each event is there once and in order while answers are lost and requests refused", async () => {
    const fates: Meddling[] = ["pass", "lose-answer", "refuse", { cutAfterBytes: 50 }, "pass"];
    const { tenant, box, producer } = await through((count) => fates[count % 5] ?? "pass");
    await using _box = box;
    const appends: Promise<{ sequence: string }>[] = [];
    for (const n of range(160)) {
      appends.push(producer.append(event(n)));
      if (n % 20 === 19) await appends.at(-1);
    }
    const sequences = (await Promise.all(appends)).map(({ sequence }) => Number(sequence));
    expect(sequences).toEqual(range(160).map((n) => n + 1));
    expect(await logged(tenant)).toEqual(range(160));
    expect(box.requests.length).toBeGreaterThan(10);
  });

  test("each event is there once and in order while connections are cut", async () => {
    const { tenant, key } = await newTenant();
    await using proxy = await startProxy(gateway.url);
    const producer = createProducer({ url: proxy.url, key });
    let n = 0;
    for (let cut = 0; cut < 8; cut += 1) {
      for (let count = 0; count < 100; count += 1) void producer.append(event(n++));
      await waitUntil(() => producer.size() < 100, { deadlineMs });
      for (let count = 0; count < 100; count += 1) void producer.append(event(n++));
      await proxy.cut();
      await proxy.restore();
    }
    await producer.close();
    expect(await logged(tenant)).toEqual(range(1_600));
    await expect(producer.append(event(0))).rejects.toThrow("closed");
  });

  test("waits as long as 503 and 429 ask, then sends the same again", async () => {
    const at: number[] = [];
    const retries: unknown[] = [];
    const { tenant, box, producer } = await through(
      (count) => {
        at.push(Date.now());
        if (count > 1) return "pass";
        return { status: count === 0 ? 503 : 429, headers: { "retry-after": "1" } };
      },
      { onRetry: (error) => void retries.push(error) },
    );
    await using _box = box;
    await producer.append(event(0));
    expect((at[2] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(1_990);
    expect(retries).toMatchObject([{ status: 503 }, { status: 429 }]);
    expect(await logged(tenant)).toEqual([0]);
  });

  test("a tenant's limit slows it down and changes no order", async () => {
    const { tenant, key } = await newTenant();
    const body = { limits: { appends_per_second: 100 } };
    await succeed(gateway.call("PATCH", `/tenants/${tenant}`, { body }));
    const producer = createProducer({ url: gateway.url, key });
    for (const n of range(250)) void producer.append(event(n));
    await producer.flush();
    expect(await logged(tenant)).toEqual(range(250));
  });

  test("a proxy that takes no large bodies gets smaller ones", async () => {
    const { tenant, key } = await newTenant();
    const sizes: number[] = [];
    const limited = async (input: string, init: RequestInit) => {
      const { length } = init.body as string;
      sizes.push(length);
      return length > 3_000 ? new Response("too large", { status: 413 }) : await fetch(input, init);
    };
    const producer = createProducer({ url: gateway.url, key, fetch: limited });
    const large = producer.append({ ...event(50), data: "x".repeat(3_000) });
    const settled = Promise.allSettled([large]);
    await Promise.all(range(50).map((n) => producer.append(event(n))));
    expect(await settled).toMatchObject([{ reason: { status: 413, type: "about:blank" } }]);
    expect(await logged(tenant)).toEqual(range(50));
    expect(Math.max(...sizes)).toBeGreaterThan(3_000);
  });

  test("an event at which the gateway fails each time does not hold up the others", async () => {
    const { tenant, key } = await newTenant();
    const failing = async (input: string, init: RequestInit) =>
      (init.body as string).includes("poison")
        ? new Response("{}", { status: 500 })
        : await fetch(input, init);
    const producer = createProducer({ url: gateway.url, key, fetch: failing });
    const poison = producer.append({ ...event(1), data: "poison" });
    const settled = Promise.allSettled([poison]);
    await Promise.all(range(3).map((n) => producer.append(event(n))));
    expect(await settled).toMatchObject([{ reason: { status: 500 } }]);
    expect(await logged(tenant)).toEqual(range(3));
  });

  test("gives an event up when its time is over, and aborts what waits with its signal", async () => {
    const { box, producer } = await through(() => "refuse", { giveUpAfterMs: 200 });
    await using _box = box;
    await expect(producer.append(event(0))).rejects.toThrow("no answer");

    const controller = new AbortController();
    const { signal } = controller;
    const { box: other, producer: aborted } = await through(() => "hold", { signal });
    await using _other = other;
    const appends = range(3).map((n) => aborted.append(event(n)));
    await waitUntil(() => other.open() === 1, { deadlineMs });
    controller.abort(new Error("enough"));
    const outcomes = await Promise.allSettled(appends);
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({ reason: { message: "enough" } });
    await expect(aborted.append(event(3))).rejects.toThrow("enough");
    await waitUntil(() => other.open() === 0, { deadlineMs });
  });

  test("its queue is bounded, and ready() lets in what there is room for", async () => {
    const { tenant, key } = await newTenant();
    const producer = createProducer({ url: gateway.url, key, queueMaxEvents: 10 });
    const settled = Promise.allSettled(range(12).map((n) => producer.append(event(n))));
    const outcomes = await settled;
    expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(2);
    expect(outcomes[11]).toMatchObject({ reason: expect.any(QueueFullError) as Error });
    for (const n of range(200)) {
      await producer.ready();
      void producer.append(event(n + 10));
    }
    // Many who wait at once, too.
    const late = range(50).map(async (n) => {
      await producer.ready();
      await producer.append(event(n + 210));
    });
    await Promise.all(late);
    await producer.flush();
    expect(await logged(tenant)).toEqual(range(260));
  });

  test("using one closes it, when all is settled", async () => {
    const { tenant, key } = await newTenant();
    {
      await using producer = createProducer({ url: gateway.url, key });
      for (const n of range(20)) void producer.append(event(n));
    }
    expect(await logged(tenant)).toEqual(range(20));
  });
});

test("errors tell what they are by their class", async () => {
  const producer = createProducer({ url: gateway.url, key: "tg_wrong" });
  const error = await producer.append(event(0)).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ProblemError);
  expect(error).toMatchObject({ name: "ProblemError", status: 401, members: {} });
});
