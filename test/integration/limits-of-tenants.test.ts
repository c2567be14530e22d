/** The rates that operators give tenants, from the change of a limit to what it does. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createClient, type Client } from "../support/client.ts";
import { startTestGateway, succeed, type TestGateway } from "../support/gateway.ts";
import { header, sequencesOf, upTo } from "../support/pushes.ts";
import { startReceiver, type Receiver } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

let gateway: TestGateway;
let client: Client;
let opened = new AsyncDisposableStack();
let tenants = 0;

beforeAll(async () => {
  gateway = await startTestGateway();
  client = createClient(gateway.url, gateway.operatorKey);
});

afterEach(async () => {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
});

afterAll(() => gateway.stop());

async function newTenant(limits?: object): Promise<string> {
  tenants += 1;
  const name = `tenant_${tenants}`;
  await succeed(gateway.call("PUT", `/tenants/${name}`, { body: { limits } }));
  return name;
}

async function change(tenant: string, limits: object): Promise<void> {
  await succeed(gateway.call("PATCH", `/tenants/${tenant}`, { body: { limits } }));
}

describe("reads", () => {
  test("of every kind count, and a change takes effect at once", async () => {
    const tenant = await newTenant({ reads_per_second: 1_000 });
    const [appended] = await gateway.append(tenant, {});
    const key = await gateway.createKey(tenant, ["read"]);
    const left: number[] = [];
    for (const path of ["/events", "/events?wait=1&from=latest", `/events/${appended?.id}`]) {
      const { status, headers } = await gateway.call("GET", path, { key });
      expect([status, headers.get("ratelimit-policy")]).toEqual([200, '"reads";q=1000;w=1']);
      left.push(Number(/r=(\d+)/.exec(headers.get("ratelimit") ?? "")?.[1]));
    }
    const aborting = new AbortController();
    const stream = await fetch(`${gateway.url}/events/stream`, {
      headers: { authorization: `Bearer ${key}` },
      signal: aborting.signal,
    });
    expect(stream.headers.get("ratelimit-policy")).toBe('"reads";q=1000;w=1');
    aborting.abort();
    for (const rest of left) expect(rest).toBeLessThan(1_000);

    await change(tenant, { reads_per_second: 1 });
    const statuses = [];
    for (let count = 0; count < 3; count += 1) {
      statuses.push((await gateway.call("GET", "/events", { key })).status);
    }
    expect(statuses).toContain(429);
    await change(tenant, { reads_per_second: null });
    const free = await gateway.call("GET", "/events", { key });
    expect([free.status, free.headers.get("ratelimit")]).toEqual([200, null]);
  });

  test("and what is left of each rate are shown to the tenant", async () => {
    const tenant = await newTenant({ appends_per_second: 50 });
    const key = await gateway.createKey(tenant, ["read"]);
    const { json } = await gateway.call("GET", "/limits", { key });
    expect(json).toMatchObject({
      tenant,
      limits: { appends_per_second: 50, reads_per_second: null },
      use: { appends: { limit: 50, remaining: 50 }, reads: null },
    });
  });
});

describe("pushes", () => {
  async function pushTo(limits?: object) {
    const tenant = await newTenant(limits);
    const receiver = opened.use(await startReceiver());
    const endpoint = await client.createEndpoint(tenant, { url: receiver.url });
    return { tenant, receiver, endpoint };
  }

  const attemptsOf = ({ requests }: Receiver) => new Set(requests.map(header("tidegate-attempt")));

  const appendMany = (tenant: string, count: number) =>
    gateway.append(tenant, ...upTo(count).map((n) => ({ data: { n } })));

  test("are spread out by the rate, as first attempts, and nobody else waits", async () => {
    const slow = await pushTo({ pushes_per_second: 10 });
    const free = await pushTo();
    const startedAt = performance.now();
    await appendMany(slow.tenant, 25);
    await appendMany(free.tenant, 200);
    await free.receiver.received(200);
    // A second's worth at once, and whatever time has passed.
    const most = 10 + Math.ceil((performance.now() - startedAt) / 100);
    expect(slow.receiver.requests.length).toBeLessThanOrEqual(most);
    await slow.receiver.received(25);
    expect(performance.now() - startedAt).toBeGreaterThan(1_400);
    expect(sequencesOf(slow.receiver.requests)).toEqual(upTo(25));
    expect(attemptsOf(slow.receiver)).toEqual(new Set(["1"]));
  });

  test("go on at once when the rate is raised or lifted", async () => {
    const { tenant, receiver } = await pushTo({ pushes_per_second: 1 });
    await appendMany(tenant, 300);
    await receiver.received(1);
    await change(tenant, { pushes_per_second: 100 });
    await receiver.received(50);
    await change(tenant, { pushes_per_second: null });
    await receiver.received(300);
    expect(attemptsOf(receiver)).toEqual(new Set(["1"]));
  });

  test("are held to a rate that is set while they are under way", async () => {
    const { tenant, receiver } = await pushTo();
    await appendMany(tenant, 1);
    await receiver.received(1);
    await change(tenant, { pushes_per_second: 5 });
    const startedAt = performance.now();
    await appendMany(tenant, 12);
    await waitUntil(() => receiver.requests.length === 13, { deadlineMs: 15_000 });
    expect(performance.now() - startedAt).toBeGreaterThan(1_300);
  });
});
