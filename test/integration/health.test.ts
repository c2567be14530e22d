/** What a process says of how it is, while parts of what it stands on are gone and come back. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase, type Sql } from "../../src/db/database.ts";
import { startTestGateway, succeed, type TestGateway } from "../support/gateway.ts";
import { startReceiver, type Receiver } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

type Degraded = { component: string; state: string; since: string; detail: string };

type Ready = { status: string; components: Record<string, string>; degraded: Degraded[] };

const all = new AsyncDisposableStack();
let gateway: TestGateway;
let receiver: Receiver;
let sql: Sql;

beforeAll(async () => {
  gateway = all.use(await startTestGateway({ TIDEGATE_DRAIN_SECONDS: "1", LOG_LEVEL: "fatal" }));
  receiver = all.use(await startReceiver({ kind: "answer", status: 503 }));
  const database = openDatabase(gateway.databaseUrl, { connections: 1, name: "test" });
  all.defer(database.stop);
  ({ sql } = database);
});

afterAll(() => all.disposeAsync());

async function ready(): Promise<{ status: number; json: Ready }> {
  const { status, json } = await gateway.call("GET", "/readyz", { key: null });
  return { status, json: json as Ready };
}

/** What is wrong with a component, as soon as it is this, or undefined as soon as nothing is. */
async function wrong(component: string, state: string): Promise<Degraded | undefined> {
  return waitUntil(
    async () => {
      const { status, json } = await ready();
      expect([status, json.status]).toEqual([200, json.degraded.length > 0 ? "degraded" : "ready"]);
      const found = json.degraded.find((each) => each.component === component);
      return json.components[component] === state && { found };
    },
    { what: `${component} that is ${state}`, deadlineMs: 15_000 },
  ).then(({ found }) => found);
}

async function metric(component: string): Promise<string | undefined> {
  const { text } = await gateway.call("GET", "/metrics");
  return new RegExp(`^tidegate_component_up\\{component="${component}"\\} (.+)$`, "m").exec(
    text,
  )?.[1];
}

describe("what is degraded", () => {
  test.each([
    ["leases", "lost", "shard_leases"],
    ["outcomes", "backlogged", "attempts"],
  ])("%s are %s while %s cannot be written, since they first were", async (name, state, table) => {
    await succeed(gateway.call("PUT", `/tenants/${name}`));
    const body = { tenant: name, url: receiver.url };
    await succeed(gateway.call("POST", "/endpoints", { body }));
    expect(await wrong(name, "up")).toBeUndefined();

    await sql.unsafe(`alter table ${table} rename to away`);
    const before = Date.now();
    await gateway.append(name, {});
    const first = await wrong(name, state);
    expect(first).toMatchObject({ component: name, state, detail: expect.stringMatching(/\w/) });
    expect(Date.parse(first?.since ?? "")).toBeGreaterThanOrEqual(before);
    expect(await metric(name)).toBe("0");
    expect(await wrong(name, state)).toEqual(first);

    await sql.unsafe(`alter table away rename to ${table}`);
    expect(await wrong(name, "up")).toBeUndefined();
    expect(await metric(name)).toBe("1");
  });
});

test("a process that drains says so first, and serves those who have not heard yet", async () => {
  const stopped = gateway.stop();
  await waitUntil(async () => (await ready()).json.status === "draining");
  expect(await ready()).toMatchObject({ status: 503, json: { components: { database: "up" } } });
  expect(await gateway.append("leases", {})).toMatchObject([{ status: 201 }]);
  await stopped;
  await expect(ready()).rejects.toThrow();
});
