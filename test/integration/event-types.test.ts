/** Event types: their routes, and what appends in this and other processes make of them. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEventTypeRegistry } from "../../src/control/event-types/registry.ts";
import { openDatabase } from "../../src/db/database.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { startTestGateway, succeed, type Answer, type TestGateway } from "../support/gateway.ts";
import { natsUrl } from "../support/nats.ts";
import { waitUntil } from "../support/wait.ts";

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
  await gateway.createTenant("acme");
});

afterAll(() => gateway?.stop());

const amounts = {
  type: "object",
  required: ["amount"],
  properties: { amount: { type: "integer" } },
};

function put(type: string, body: unknown, { call } = gateway): Promise<Answer> {
  return call("PUT", `/event-types/${type}`, { body });
}

function append(type: string, data: unknown, { call } = gateway): Promise<Answer> {
  return call("POST", "/events", { body: { tenant: "acme", type, data } });
}

describe("an event type", () => {
  test("is created once and replaced from then on", async () => {
    const body = { description: "An order\nof somebody", schema: amounts };
    const created = await put("order.created", body);
    expect(created.status).toBe(201);
    const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const shown = { type: "order.created", ...body, created_at: at, updated_at: at };
    expect(created.json).toEqual(shown);

    const replaced = await put("order.created", { schema: true });
    expect(replaced.status).toBe(200);
    const { created_at } = created.json ?? {};
    expect(replaced.json).toMatchObject({ description: null, schema: true, created_at });
    expect(await succeed(gateway.call("GET", "/event-types/order.created"))).toEqual(replaced.json);

    const same = await put("order.created", { schema: true, description: null });
    expect([same.status, same.text]).toEqual([200, replaced.text]);
  });

  test("shows its schema as it was written", async () => {
    const schema =
      '{"properties":{"2":{"maximum":1.0},"1":{"const":12345678901234567890}},"title":"\\u0041 b"}';
    const spaced = schema.replaceAll(/([{,:])/g, "$1\n ");
    const answers = [
      await put("written", `{"schema" : ${spaced}, "description":"schema"}`),
      await gateway.call("GET", "/event-types/written"),
      await gateway.call("GET", "/event-types"),
    ];
    for (const { text } of answers) expect(text).toContain(`"schema":${schema},`);
  });

  test.each<[string, unknown, string, string]>([
    ["a schema that is none", { schema: { type: "strnig" } }, "/schema/type", "must be one of"],
    ["a reference to nothing", { schema: { $ref: "#/a" } }, "/schema/$ref", "leads to nothing"],
    ["a schema that is a list", { schema: [] }, "/schema", "none of the forms"],
    ["a member nobody knows", { name: "x" }, "/name", "unknown member"],
    ["a description that is too long", { description: "x".repeat(1_025) }, "/description", "1024"],
    ["a NUL", { description: "\0" }, "/description", "U+0000"],
    ["a nesting that is too deep", `{"schema":${"[".repeat(64)}${"]".repeat(64)}}`, "", "nested"],
  ])("may not have %s", async (_, body, pointer, detail) => {
    const answer = await put("refused", body);
    expect([answer.status, answer.slug]).toEqual([422, "invalid"]);
    const errors = answer.json?.["errors"] as { pointer: string; detail: string }[];
    expect(errors[0]?.pointer).toBe(pointer);
    expect(errors[0]?.detail).toContain(detail);
    expect((await gateway.call("GET", "/event-types/refused")).slug).toBe("not-found");
  });

  test("may not have a schema of more than 256 KiB, but white space does not count", async () => {
    const fitting = { title: "x".repeat((256 << 10) - '{"title":""}'.length) };
    const spaced = `{"schema":${JSON.stringify(fitting).replace(":", `:${" ".repeat(1_000)}`)}}`;
    expect((await put("large", spaced)).status).toBe(201);
    const answer = await put("large", { schema: { title: `${fitting.title}x` } });
    expect([answer.status, answer.slug]).toEqual([413, "payload-too-large"]);
    expect((await gateway.call("DELETE", "/event-types/large")).status).toBe(204);
  });

  test.each(["tidegate.a", "tidegate", "a..b", "a-b", "a.*", "%00", "x".repeat(257)])(
    "may not be called %s",
    async (name) => {
      const answer = await put(name, {});
      expect([answer.status, answer.slug]).toEqual([400, "invalid-parameter"]);
    },
  );

  test("is unknown when it was never made or is removed", async () => {
    expect((await put("removed", {})).status).toBe(201);
    expect((await gateway.call("DELETE", "/event-types/removed")).status).toBe(204);
    for (const method of ["GET", "DELETE"]) {
      const answer = await gateway.call(method, "/event-types/removed");
      expect([answer.status, answer.slug]).toEqual([404, "not-found"]);
    }
  });

  test("of 8 PUTs at once one creates it", async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => put("raced", {})));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(7);
  });

  test("is seen by every tenant that reads, and changed by operators only", async () => {
    await put("shared", { schema: amounts });
    const reader = await gateway.createKey("acme", ["read"]);
    const shown = await gateway.call("GET", "/event-types/shared", { key: reader });
    expect(shown.json).toMatchObject({ schema: amounts });
    const manager = await gateway.createKey("acme", ["manage"]);
    for (const method of ["PUT", "DELETE"]) {
      const refused = await gateway.call(method, "/event-types/shared", { key: manager, body: {} });
      expect([refused.status, refused.slug]).toEqual([403, "scope-missing"]);
    }
  });
});

describe("the list", () => {
  test("has every type once, by name, on pages that end early where schemas are large", async () => {
    const large = { title: "x".repeat(250_000) };
    const names = Array.from({ length: 20 }, (_, n) => `listed.${String(n).padStart(2, "0")}`);
    for (const name of names) await succeed(put(name, { schema: large }));
    const seen: string[] = [];
    let pages = 0;
    for (let query = "limit=19", more = true; more; pages += 1) {
      const page = await succeed(gateway.call("GET", `/event-types?${query}`));
      seen.push(...(page["event_types"] as { type: string }[]).map(({ type }) => type));
      expect(JSON.stringify(page).length).toBeLessThan(6_000_000);
      more = page["has_more"] === true;
      query = `limit=19&cursor=${String(page["cursor"])}`;
    }
    expect(seen).toEqual([...new Set(seen)]);
    expect(seen.filter((name) => name.startsWith("listed."))).toEqual(names);
    expect(pages).toBeGreaterThan(1);
    for (const name of names) await gateway.call("DELETE", `/event-types/${name}`);
  });
});

describe("an append", () => {
  test("of a registered type is held to its schema, in each item of a batch", async () => {
    await put("order.paid", { schema: amounts });
    expect((await append("order.paid", { amount: 1 })).status).toBe(201);
    const refused = await append("order.paid", { amount: "1" });
    expect([refused.status, refused.slug]).toEqual([422, "invalid"]);
    expect(refused.json?.["errors"]).toEqual([
      { pointer: "/data/amount", detail: "must be integer" },
    ]);
    const results = await gateway.append(
      "acme",
      { type: "order.paid", data: { amount: 2 } },
      { type: "order.paid", data: {} },
      { type: "order.paid.late", data: {} },
    );
    expect(results.map(({ status }) => status)).toEqual([201, 422, 201]);
    expect(results[1]).toMatchObject({
      problem: { errors: [{ pointer: "/data/amount", detail: "is required" }] },
    });
  });

  test("is held to a change of the schema from the answer on", async () => {
    const accepts = async () => (await append("changing", { amount: 1 })).status === 201;
    for (let round = 0; round < 5; round += 1) {
      await put("changing", { schema: false });
      expect(await accepts()).toBe(false);
      await put("changing", { schema: amounts });
      expect(await accepts()).toBe(true);
      await put("changing", { schema: { const: round } });
      expect(await accepts()).toBe(false);
      await put("changing", { description: "without a schema" });
      expect(await accepts()).toBe(true);
      await put("changing", { schema: false });
      await gateway.call("DELETE", "/event-types/changing");
      expect(await accepts()).toBe(true);
    }
  });
});

describe("another process", () => {
  test("hears of a change by itself, if not at once", async () => {
    await using other = await startTestGateway(gateway.environment);
    await expectSoonRefused(other);
  });

  test("hears of a change through NATS", async () => {
    const nats = await natsUrl();
    const connected = { NATS_URL: nats.url };
    try {
      await using one = await startTestGateway(connected);
      await using other = await startTestGateway({ ...one.environment, ...connected });
      await one.createTenant("acme");
      await expectSoonRefused(other, one);
    } finally {
      await nats.stop();
    }
  });

  async function expectSoonRefused(other: TestGateway, changed = gateway): Promise<void> {
    expect((await append("told", 1, other)).status).toBe(201);
    await succeed(put("told", { schema: false }, changed));
    await waitUntil(async () => (await append("told", 1, other)).status === 422);
    await succeed(changed.call("DELETE", "/event-types/told"));
    await waitUntil(async () => (await append("told", 1, other)).status === 201);
  }
});

describe("the registry", () => {
  test("asks once for all who wait, and not again for a while", async () => {
    await using opened = await openRegistry();
    const { registry } = opened;
    await put("asked", { schema: false });
    const asked = registry.fresh();
    expect(asked).toBeInstanceOf(Promise);
    expect(registry.fresh()).toBe(asked);
    expect(registry.check("asked", 1)).toEqual([]);
    await asked;
    expect(registry.check("asked", 1)).toHaveLength(1);
    expect(registry.fresh()).toBeUndefined();
  });

  test("answers whoever asks after a change with the change", async () => {
    await using opened = await openRegistry();
    const { registry, sql } = opened;
    await put("locked", { schema: false });
    await registry.fresh();
    registry.forget();
    let before: Promise<void> | undefined;
    let after: Promise<void> | undefined;
    await sql.begin(async (transaction) => {
      await transaction`lock table event_types`;
      before = registry.fresh();
      await transaction`update event_types set schema = 'true' where type = 'locked'`;
      registry.forget();
      after = registry.fresh();
    });
    expect(after).not.toBe(before);
    await after;
    expect(registry.check("locked", 1)).toEqual([]);
    await before;
    expect(registry.check("locked", 1)).toEqual([]);
  });

  test("tells data that is no JSON from data that fits", async () => {
    await using opened = await openRegistry();
    await put("binary", { schema: {} });
    await put("any", { description: "has no schema" });
    await opened.registry.fresh();
    expect(opened.registry.check("binary", null)).toEqual([]);
    expect(opened.registry.check("binary", undefined)).toHaveLength(1);
    expect(opened.registry.check("any", undefined)).toEqual([]);
    expect(opened.registry.check("constructor", 1)).toEqual([]);
  });

  test("fails while the database cannot be read, and no longer", async () => {
    await using opened = await openRegistry();
    const { registry, sql } = opened;
    await sql`alter table event_types rename to event_types_gone`;
    await expect(registry.fresh()).rejects.toThrow();
    await expect(registry.fresh()).rejects.toThrow();
    await sql`alter table event_types_gone rename to event_types`;
    await registry.fresh();
    expect(registry.fresh()).toBeUndefined();
  });

  test("refuses data of a type whose schema does not compile here", async () => {
    await using opened = await openRegistry();
    const { registry, sql } = opened;
    await sql`insert into event_types (type, schema) values ('newer', '{"$ref":"#/x"}')`;
    await registry.fresh();
    expect(registry.check("newer", 1)).toEqual([
      { pointer: "/data", detail: "the schema of its type cannot be used here" },
    ]);
    await sql`delete from event_types where type = 'newer'`;
  });

  async function openRegistry() {
    const { sql, orm, stop } = openDatabase(gateway.databaseUrl, { connections: 3, name: "test" });
    const registry = createEventTypeRegistry({ orm, log: createLogger({ level: "silent" }) });
    return { registry, sql, [Symbol.asyncDispose]: stop };
  }
});
