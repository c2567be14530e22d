/** What a tenant may do at most: set by operators, seen by the tenant, kept for its endpoints. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endpointUuid } from "../../src/deliveries/endpoint.ts";
import { listed, operator, startControl, type TestControl } from "../support/control.ts";
import { waitUntil } from "../support/wait.ts";

const url = "https://example.com/hooks";

const none = {
  appends_per_second: null,
  reads_per_second: null,
  pushes_per_second: null,
  endpoints: null,
};

let control: TestControl;

beforeAll(async () => {
  control = await startControl();
});

afterAll(() => control.stop());

async function limitsOf(name: string): Promise<unknown> {
  return (await control.call("GET", `/tenants/${name}`, operator)).json?.["limits"];
}

describe("limits", () => {
  test("a PUT replaces all of them", async () => {
    const limits = { appends_per_second: 100, endpoints: 3 };
    const created = await control.call("PUT", "/tenants/put", operator, { limits });
    expect(created.json?.["limits"]).toEqual({ ...none, ...limits });
    const replaced = await control.call("PUT", "/tenants/put", operator, {
      limits: { reads_per_second: 5, endpoints: null },
    });
    expect(replaced.json?.["limits"]).toEqual({ ...none, reads_per_second: 5 });
    await control.call("PUT", "/tenants/put", operator, { name: "No limits" });
    expect(await limitsOf("put")).toEqual(none);
  });

  test("a PATCH changes those that it names", async () => {
    const all = { appends_per_second: 1, reads_per_second: 2, pushes_per_second: 3, endpoints: 4 };
    await control.call("PUT", "/tenants/patch", operator, { name: "Kept", limits: all });
    const steps: [unknown, object][] = [
      [{}, all],
      [{ limits: {} }, all],
      [{ limits: { reads_per_second: 20 } }, { ...all, reads_per_second: 20 }],
      [{ limits: { endpoints: null } }, { ...all, reads_per_second: 20, endpoints: null }],
      [{ limits: null }, none],
    ];
    for (const [patch, expected] of steps) {
      const { json } = await control.call("PATCH", "/tenants/patch", operator, patch);
      expect([patch, json?.["limits"], json?.["name"]]).toEqual([patch, expected, "Kept"]);
    }
    expect(await limitsOf("patch")).toEqual(none);
  });

  test.each([
    [{ appends_per_second: 0 }, "/limits/appends_per_second"],
    [{ reads_per_second: -1 }, "/limits/reads_per_second"],
    [{ pushes_per_second: 1.5 }, "/limits/pushes_per_second"],
    [{ endpoints: 2 ** 31 }, "/limits/endpoints"],
    [{ endpoints: "3" }, "/limits/endpoints"],
    [{ keys: 1 }, "/limits/keys"],
    [7, "/limits"],
  ])("%j are refused at %s", async (limits, pointer) => {
    await control.call("PUT", "/tenants/refused", operator);
    for (const method of ["PUT", "PATCH"]) {
      const answer = await control.call(method, "/tenants/refused", operator, { limits });
      expect([answer.status, answer.slug]).toEqual([422, "invalid"]);
      expect(answer.json?.["errors"]).toMatchObject([{ pointer }]);
    }
  });

  test("are told to all processes when they change, and at once known here", async () => {
    const tenant = await control.tenant("told");
    control.changes.length = 0;
    await control.call("PATCH", "/tenants/told", operator, { name: "Still the same" });
    expect(control.changes).toEqual([]);
    await control.call("PATCH", "/tenants/told", operator, { limits: { reads_per_second: 9 } });
    await control.call("PUT", "/tenants/told", operator, { limits: { reads_per_second: 8 } });
    const change = { what: "tenants", tenant: tenant.id, shard: tenant.shard };
    expect(control.changes).toEqual([change, change]);
    const known = await control.directory.tenantByName("told");
    expect(known?.limits.readsPerSecond).toBe(8);
  });

  test("of another process are known within two seconds where nothing was heard", async () => {
    const other = await control.another();
    await control.tenant("unheard");
    await other.directory.tenantByName("unheard");
    await control.call("PATCH", "/tenants/unheard", operator, { limits: { endpoints: 2 } });
    await waitUntil(
      async () => (await other.directory.tenantByName("unheard"))?.limits.endpoints === 2,
      { what: "the limit in the other process" },
    );
  });

  test("a tenant sees its own with what it uses", async () => {
    await control.tenant("own");
    await control.call("PATCH", "/tenants/own", operator, { limits: { endpoints: 5 } });
    const key = await control.key("own", ["read"]);
    await control.call("POST", "/endpoints?tenant=own", operator, { url });
    const expected = {
      tenant: "own",
      limits: { ...none, endpoints: 5 },
      use: expect.objectContaining({ endpoints: 1 }),
      endpoints: expect.objectContaining({ total: 1, active: 1 }),
    };
    expect((await control.call("GET", "/limits", key)).json).toEqual(expected);
    expect((await control.call("GET", "/limits?tenant=own", operator)).json).toEqual(expected);
    const appender = await control.key("own", ["append"]);
    expect((await control.call("GET", "/limits", appender)).slug).toBe("scope-missing");
  });
});

describe("the endpoints of a tenant", () => {
  test("are summed up by status and circuit, for it alone and in a list", async () => {
    const { sql } = control.database;
    const one = await control.tenant("summed");
    const key = await control.key("summed");
    const ids: string[] = [];
    for (let n = 0; n < 6; n += 1) {
      const { json } = await control.call("POST", "/endpoints", key, { url });
      ids.push(endpointUuid(String(json?.["id"])) ?? "");
    }
    await control.tenant("summed-too");
    const other = await control.key("summed-too");
    await control.call("POST", "/endpoints", other, { url });
    const states = [
      ["active", "closed"],
      ["active", "open"],
      ["active", "half_open"],
      ["paused", "open"],
      ["polling", "closed"],
      ["disabled", "open"],
    ];
    for (const [n, [status = "", circuit = ""]] of states.entries()) {
      await sql`update positions set status = ${status}, circuit = ${circuit}
        where tenant = ${one.id} and consumer = ${ids[n] ?? ""}`;
    }
    const summed = {
      ...{ total: 6, active: 3, paused: 1, polling: 1, disabled: 1 },
      circuits: { closed: 2, open: 3, half_open: 1 },
    };
    const shown = await control.call("GET", "/tenants/summed", operator);
    expect(shown.json?.["endpoints"]).toEqual(summed);
    const limits = await control.call("GET", "/limits", key);
    expect(limits.json).toMatchObject({ use: { endpoints: 6 }, endpoints: summed });
    for (const body of [{}, { name: "Summed" }]) {
      const changed = await control.call("PATCH", "/tenants/summed", operator, body);
      expect(changed.json?.["endpoints"]).toEqual(summed);
    }

    const all = listed(await control.call("GET", "/tenants?limit=1000", operator), "tenants");
    const totals = new Map(all.map(({ tenant, endpoints }) => [tenant, endpoints]));
    expect(totals.get("summed")).toEqual(summed);
    expect(totals.get("summed-too")).toMatchObject({ total: 1, circuits: { closed: 1, open: 0 } });
  });
});

describe("the limit of endpoints", () => {
  test("refuses one more, and takes one again when one is gone", async () => {
    await control.call("PUT", "/tenants/two", operator, { limits: { endpoints: 2 } });
    const key = await control.key("two");
    const first = await control.call("POST", "/endpoints", key, { url });
    expect((await control.call("POST", "/endpoints", key, { url })).status).toBe(201);
    const refused = await control.call("POST", "/endpoints", key, { url });
    expect([refused.status, refused.slug]).toEqual([429, "quota-exceeded"]);
    expect(refused.json).toMatchObject({ limit: "endpoints", value: 2 });
    expect(refused.headers.get("retry-after")).toBeNull();
    await control.call("DELETE", `/endpoints/${String(first.json?.["id"])}`, key);
    expect((await control.call("POST", "/endpoints", key, { url })).status).toBe(201);
  });

  test("holds for many at once", async () => {
    await control.call("PUT", "/tenants/raced", operator, { limits: { endpoints: 3 } });
    const key = await control.key("raced");
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => control.call("POST", "/endpoints", key, { url })),
    );
    const made = answers.filter(({ status }) => status === 201);
    expect(made).toHaveLength(3);
    expect(new Set(answers.map(({ slug }) => slug))).toEqual(
      new Set([undefined, "quota-exceeded"]),
    );
    expect(listed(await control.call("GET", "/endpoints", key), "endpoints")).toHaveLength(3);
  });

  test("removes none when it is lowered", async () => {
    await control.tenant("lowered");
    const key = await control.key("lowered");
    for (let n = 0; n < 3; n += 1) await control.call("POST", "/endpoints", key, { url });
    await control.call("PATCH", "/tenants/lowered", operator, { limits: { endpoints: 1 } });
    expect(listed(await control.call("GET", "/endpoints", key), "endpoints")).toHaveLength(3);
    expect((await control.call("POST", "/endpoints", key, { url })).slug).toBe("quota-exceeded");
    const { json } = await control.call("GET", "/limits", key);
    expect(json).toMatchObject({ limits: { endpoints: 1 }, use: { endpoints: 3 } });
  });
});
