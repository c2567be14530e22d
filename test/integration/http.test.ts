/** What all routes share, through a real server: who may call, what is checked, what is answered. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { RequestDone } from "../../src/http/mount.ts";
import { alreadySent, route } from "../../src/http/route.ts";
import { listParameter, pageQuery, tenantMember } from "../../src/http/schemas.ts";
import { Problem } from "../../src/problem.ts";
import { directory, startApi, type SampleApi } from "../support/http.ts";
import { waitUntil } from "../support/wait.ts";

const thing = z.object({ id: z.string(), tenant: z.string(), note: z.string().optional() });

const shared = { tag: "things", summary: "A sample" } as const;

let streamAborted = false;

const routes = [
  route({
    ...shared,
    method: "get",
    path: "/things/{id}",
    id: "getThing",
    access: "read",
    tenant: "named",
    params: z.object({ id: z.string().regex(/^thg_\w+$/, "expected thg_…") }),
    responses: { 200: thing },
    problems: ["not-found"],
    handle: ({ params, tenant }) => ({
      status: 200,
      body: { id: params.id, tenant: tenant.name },
    }),
  }),
  route({
    ...shared,
    method: "get",
    path: "/things/stream",
    id: "streamThings",
    access: "read",
    tenant: "named",
    ticket: (ticket) => directory.authenticate(ticket),
    query: z.object({ ticket: z.string().optional() }),
    responses: { 200: { content: { "text/event-stream": z.string() } } },
    handle: async ({ request, tenant }) => {
      const out = request.takeOver(200, { "content-type": "text/event-stream" });
      out.write(`data: ${tenant.name}\n\n`);
      request.signal().addEventListener("abort", () => (streamAborted = true));
      await new Promise((resolve) => out.once("close", resolve));
      return alreadySent;
    },
  }),
  route({
    ...shared,
    method: "get",
    path: "/things",
    id: "listThings",
    access: "manage",
    tenant: "optional",
    query: z.object({ ...pageQuery, types: listParameter(z.string().min(1), 3).optional() }),
    responses: { 200: z.object({ tenant: z.string().nullable(), query: z.unknown() }) },
    handle: ({ query, tenant }) => ({
      status: 200,
      body: { tenant: tenant?.name ?? null, query },
      headers: { "cache-control": "private, max-age=5", vary: "accept" },
    }),
  }),
  route({
    ...shared,
    method: "post",
    path: "/things",
    id: "createThing",
    access: "manage",
    tenant: "named",
    body: z.strictObject({
      ...tenantMember,
      note: z.string().max(5),
      "a/b~c": z.array(z.object({ n: z.number() })).optional(),
    }),
    responses: { 201: thing },
    handle: ({ body, tenant }) => ({
      status: 201,
      body: { id: "thg_1", tenant: tenant.name, note: body.note },
    }),
  }),
  route({
    ...shared,
    method: "delete",
    path: "/things/{id}",
    id: "deleteThing",
    access: "operator",
    params: z.object({ id: z.string() }),
    responses: { 204: {} },
    handle: ({ params }) => {
      if (params.id === "broken") throw new Error("secret detail");
      if (params.id === "away") throw new Error("connection refused");
      if (params.id === "gone") throw new Problem("not-found");
      return { status: 204 };
    },
  }),
];

let api: SampleApi;
const observed: RequestDone[] = [];

beforeAll(async () => {
  api = await startApi(routes, {
    corsOrigins: ["https://app.example"],
    observe: (done) => observed.push(done),
    isUnavailable: (error) => error instanceof Error && error.message === "connection refused",
  });
});
afterAll(() => api.stop(1_000));

describe("keys", () => {
  test.each([[undefined], ["nobody-read"], ["acme-expired"], ["a b"], ["x".repeat(513)]])(
    "without a valid key (%j) the answer is 401 and says how to authenticate",
    async (key) => {
      const { status, headers, json, slug } = await api.call("GET", "/things/thg_1?typo=1", key);
      expect([status, slug]).toEqual([401, "unauthorized"]);
      expect(headers.get("www-authenticate")).toMatch(/^Bearer/);
      expect(headers.get("content-type")).toBe("application/problem+json");
      if (key !== undefined) expect(JSON.stringify(json)).not.toContain(key);
    },
  );

  test.each([
    ["GET", "/things/thg_1", "append", 403, "read"],
    ["GET", "/things/thg_1", "read", 200, ""],
    ["GET", "/things/thg_1", "receive", 200, ""],
    ["GET", "/things/thg_1", "manage", 200, ""],
    ["GET", "/things", "receive", 403, "manage"],
    ["DELETE", "/things/thg_1", "manage", 403, "operator"],
  ])("%s %s with scope %s is %i", async (method, path, scope, status, missing) => {
    const answer = await api.call(method, path, `acme-${scope}`);
    expect(answer.status).toBe(status);
    if (status !== 403) return;
    expect(answer).toMatchObject({ slug: "scope-missing", json: { scope: missing } });
    expect(answer.headers.get("www-authenticate")).toContain(`scope="${missing}"`);
  });

  test("a ticket stands in for the key only where the route takes one", async () => {
    expect((await api.call("GET", "/things/thg_1?ticket=acme-read", undefined)).status).toBe(401);
    expect((await api.call("GET", "/things/stream?ticket=wrong", undefined)).status).toBe(401);
    const stream = await fetch(`${api.url}/things/stream?ticket=acme-read`);
    expect(stream.status).toBe(200);
    await stream.body?.cancel();
  });
});

describe("tenants", () => {
  test("a tenant key may name its own tenant", async () => {
    expect((await api.call("GET", "/things/thg_1?tenant=acme", "acme-read")).status).toBe(200);
  });

  test("another tenant and none at all look the same to a tenant key", async () => {
    const other = await api.call("GET", "/things/thg_1?tenant=globex", "acme-read");
    const none = await api.call("GET", "/things/thg_1?tenant=nobody", "acme-read");
    expect(other.status).toBe(404);
    expect(none.json).toEqual(JSON.parse(JSON.stringify(other.json).replace("globex", "nobody")));
  });

  test("an operator names the tenant in the query or in the body", async () => {
    const inQuery = await api.call("POST", "/things?tenant=acme", "operator", { note: "a" });
    expect(inQuery.json).toMatchObject({ tenant: "acme" });
    const inBody = await api.call("POST", "/things", "operator", { tenant: "globex", note: "a" });
    expect(inBody.json).toMatchObject({ tenant: "globex" });
    const both = await api.call("POST", "/things?tenant=acme", "operator", {
      tenant: "globex",
      note: "a",
    });
    expect(both).toMatchObject({ status: 400, json: { parameter: "tenant" } });
  });

  test("an operator who names none is asked to, unless the route speaks of all", async () => {
    const asked = await api.call("GET", "/things/thg_1", "operator");
    expect(asked).toMatchObject({ status: 400, slug: "tenant-required" });
    expect((await api.call("GET", "/things", "operator")).json).toMatchObject({ tenant: null });
    expect((await api.call("GET", "/things", "acme-manage")).json).toMatchObject({
      tenant: "acme",
    });
    const unknown = await api.call("GET", "/things?tenant=nobody", "operator");
    expect(unknown).toMatchObject({ status: 404, slug: "unknown-tenant" });
  });
});

describe("parameters and bodies", () => {
  test.each([
    ["/things?limit=5&typo=1", "unknown-parameter", "typo"],
    ["/things?limit=5&limit=6", "duplicate-parameter", "limit"],
    ["/things?limit=0", "invalid-parameter", "limit"],
    ["/things?limit=1e3", "invalid-parameter", "limit"],
    ["/things?types=a,,b", "invalid-parameter", "types"],
    ["/things?__proto__=1", "unknown-parameter", "__proto__"],
  ])("%s is 400 %s", async (path, slug, parameter) => {
    const answer = await api.call("GET", path, "operator");
    expect(answer).toMatchObject({ status: 400, slug, json: { parameter } });
  });

  test("parameters arrive as what they mean, with their defaults", async () => {
    const given = await api.call("GET", "/things?limit=7&types=a%2Cb", "operator");
    expect(given.json).toMatchObject({ query: { limit: 7, types: ["a", "b"] } });
    expect((await api.call("GET", "/things?", "operator")).json).toMatchObject({
      query: { limit: 100 },
    });
  });

  test("a path parameter of another form is 400", async () => {
    const { status, json } = await api.call("GET", "/things/xyz", "acme-read");
    expect([status, json?.["parameter"]]).toEqual([400, "id"]);
  });

  test("valid JSON that breaks the schema is 422 with pointers", async () => {
    const body = { note: "too long", extra: 1, "a/b~c": [{ n: 1 }, { n: "2" }] };
    const { status, slug, json } = await api.call("POST", "/things", "acme-manage", body);
    expect([status, slug]).toEqual([422, "invalid"]);
    const errors = json?.["errors"] as { pointer: string; detail: string }[];
    expect(errors.map(({ pointer }) => pointer).toSorted()).toEqual([
      "/a~1b~0c/1/n",
      "/extra",
      "/note",
    ]);
    expect(errors.every(({ detail }) => detail.length > 0)).toBe(true);
  });

  test.each([
    ['{"note":\n nul}', { line: 2, column: 2, offset: 10 }],
    ["", {}],
  ])("malformed JSON %j is 400", async (body, place) => {
    const answer = await api.call("POST", "/things", "acme-manage", body);
    expect(answer).toMatchObject({ status: 400, slug: "malformed-json", json: place });
  });
});

describe("answers", () => {
  test("an unknown path is 404, a known one with another method 405 with Allow", async () => {
    const unknown = await api.call("GET", "/nothing", undefined);
    expect(unknown).toMatchObject({ status: 404, slug: "not-found" });
    const known = await api.call("PATCH", "/things", undefined);
    expect(known).toMatchObject({ status: 405, slug: "method-not-allowed" });
    expect(known.headers.get("allow")).toBe("GET, POST, HEAD, OPTIONS");
  });

  test("HEAD is GET without the body, and refused by streams", async () => {
    const head = await api.call("HEAD", "/things/thg_1", "acme-read");
    const get = await api.call("GET", "/things/thg_1", "acme-read");
    expect(head.status).toBe(200);
    expect(head.json).toBeUndefined();
    expect(head.headers.get("content-length")).toBe(get.headers.get("content-length"));
    expect((await api.call("HEAD", "/things/stream", "acme-read")).status).toBe(405);
  });

  test("every answer has an id and is not to be stored or sniffed unless it says so", async () => {
    const plain = await api.call("GET", "/things/thg_1", "acme-read");
    expect(plain.headers.get("cache-control")).toBe("no-store");
    expect(plain.headers.get("x-content-type-options")).toBe("nosniff");
    expect(plain.headers.get("tidegate-request-id")).toMatch(/^req_[a-z0-9]{16,}$/);
    const own = await api.call("GET", "/things", "operator");
    expect(own.headers.get("cache-control")).toBe("private, max-age=5");
  });

  test("an error of ours is 500 with an id that is in the log, and nothing else", async () => {
    const { status, json, headers } = await api.call("DELETE", "/things/broken", "operator");
    expect(status).toBe(500);
    expect(json).toEqual({
      type: "https://tidegate.dev/problems/internal-error",
      title: "Internal error",
      status: 500,
      detail: "internal error",
      id: headers.get("tidegate-request-id"),
    });
    const line = api.lines.find(({ request }) => request === json?.["id"]);
    expect(line).toMatchObject({ level: "error", operation: "deleteThing", key: "key_operator" });
    expect(JSON.stringify(line)).toContain("secret detail");
  });

  test("every request is observed, whatever its outcome", async () => {
    observed.length = 0;
    await api.call("DELETE", "/things/gone", "operator");
    await api.call("GET", "/nothing", undefined);
    expect(observed).toEqual([
      { operation: "deleteThing", method: "DELETE", status: 404, durationMs: expect.any(Number) },
      { operation: "none", method: "GET", status: 404, durationMs: expect.any(Number) },
    ]);
  });

  test("a dependency that is away is 503 with Retry-After", async () => {
    const { status, json, headers } = await api.call("DELETE", "/things/away", "operator");
    expect(status).toBe(503);
    expect(headers.get("retry-after")).toBe("2");
    expect(JSON.stringify(json)).not.toContain("refused");
  });

  test("a stream writes its own response and learns when the client leaves", async () => {
    streamAborted = false;
    const response = await fetch(`${api.url}/things/stream`, {
      headers: { authorization: "Bearer acme-read", origin: "https://app.example" },
    });
    expect(response.headers.get("access-control-allow-origin")).toBe("https://app.example");
    expect(response.headers.get("tidegate-request-id")).not.toBeNull();
    const reader = response.body?.getReader();
    const first = await reader?.read();
    expect(Buffer.from(first?.value ?? []).toString()).toBe("data: acme\n\n");
    await reader?.cancel();
    await waitUntil(() => streamAborted, { what: "the stream's signal" });
  });
});

describe("origins", () => {
  test("an allowed origin may call and read our headers", async () => {
    const preflight = await fetch(`${api.url}/things`, {
      method: "OPTIONS",
      headers: { origin: "https://app.example", "access-control-request-method": "POST" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-methods")).toContain("POST");
    for (const name of ["authorization", "content-type", "last-event-id", "idempotency-key"]) {
      expect(preflight.headers.get("access-control-allow-headers")).toContain(name);
    }
    const refused = await fetch(`${api.url}/things`, {
      headers: { origin: "https://app.example" },
    });
    expect(refused.status).toBe(401);
    expect(refused.headers.get("access-control-allow-origin")).toBe("https://app.example");
    expect(refused.headers.get("access-control-expose-headers")).toContain("tidegate-head");
  });

  test("any other origin is told nothing", async () => {
    const headers = { origin: "https://evil.example", authorization: "Bearer operator" };
    const response = await fetch(`${api.url}/things`, { headers });
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    expect(response.headers.get("vary")).toBe("origin, accept");
  });
});
