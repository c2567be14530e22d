/** What whoever runs the gateway sees of the whole of it. */
import { describe, expect, test } from "vitest";
import { openDatabase } from "../../src/db/database.ts";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import { createSystemReader } from "../../src/stats/system.ts";
import type { Json } from "../support/client.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { openPushSuite } from "../support/push-suite.ts";
import { waitUntil } from "../support/wait.ts";

const suite = openPushSuite({ TIDEGATE_SHARDS: "4" });

type System = {
  health: { status: string; components: Json };
  process: { id: string; roles: string[]; push: Json | null; fanout: Json };
  shards: Json;
  push_processes: { id: string; shards: number[]; leaving: boolean }[];
  housekeeping: { kept_by: string | null; here: boolean; chores: Json[] };
  endpoints: Json & { worst: Json[] };
} & Json;

async function system(gateway: TestGateway = suite.gateway): Promise<System> {
  const { status, json } = await gateway.call("GET", "/system");
  expect(status).toBe(200);
  return json as System;
}

describe("the system", () => {
  test("tells of the process that answers, its shards and its housekeeping", async () => {
    const told = await waitUntil(async () => {
      const seen = await system();
      const { shards, housekeeping } = seen;
      const hasAll = housekeeping.chores.every((chore) => chore["last_outcome"] === "done");
      return shards["held"] === 4 && housekeeping.here && hasAll && seen;
    });
    const ready = await suite.client.expectOk("GET", "/readyz");
    expect(told.health).toEqual(ready);
    const { id } = told.process;
    expect(told).toMatchObject({
      process: { roles: ["api", "push"], push: { shards_held: 4 }, fanout: { kind: "memory" } },
      shards: { total: 4, held: 4, unheld: 0 },
      push_processes: [{ id, shards: [0, 1, 2, 3], leaving: false }],
      housekeeping: { kept_by: id },
      tenants: { erasing: 0 },
    });
    const { migrations } = told as { migrations?: Json };
    expect(migrations?.["applied"]).toBe(migrations?.["known"]);
    expect(migrations?.["latest"]).toMatch(/^\d{4}_/);
    expect(told.housekeeping.chores.map(({ name }) => name)).toContain("retention");
    expect(JSON.stringify(told)).not.toContain("postgres://");
  });

  test("counts endpoints and consumers, and shows those that fail, worst first", async () => {
    const before = await system();
    const { tenant, id } = await suite.pushTo({ kind: "answer", status: 503 });
    const { id: refused } = await suite.pushTo({ kind: "answer", status: 400 });
    const { id: paused } = await suite.pushTo();
    await suite.client.act(paused, "pause");
    await suite.client.expectOk("PUT", `/consumers/warehouse?tenant=${tenant}`, {});
    await suite.gateway.append(tenant, {}, {});
    await suite.client.endpointWhen(id, ({ last_failure }) => last_failure !== null);
    // As if it had failed for a day, with its circuit open.
    await suite.sql`
      update positions set failing_since = now() - interval '1 day', circuit = 'open',
        circuit_since = now() - interval '1 hour'
      where consumer = ${endpointUuid(id) ?? ""}`;
    await suite.sql`
      update positions set failing_since = now() where consumer = ${endpointUuid(refused) ?? ""}`;

    const told = await system();
    expect(told.endpoints).toMatchObject({
      total: Number(before.endpoints["total"]) + 3,
      active: Number(before.endpoints["active"]) + 2,
      paused: Number(before.endpoints["paused"]) + 1,
      polling: before.endpoints["polling"],
      failing: Number(before.endpoints["failing"]) + 2,
    });
    expect(told["consumers"]).toBe(Number(before["consumers"]) + 1);
    expect(told.endpoints.worst.map((each) => each["id"])).toEqual([id, refused]);
    expect(told.endpoints.worst[0]).toMatchObject({
      tenant,
      behind: expect.any(Number),
      circuit: { state: "open" },
      last_failure: { error: expect.stringMatching(/503/) },
    });
    await suite.sql`update positions set failing_since = null, circuit = 'closed'`;
  });

  test("tells of replays that are running, and what they wait for", async () => {
    const { tenant, id } = await suite.pushTo();
    await suite.gateway.append(tenant, {});
    await suite.client.endpointWhen(id, ({ position }) => Number(position) === 1);
    await suite.client.act(id, "pause");
    const replay = await suite.client.expectOk("POST", `/endpoints/${id}/replays`, {
      status: "all",
    });
    expect(await system()).toMatchObject({
      replays: {
        running: 1,
        newest: [{ id: replay["id"], tenant, endpoint: id, waiting_for: "paused", sent: 0 }],
      },
    });
    await suite.client.expectOk("DELETE", `/replays/${String(replay["id"])}`);
    expect(await system()).toMatchObject({ replays: { running: 0, newest: [] } });
  });

  test("has the same processes in each of them, and itself where it has no api", async () => {
    const other = await startTestGateway({ ...suite.gateway.environment, TIDEGATE_ROLES: "push" });
    try {
      const shared = await waitUntil(async () => {
        const seen = await system(other);
        return seen.push_processes.every(({ shards }) => shards.length === 2) && seen;
      });
      const here = await system();
      const ids = shared.push_processes.map(({ id }) => id);
      expect(ids.toSorted()).toEqual([here.process.id, shared.process.id].toSorted());
      expect(here.push_processes.map(({ id }) => id)).toEqual(ids);
      expect(shared.housekeeping).toMatchObject({ kept_by: here.process.id, here: false });
    } finally {
      await other.stop();
    }
  });

  test("leaves out what takes too long, and tells the rest", async () => {
    const database = openDatabase(suite.gateway.databaseUrl, { connections: 2, name: "test" });
    const readPushProcesses = async () => [];
    const reader = createSystemReader({ ...database, readPushProcesses, partMaxMs: 200 });
    const gate = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    const holding = suite.sql.begin(async (transaction) => {
      await transaction`lock table positions in access exclusive mode`;
      locked.resolve();
      await gate.promise;
    });
    await locked.promise;
    const found = await reader.read().finally(gate.resolve);
    await holding;
    await database.stop();
    expect(found).toMatchObject({ overview: undefined, replays: undefined });
    expect(found.storage?.tables.map(({ table }) => table)).toContain("events");
    expect(found.storage?.bytes).toBeGreaterThan(0);
  });
});
