/** `POST /events`: one event or a batch, with the bytes of their data kept. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestGateway, succeed, type TestGateway } from "../support/gateway.ts";

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
  await gateway.createTenant("acme");
  await gateway.createTenant("globex");
});

afterAll(() => gateway.stop());

const post = (body: unknown, headers: Record<string, string> = {}, query = "") =>
  gateway.call("POST", `/events${query}`, { body, headers });

const orderOf = (more: object = {}) => ({
  tenant: "acme",
  type: "order.created",
  data: 1,
  ...more,
});

async function envelopeOf(id: unknown): Promise<string> {
  return (await gateway.call("GET", `/events/${String(id)}`)).text;
}

type Result = { status: number; id?: string; sequence?: string; problem?: { type: string } };

test("data comes out with the tokens it went in with, only white space dropped", async () => {
  const tokens =
    '{"n":[1.0,1e21,-0,12345678901234567890,1e400],"a":1,"a":2,"s":"\\u00e9 \\ud83d\\ude00 \\\\ \\"","é":"😀\u2028"}';
  const spaced = tokens.replaceAll(/(?<=[,:[{])(?=["\d[-])/g, "\r\n\t ");
  const { status, json } = await post(`{"tenant":"acme","type":"a.b","data": ${spaced} }`);
  expect(status).toBe(201);
  const envelope = await envelopeOf(json?.["id"]);
  expect(envelope.slice(envelope.indexOf('"data":'))).toBe(`"data":${tokens}}`);
});

test("an event carries what its producer said and the defaults for the rest", async () => {
  const said = {
    source: "/shop",
    subject: "o 1",
    time: "2026-01-02T03:04:05+01:00",
    dataversion: "7",
  };
  const full = JSON.parse(await envelopeOf((await post(orderOf(said))).json?.["id"]));
  expect(full).toMatchObject({ ...said, specversion: "1.0", tenant: "acme", data: 1 });
  const { json } = await post(orderOf());
  const bare = JSON.parse(await envelopeOf(json?.["id"]));
  expect(bare).toMatchObject({
    source: "/tenants/acme",
    dataversion: "1",
    sequence: json?.["sequence"],
  });
  expect(bare).not.toHaveProperty("subject");
});

test.each([
  ["time", `2026-01-01T00:00:00.${"1".repeat(4 << 20)}Z`],
  ["type", "a.".repeat(4 << 20)],
  ["source", "a".repeat(8 << 20)],
  ["subject", "a".repeat(8 << 20)],
])("an endless %s spoils only its own event", async (name, text) => {
  const { status, json } = await post({ events: [orderOf(), orderOf({ [name]: text })] });
  const results = json?.["results"] as Result[];
  expect([status, ...results.map((result) => result.status)]).toEqual([200, 201, 422]);
});

test("a bad item of a batch spoils only itself, and each keeps its place", async () => {
  const events = [
    orderOf(),
    orderOf({ type: "no type" }),
    orderOf({ tenant: "globex" }),
    orderOf({ tenant: "nobody" }),
    { tenant: "acme", type: "order.created" },
    orderOf({ subject: "\ud800" }),
    orderOf({ data: "x".repeat((1 << 20) + 1) }),
    orderOf(),
  ];
  const { status, json } = await post({ events });
  const results = json?.["results"] as Result[];
  expect(status).toBe(200);
  expect(results.map((result) => result.status)).toEqual([201, 422, 201, 404, 422, 422, 413, 201]);
  expect(results[3]?.problem?.type).toMatch(/unknown-tenant$/);
  expect(Number(results[7]?.sequence)).toBe(Number(results[0]?.sequence) + 1);
});

test("an item of a batch that is nested too deep spoils only itself, however deep", async () => {
  const deep = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  const item = (data: string) => `{"tenant":"acme","type":"a.b","data":${data}}`;
  const items = [item(deep(64)), item(deep(65)), item(deep(100_000)), deep(500_000), item("1.0")];
  const { status, json } = await post(`{"events":[${items.join(" , ")}]}`);
  const results = json?.["results"] as Result[];
  expect([status, ...results.map((result) => result.status)]).toEqual([
    ...[200, 201, 422, 422, 422, 201],
  ]);
  expect(await envelopeOf(results[4]?.id)).toContain('"data":1.0}');
  const outside = await post(`{"events":[${item("1")}],"x":${deep(100)}}`);
  expect([outside.status, outside.slug]).toEqual([422, "invalid"]);
  const unclosed = await post(`{"events":[${item("1")},${"[".repeat(100)}`);
  expect([unclosed.status, unclosed.slug]).toEqual([422, "invalid"]);
});

test("data of a registered type is held to its schema, item by item", async () => {
  const schema = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
  await succeed(gateway.call("PUT", "/event-types/typed.event", { body: { schema } }));
  const typed = (data: unknown) => orderOf({ type: "typed.event", data });
  const one = await post(typed({ n: "1" }));
  expect([one.slug, one.json?.["errors"]]).toMatchObject(["invalid", [{ pointer: "/data/n" }]]);
  const { json } = await post({ events: [typed({ n: 1 }), typed({}), typed({ n: 2 })] });
  const results = json?.["results"] as Result[];
  expect(results.map((result) => result.status)).toEqual([201, 422, 201]);
});

describe("a tenant that has used up its limit", () => {
  const limited = () => orderOf({ tenant: "limited" });

  beforeAll(async () => {
    await gateway.createTenant("limited");
    const limits = { appends_per_second: 1 };
    await succeed(gateway.call("PATCH", "/tenants/limited", { body: { limits } }));
    // More than a second's worth passes once, and leaves a debt of more than the tests take.
    const { status, headers } = await post({ events: Array.from({ length: 900 }, limited) });
    expect([status, headers.get("ratelimit-policy")]).toEqual([200, '"appends";q=1;w=1']);
  });

  test("is refused and told when to come back", async () => {
    for (const body of [limited(), { events: [limited(), limited()] }]) {
      const { status, slug, headers } = await post(body);
      expect([status, slug]).toEqual([429, "quota-exceeded"]);
      expect(Number(headers.get("retry-after"))).toBeGreaterThan(100);
      expect(headers.get("ratelimit")).toContain('"appends";r=0;');
    }
  });

  test("has its items of a batch refused and spoils nobody else's", async () => {
    const { status, json } = await post({ events: [limited(), orderOf(), limited()] });
    const results = json?.["results"] as Result[];
    expect([status, ...results.map((result) => result.status)]).toEqual([200, 429, 201, 429]);
  });
});

test("a key appends once: the same content is answered again, other content refused", async () => {
  const first = await post(orderOf({ key: "k1" }));
  const again = await post(orderOf(), { "idempotency-key": '"k1"' });
  expect([first.status, again.status]).toEqual([201, 200]);
  expect(again.json).toEqual({ ...first.json, duplicate: true });
  const other = await post(orderOf({ data: 2 }), { "idempotency-key": "k1" });
  expect([other.status, other.slug]).toEqual([422, "idempotency-conflict"]);
  const batch = await post({ events: [orderOf()] }, { "idempotency-key": "k1" });
  expect([batch.status, batch.slug]).toEqual([400, "invalid-header"]);
});

test.each([
  ["is not JSON", '{"tenant":"acme",}', 400, "malformed-json"],
  ["is not UTF-8", undefined, 400, "malformed-json"],
  ["has an unknown member", orderOf({ colour: "red" }), 422, "invalid"],
  ["gives data twice", '{"tenant":"acme","type":"a","data":1,"d\\u0061ta":2}', 422, "invalid"],
  [
    "nests too deep",
    `{"tenant":"acme","type":"a","data":${"[".repeat(65)}${"]".repeat(65)}}`,
    422,
    "invalid",
  ],
  ["takes a reserved type", orderOf({ type: "tidegate.test" }), 422, "invalid"],
  [
    "holds more than 1,000",
    { events: Array.from({ length: 1_001 }, () => orderOf()) },
    422,
    "invalid",
  ],
  ["names no tenant", { type: "a", data: 1 }, 400, "tenant-required"],
])("a body that %s is refused", async (_, body, status, slug) => {
  if (body !== undefined) {
    expect(await post(body)).toMatchObject({ status, slug });
    return;
  }
  const response = await fetch(`${gateway.url}/events`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${gateway.operatorKey}`,
      "content-type": "application/json",
    },
    body: Buffer.from([0x22, 0xff, 0x22]),
  });
  expect(response.status).toBe(status);
  expect(await response.text()).toContain(slug);
});

test("an operator may name the tenant in the query, but not another one in the body", async () => {
  const named = await post({ type: "a", data: 1 }, {}, "?tenant=globex");
  expect(named.json).toMatchObject({ tenant: "globex" });
  expect((await post(orderOf(), {}, "?tenant=globex")).slug).toBe("invalid-parameter");
});
