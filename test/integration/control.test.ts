/** Tenants and keys, through their routes on a real Postgres. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureOperatorKey } from "../../src/control/keys/keys.ts";
import { listed, operator, startControl, type TestControl } from "../support/control.ts";
import { waitUntil } from "../support/wait.ts";

let control: TestControl;

/** As a tenant shows it that has no limit. */
const none = {
  appends_per_second: null,
  reads_per_second: null,
  pushes_per_second: null,
  endpoints: null,
};

beforeAll(async () => {
  control = await startControl();
});

afterAll(() => control.stop());

describe("tenants", () => {
  test("a tenant is created once and replaced from then on", async () => {
    const created = await control.call("PUT", "/tenants/first", operator, { name: "First Ltd" });
    expect(created.status).toBe(201);
    expect(created.json).toEqual({
      tenant: "first",
      name: "First Ltd",
      limits: none,
      operational_events: [],
      endpoints: {
        ...{ total: 0, active: 0, paused: 0, polling: 0, disabled: 0 },
        circuits: { closed: 0, open: 0, half_open: 0 },
      },
      status: "active",
      erasure: null,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    const replaced = await control.call("PUT", "/tenants/first", operator);
    expect(replaced.status).toBe(200);
    expect(replaced.json).toEqual({ ...created.json, name: null });
    const shown = await control.call("GET", "/tenants/first", operator);
    expect(shown.json).toEqual(replaced.json);
  });

  test("of two PUTs at once one creates the tenant, and it has one log", async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => control.call("PUT", "/tenants/raced", operator, {})),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 200)).toHaveLength(7);
    const tenant = await control.directory.tenantByName("raced");
    const heads = await control.database.sql`
      select head from heads where tenant = ${tenant?.id ?? null}`;
    expect(heads).toEqual([{ head: 0 }]);
  });

  test("a tenant's shard is below the number of shards and follows from its id", async () => {
    const tenant = await control.tenant("sharded");
    expect(tenant.shard).toBe(Number.parseInt(tenant.id.slice(0, 8), 16) % 256);
  });

  test("a merge-patch changes what it names", async () => {
    await control.call("PUT", "/tenants/patched", operator, { name: "Before" });
    const same = await control.call("PATCH", "/tenants/patched", operator, {});
    expect(same.json?.["name"]).toBe("Before");
    const renamed = await control.call("PATCH", "/tenants/patched", operator, { name: "After" });
    expect(renamed.json?.["name"]).toBe("After");
    const cleared = await control.call("PATCH", "/tenants/patched", operator, { name: null });
    expect(cleared.json?.["name"]).toBeNull();
  });

  test("a tenant nobody created is unknown", async () => {
    for (const method of ["GET", "PATCH"]) {
      const body = method === "PATCH" ? { name: "x" } : undefined;
      const answer = await control.call(method, "/tenants/nobody", operator, body);
      expect([answer.status, answer.slug]).toEqual([404, "unknown-tenant"]);
    }
  });

  test("members that are not honoured are refused", async () => {
    const answer = await control.call("PUT", "/tenants/strict", operator, { plan: "gold" });
    expect([answer.status, answer.slug]).toEqual([422, "invalid"]);
    expect(answer.json?.["errors"]).toEqual([{ pointer: "/plan", detail: "unknown member" }]);
  });

  test("only operators see and make tenants", async () => {
    await control.tenant("curious");
    const key = await control.key("curious");
    for (const [method, path] of [
      ["GET", "/tenants"],
      ["GET", "/tenants/curious"],
      ["PUT", "/tenants/other"],
    ] as const) {
      const answer = await control.call(method, path, key);
      expect([answer.status, answer.slug]).toEqual([403, "scope-missing"]);
    }
  });

  test("the list pages through every tenant once", async () => {
    await control.tenant("page.1");
    await control.tenant("page-2");
    const names: string[] = [];
    let cursor: unknown = "";
    for (let more = true; more;) {
      const query = cursor === "" ? "" : `&cursor=${String(cursor)}`;
      const page = await control.call("GET", `/tenants?limit=2${query}`, operator);
      names.push(...listed(page, "tenants").map(({ tenant }) => String(tenant)));
      cursor = page.json?.["cursor"];
      more = page.json?.["has_more"] === true;
    }
    expect(new Set(names).size).toBe(names.length);
    expect(names).toEqual(expect.arrayContaining(["first", "page.1", "page-2"]));
    const beyond = await control.call("GET", `/tenants?cursor=${String(cursor)}`, operator);
    expect(beyond.json).toEqual({ tenants: [], cursor, has_more: false });
  });

  test("a cursor that is not one of the list is refused", async () => {
    for (const cursor of ["x", "Zmlyc3Q=", Buffer.from("no/name").toString("base64url")]) {
      const answer = await control.call("GET", `/tenants?cursor=${cursor}`, operator);
      expect([answer.status, answer.slug]).toEqual([400, "cursor-invalid"]);
    }
  });
});

describe("keys", () => {
  beforeAll(async () => {
    await control.tenant("acme");
    await control.tenant("globex");
  });

  test("a key is shown once, works at once and is stored as a hash", async () => {
    const body = { tenant: "acme", scopes: ["read", "read"], description: "the reader" };
    const { status, json } = await control.call("POST", "/keys", operator, body);
    expect(status).toBe(201);
    expect(json).toEqual({
      id: expect.stringMatching(/^key_[0-9a-f]{32}$/),
      key: expect.stringMatching(/^tg_tn_[\w-]{32}$/),
      tenant: "acme",
      scopes: ["read"],
      description: "the reader",
      created_at: expect.any(String),
      expires_at: null,
    });
    const { key, ...shown } = json ?? {};
    const keys = listed(await control.call("GET", "/keys?tenant=acme", operator), "keys");
    expect(keys).toContainEqual(shown);
    expect(JSON.stringify(keys)).not.toContain(key);
    const rows = await control.database.sql`select k::text as row from keys k`;
    expect(JSON.stringify(rows)).not.toContain(key);
    expect(await control.directory.authenticate(String(key))).toMatchObject({
      kind: "tenant",
      tenant: { name: "acme" },
      scopes: new Set(["read"]),
    });
  });

  test("a tenant's key with manage makes keys for its own tenant and sees only those", async () => {
    const manager = await control.key("acme");
    const made = await control.call("POST", "/keys", manager, { scopes: ["append"] });
    expect([made.status, made.json?.["tenant"]]).toEqual([201, "acme"]);
    const foreign = { tenant: "globex", scopes: ["append"] };
    const refused = await control.call("POST", "/keys", manager, foreign);
    expect([refused.status, refused.slug]).toEqual([404, "unknown-tenant"]);
    await control.key("globex");
    const keys = listed(await control.call("GET", "/keys", manager), "keys");
    expect(new Set(keys.map((each) => each["tenant"]))).toEqual(new Set(["acme"]));
    const weak = await control.key("acme", ["append", "receive"]);
    const lacking = await control.call("POST", "/keys", weak, { scopes: ["append"] });
    expect([lacking.status, lacking.slug]).toEqual([403, "scope-missing"]);
  });

  test("an operator key has to be asked for by its scope", async () => {
    const nameless = await control.call("POST", "/keys", operator, { scopes: ["read"] });
    expect([nameless.status, nameless.slug]).toEqual([400, "tenant-required"]);
    const made = await control.call("POST", "/keys", operator, { scopes: ["operator"] });
    expect(made.json).toMatchObject({ tenant: null, scopes: ["operator"] });
    const key = String(made.json?.["key"]);
    expect(key).toMatch(/^tg_op_/);
    expect((await control.call("GET", "/tenants", key)).status).toBe(200);
    const keys = listed(await control.call("GET", "/keys", operator), "keys");
    expect(keys.map((each) => each["id"])).toEqual([made.json?.["id"], "key_configured"]);
  });

  test("a tenant's key cannot make operator keys, and they belong to no tenant", async () => {
    const manager = await control.key("acme");
    const climb = await control.call("POST", "/keys", manager, { scopes: ["operator"] });
    expect([climb.status, climb.slug]).toEqual([403, "scope-missing"]);
    const mixed = { tenant: "acme", scopes: ["operator"] };
    for (const body of [mixed, { scopes: ["operator", "read"] }]) {
      const answer = await control.call("POST", "/keys", operator, body);
      expect([answer.status, answer.slug]).toEqual([422, "invalid"]);
    }
  });

  test.each([
    [{ scopes: [] }, "/scopes"],
    [{ scopes: ["everything"] }, "/scopes/0"],
    [{ scopes: ["read"], expires_at: "2020-01-01T00:00:00Z" }, "/expires_at"],
    [{ scopes: ["read"], expires_at: "tomorrow" }, "/expires_at"],
    [{ scopes: ["read"], description: "a\u0000b" }, "/description"],
    [{ scopes: ["read"], name: "x" }, "/name"],
  ])("%j is refused at %s", async (body, pointer) => {
    const answer = await control.call("POST", "/keys?tenant=acme", operator, body);
    expect([answer.status, answer.slug]).toEqual([422, "invalid"]);
    expect(answer.json?.["errors"]).toMatchObject([{ pointer }]);
  });

  test("a revoked key is refused at once here, and within 5 s in another process", async () => {
    const other = await control.another();
    const made = await control.call("POST", "/keys?tenant=acme", operator, { scopes: ["manage"] });
    const key = String(made.json?.["key"]);
    expect((await other.api.call("GET", "/keys", key)).status).toBe(200);
    expect((await control.call("GET", "/keys", key)).status).toBe(200);

    const id = String(made.json?.["id"]);
    control.changes.length = 0;
    expect((await control.call("DELETE", `/keys/${id}`, operator)).status).toBe(204);
    expect((await control.call("GET", "/keys", key)).status).toBe(401);
    const refused = async () => (await other.api.call("GET", "/keys", key)).status === 401;
    await waitUntil(refused, { deadlineMs: 5_000, what: "the refusal" });

    const tenant = await control.directory.tenantByName("acme");
    expect(control.changes).toEqual([{ what: "keys", tenant: tenant?.id, shard: tenant?.shard }]);
    expect((await control.call("DELETE", `/keys/${id}`, operator)).status).toBe(404);
  });

  test("a key is another tenant's as little to revoke as one that is not there", async () => {
    const made = await control.call("POST", "/keys?tenant=globex", operator, { scopes: ["read"] });
    const manager = await control.key("acme");
    const id = String(made.json?.["id"]);
    const foreign = await control.call("DELETE", `/keys/${id}`, manager);
    const absent = await control.call("DELETE", "/keys/key_0", manager);
    expect([foreign.status, absent.status]).toEqual([404, 404]);
    expect(foreign.json).toEqual(absent.json);
    const key = String(made.json?.["key"]);
    expect(await control.directory.authenticate(key)).toBeDefined();
  });

  test.each([{ tenant: "acme", scopes: ["manage"] }, { scopes: ["operator"] }])(
    "a key of %j ends when it expires",
    async (owner) => {
      const expires_at = new Date(Date.now() + 1_500).toISOString();
      const { json } = await control.call("POST", "/keys", operator, { ...owner, expires_at });
      const key = String(json?.["key"]);
      expect(json?.["expires_at"]).toBe(expires_at);
      expect((await control.call("GET", "/keys", key)).status).toBe(200);
      const refused = async () => (await control.call("GET", "/keys", key)).status === 401;
      await waitUntil(refused, { what: "the refusal" });
      expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expires_at));
    },
  );

  test("configuring another operator key revokes the one before", async () => {
    const { orm } = control.database;
    await Promise.all([ensureOperatorKey(orm, "the second"), ensureOperatorKey(orm, "the second")]);
    const second = await control.another(); // configured with the first again
    expect(await second.directory.authenticate(operator)).toMatchObject({ kind: "operator" });
    expect(await second.directory.authenticate("the second")).toBeUndefined();
  });

  test("an operator key that was made by a request can be configured", async () => {
    const { json } = await control.call("POST", "/keys", operator, { scopes: ["operator"] });
    const key = String(json?.["key"]);
    await ensureOperatorKey(control.database.orm, key);
    const { directory } = await control.another({ operatorKey: key });
    expect(await directory.authenticate(key)).toEqual({
      kind: "operator",
      keyId: "key_configured",
    });
    await control.another();
  });
});

test("a tenant is found by the start of its internal id", async () => {
  const tenants = [await control.tenant("prefixed-1"), await control.tenant("prefixed-2")];
  const prefixes = tenants.map(({ id }) => id.replaceAll("-", "").slice(0, 16));
  const found = await Promise.all(prefixes.map(control.directory.tenantByPrefix));
  expect(found).toEqual(tenants);
  expect(await control.directory.tenantByPrefix("0".repeat(16))).toBeUndefined();
});
