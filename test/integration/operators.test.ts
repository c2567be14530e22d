/** What whoever runs the gateway sees of the whole of it. */
import { assert, describe, expect, test } from "vitest";
import { openDatabase } from "../../src/db/database.ts";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import { createSystemReader } from "../../src/stats/system.ts";
import { createSearch } from "../../src/control/search/search.ts";
import { createLog } from "../../src/log/log.ts";
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

type Hit = { kind: string; id: string; tenant: string | null; text: string; path: string };

type Found = { hits: Hit[]; more: string[]; incomplete: string[] };

async function search(q: string, rest = ""): Promise<Found> {
  const { status, json } = await suite.gateway.call(
    "GET",
    `/search?q=${encodeURIComponent(q)}${rest}`,
  );
  expect([q, status]).toEqual([q, 200]);
  return json as Found;
}

/** Of each hit its kind and id. */
async function found(q: string): Promise<string[]> {
  return (await search(q)).hits.map(({ kind, id }) => `${kind} ${id}`);
}

describe("search", () => {
  test("finds what an id names by the id alone, and tells where it is", async () => {
    const { tenant, id: endpoint } = await suite.pushTo();
    const [event] = await suite.gateway.append(tenant, { type: "order.paid", subject: "o_1" });
    await suite.client.endpointWhen(endpoint, ({ position }) => Number(position) === 1);
    const { deliveries } = await suite.client.expectOk(
      "GET",
      `/events/${event?.id ?? ""}/deliveries`,
    );
    const [delivery] = deliveries as { id: string }[];
    const replay = await suite.client.expectOk("POST", `/endpoints/${endpoint}/replays`, {
      status: "dead",
    });
    const key = await suite.client.expectOk("POST", "/keys", { tenant, scopes: ["read"] });

    const expected = {
      event: [event?.id, /^order\.paid, appended at .*, subject o_1$/],
      delivery: [delivery?.id, /^delivered, 1 attempt, order\.paid$/],
      endpoint: [endpoint, /^active, http:/],
      replay: [replay["id"], /^(running|completed), of dead deliveries, 0 of 0 sent, 0 failed$/],
      key: [key["id"], /^read$/],
    };
    for (const [kind, [id, text]] of Object.entries(expected)) {
      const { hits, ...others } = await search(`  ${String(id)}\n`);
      expect(hits).toMatchObject([
        { kind, id, tenant, text: expect.stringMatching(text as RegExp) },
      ]);
      expect(others).toEqual({ more: [], incomplete: [] });
      const [hit] = hits;
      // A key has no path of its own.
      const shown = await suite.client.expectOk("GET", hit?.path ?? "");
      expect(JSON.stringify(shown)).toContain(String(id));
    }
    // The key itself, a credential, is looked up nowhere.
    expect(await found(String(key["key"]))).toEqual([]);
  });

  test("finds the tenant by which logs call it", async () => {
    const name = await suite.newTenant();
    const [row] = await suite.sql<{ id: string }[]>`select id from tenants where name = ${name}`;
    expect(await found(row?.id ?? "")).toEqual([`tenant ${name}`]);
  });

  test("finds nothing by the id of nothing", async () => {
    const digits = "0".repeat(16);
    const ids = [
      ...[`evt_2026-11-23_${digits}100000000`, `dlv_${digits}${digits}${digits}00011`],
      ...[`ep_${digits}${digits}`, `rpl_${digits}${digits}`, `key_${digits}${digits}`],
      ...["00000000-0000-0000-0000-000000000000", "evt_", "ep_%"],
    ];
    for (const id of ids) expect([id, await found(id)]).toEqual([id, []]);
  });

  test("finds names and URLs by any part of them, the closest first", async () => {
    const give = async (tenant: string, name: string, url: string) => {
      await suite.client.expectOk("PUT", `/tenants/${tenant}`, { name });
      return (await suite.client.createEndpoint(tenant, { url })).id;
    };
    const base = "http://127.0.0.1:9";
    const first = await give("Zebra", "Stripes 100% & Söhne", `${base}/Hooks_A/zebra`);
    const second = await give("zebra-2", "Two", `${base}/hooks_a/zebra/2`);
    await suite.client.expectOk("PUT", "/consumers/zebra?tenant=Zebra", {});
    const description = "One was\n\u001bseen";
    await suite.client.expectOk("PUT", "/event-types/zebra.seen", { description });

    expect(await found("ZEBRA")).toEqual([
      ...["tenant Zebra", "tenant zebra-2", `endpoint ${second}`, `endpoint ${first}`],
      ...["consumer zebra", "event_type zebra.seen"],
    ]);
    expect((await search("zebra.seen")).hits).toEqual([
      {
        ...{ kind: "event_type", id: "zebra.seen", tenant: null, text: "One was seen" },
        path: "/event-types/zebra.seen",
      },
    ]);
    expect(await found(`${base}/hooks_a/ZEBRA`)).toEqual(
      [first, second].map((id) => `endpoint ${id}`),
    );
    expect(await found("100% &")).toEqual(["tenant Zebra"]);
    expect(await found("Söhne")).toEqual(["tenant Zebra"]);
    for (const { path } of (await search("zebra")).hits) await suite.client.expectOk("GET", path);
    // The second is of a host, the first only of a path.
    const path = await give("of-path", "Path", `${base}/to/127.0.0.9:9/`);
    const host = await give("of-host", "Host", "http://127.0.0.9:9/");
    const wanted = [host, path].map((id) => `endpoint ${id}`);
    expect(await found("127.0.0.9")).toEqual(wanted);

    const few = await search("zebra", "&limit=1");
    expect(few.hits.map(({ kind }) => kind)).toEqual([
      ...["tenant", "endpoint", "consumer", "event_type"],
    ]);
    expect(few.more).toEqual(["tenant", "endpoint"]);
  });

  test("takes a text as it is, whatever it is made of", async () => {
    const hostile = [
      ...["%", "_", "z%a", "z_bra", "\\", "%5c", "'; drop table tenants --", "$1", "{}", "\ud83d"],
      ...["💥", "\u202e", "İ", "ß", "x".repeat(2_048), ".*", "(", "[", "null"],
    ];
    for (const q of hostile) {
      const { hits } = await search(q.toWellFormed());
      expect(hits.filter(({ tenant }) => tenant === "zebra-2")).toEqual(
        hits.filter(({ text }) => text.includes(q)).filter(({ tenant }) => tenant === "zebra-2"),
      );
    }
    for (const q of ["", "%20", "%00", "a%00b", "a%0ab", "x".repeat(2_049)]) {
      const { status, slug } = await suite.gateway.call("GET", `/search?q=${q}`);
      expect([q, status, slug]).toEqual([q, 400, "invalid-parameter"]);
    }
    expect((await suite.gateway.call("GET", "/search")).status).toBe(400);
  });

  test("does not find what a tenant had that is being erased, and is for operators", async () => {
    const name = await suite.newTenant();
    const url = "http://127.0.0.1:9/of-the-erased";
    const { id } = await suite.client.createEndpoint(name, { url });
    const key = await suite.gateway.createKey(name);
    const [event] = await suite.gateway.append(name, {});
    for (const path of ["/search?q=of-the-erased", "/system"]) {
      const { status, slug } = await suite.gateway.call("GET", path, { key });
      expect([path, status, slug]).toEqual([path, 403, "scope-missing"]);
    }
    expect(await found("of-the-erased")).toEqual([`endpoint ${id}`]);
    await suite.client.expectOk("DELETE", `/tenants/${name}`);
    for (const q of ["of-the-erased", id, event?.id ?? ""]) {
      expect([q, await found(q)]).toEqual([q, []]);
    }
  });

  test("names the kinds that there was not the time for", async () => {
    const database = openDatabase(suite.gateway.databaseUrl, { connections: 1, name: "test" });
    const parts = { database, log: createLog(database.sql), tenantByPrefix: async () => undefined };
    const gate = Promise.withResolvers<void>();
    const locked = Promise.withResolvers<void>();
    const holding = suite.sql.begin(async (transaction) => {
      await transaction`lock table consumers in access exclusive mode`;
      locked.resolve();
      await gate.promise;
    });
    await locked.promise;
    const look = createSearch({ ...parts, kindMaxMs: 200 });
    const gone = new AbortController();
    const asked = [new AbortController(), gone].map(({ signal }) => look("zebra", 20, signal));
    gone.abort("left");
    const [answer, left] = await Promise.allSettled(asked);
    gate.resolve();
    await holding;
    await database.stop();
    assert(answer?.status === "fulfilled");
    expect(answer.value).toMatchObject({ more: [], incomplete: ["consumer"] });
    expect(answer.value.hits.map(({ kind }) => kind)).toContain("event_type");
    // Who has left while it waited for its turn is not looked for.
    expect(left).toEqual({ status: "rejected", reason: "left" });
  });
});
