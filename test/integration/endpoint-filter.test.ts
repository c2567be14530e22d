/** Pages and streams of what an endpoint matches, read instead of pushed. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestGateway, succeed, type TestGateway } from "../support/gateway.ts";

let gateway: TestGateway;
let tenants = 0;

beforeAll(async () => {
  gateway = await startTestGateway({ TIDEGATE_ROLES: "api" });
});

afterAll(() => gateway?.stop());

async function newTenant() {
  const tenant = await gateway.createTenant(`tenant_${(tenants += 1)}`);
  const url = "http://127.0.0.1:1/hook";
  const create = async (filter: object) => {
    const body = { tenant, url, ...filter };
    return String((await succeed(gateway.call("POST", "/endpoints", { body })))["id"]);
  };
  await gateway.append(
    tenant,
    { type: "order.created", subject: "a" },
    { type: "invoice.paid", subject: "a" },
    { type: "order.paid", subject: "b" },
    { type: "order.created" },
  );
  return { tenant, create };
}

async function page(tenant: string, query: string) {
  const { status, slug, json } = await gateway.call("GET", `/events?tenant=${tenant}&${query}`);
  const events = (json?.["events"] ?? []) as { sequence: string }[];
  const seen = events.map(({ sequence }) => Number(sequence));
  return { status, slug, seen, cursor: String(json?.["cursor"]) };
}

test("a page shows what the endpoint matches, by type and by subject", async () => {
  const { tenant, create } = await newTenant();
  const [all, orders, ofA] = [
    await create({}),
    await create({ types: ["order.*"] }),
    await create({ types: ["order.*"], subjects: ["a"] }),
  ];
  expect((await page(tenant, `endpoint=${all}`)).seen).toEqual([1, 2, 3, 4]);
  expect((await page(tenant, `endpoint=${orders}`)).seen).toEqual([1, 3, 4]);
  expect((await page(tenant, `endpoint=${ofA}`)).seen).toEqual([1]);
});

test("its cursors are those of the same filter, until that is changed", async () => {
  const { tenant, create } = await newTenant();
  const endpoint = await create({ types: ["order.*"] });
  const { cursor } = await page(tenant, `endpoint=${endpoint}&limit=1`);
  expect((await page(tenant, `types=order.*&cursor=${cursor}`)).seen).toEqual([3, 4]);
  expect((await page(tenant, `endpoint=${endpoint}&cursor=${cursor}`)).seen).toEqual([3, 4]);

  const changed = { body: { types: ["invoice.*"] } };
  await succeed(gateway.call("PATCH", `/endpoints/${endpoint}`, changed));
  const after = await page(tenant, `endpoint=${endpoint}&cursor=${cursor}`);
  expect(after).toMatchObject({ status: 400, slug: "cursor-filter-mismatch" });
  const rebased = await page(tenant, `endpoint=${endpoint}&cursor=${cursor}&rebase=true`);
  expect(rebased.seen).toEqual([2]);
});

test("a full page is kept only until the endpoint matches something else", async () => {
  const { tenant, create } = await newTenant();
  const endpoint = await create({ types: ["order.*"] });
  const { cursor } = await page(tenant, `endpoint=${endpoint}&limit=1`);
  const path = `/events?tenant=${tenant}&endpoint=${endpoint}&cursor=${cursor}&limit=1&rebase=true`;
  const first = await gateway.call("GET", path);
  expect(first.headers.get("cache-control")).toBe("private, no-cache");
  const headers = { "if-none-match": String(first.headers.get("etag")) };
  expect((await gateway.call("GET", path, { headers })).status).toBe(304);
  const changed = { body: { types: ["invoice.*"] } };
  await succeed(gateway.call("PATCH", `/endpoints/${endpoint}`, changed));
  const second = await gateway.call("GET", path, { headers });
  expect(second.status).toBe(200);
  expect(second.json?.["events"]).toMatchObject([{ type: "invoice.paid" }]);
});

/** Reads a stream up to its first event. */
async function stream(query: string, lastEventId?: string) {
  const response = await fetch(`${gateway.url}/events/stream?${query}`, {
    headers: {
      authorization: `Bearer ${gateway.operatorKey}`,
      ...(lastEventId !== undefined && { "last-event-id": lastEventId }),
    },
  });
  let text = "";
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  while (reader !== undefined && response.ok && !/data: .*\n/.test(text)) {
    text += (await reader.read()).value;
  }
  await reader?.cancel();
  const cursor = /^id: (.*)$/m.exec(text)?.[1];
  return { status: response.status, text, cursor };
}

test("a stream shows the same, and is gone on with when that is another filter by then", async () => {
  const { tenant, create } = await newTenant();
  const endpoint = await create({ types: ["invoice.*"] });
  const target = `tenant=${tenant}&endpoint=${endpoint}`;
  const { text, cursor } = await stream(`${target}&rebase=true`);
  expect(text).toContain('"sequence":"00000000000000000002"');
  expect(text).not.toContain('"sequence":"00000000000000000001"');
  const changed = { body: { types: ["order.*"] } };
  await succeed(gateway.call("PATCH", `/endpoints/${endpoint}`, changed));
  expect((await stream(target, cursor)).status).toBe(400);
  const again = await stream(`${target}&rebase=true`, cursor);
  expect(again.text).toContain('"sequence":"00000000000000000003"');
});

test("it is refused beside types or subjects, and when the tenant has no such endpoint", async () => {
  const { tenant, create } = await newTenant();
  const endpoint = await create({});
  const other = await newTenant();
  for (const query of ["types=order.*", "subjects=a"]) {
    const both = await page(tenant, `endpoint=${endpoint}&${query}`);
    expect(both).toMatchObject({ status: 400, slug: "invalid-parameter" });
  }
  for (const [of, id] of [
    [other.tenant, endpoint],
    [tenant, "ep_00000000000000000000000000000000"],
    [tenant, "orders"],
  ]) {
    const refused = await page(String(of), `endpoint=${id}`);
    expect([id, refused.status, refused.slug]).toEqual([id, 404, "not-found"]);
  }
});
