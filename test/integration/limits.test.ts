/** What a process takes on at most: of one tenant's requests, of all requests, of their bodies. */
import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { z } from "zod";
import type { Directory, Tenant } from "../../src/http/auth.ts";
import { alreadySent, rawBody, route } from "../../src/http/route.ts";
import { Problem } from "../../src/problem.ts";
import { acme, converse, directory, startApi, type SampleApi } from "../support/http.ts";
import { unlimited } from "../support/tenant.ts";
import { waitUntil } from "../support/wait.ts";

const shared = { tag: "samples", summary: "A sample", access: "read" } as const;

let api: SampleApi | undefined;
let proceed = (): void => {};
let held = Promise.resolve();
let holding = 0;

/** From now on handlers that hold wait until `proceed` is called. */
function holdAll(): void {
  held = new Promise((resolve) => (proceed = resolve));
}

async function hold(): Promise<void> {
  holding += 1;
  await held;
  holding -= 1;
}

afterEach(async () => {
  proceed();
  await api?.stop(100);
  api = undefined;
});

const routes = [
  route({
    ...shared,
    method: "get",
    path: "/hold",
    id: "hold",
    responses: { 200: z.object({}) },
    handle: async () => {
      await hold();
      return { status: 200, body: {} };
    },
  }),
  route({
    ...shared,
    method: "get",
    path: "/public",
    id: "public",
    access: "public",
    responses: { 200: z.object({}) },
    handle: () => ({ status: 200, body: {} }),
  }),
  route({
    ...shared,
    method: "post",
    path: "/body",
    id: "body",
    direct: true,
    body: rawBody({ content: { "application/json": z.string() } }),
    responses: { 200: z.object({ bytes: z.int() }) },
    handle: async ({ request }) => {
      const body = await request.readBody(100_000);
      await hold();
      return { status: 200, body: { bytes: body.length } };
    },
  }),
  route({
    ...shared,
    method: "get",
    path: "/page",
    id: "page",
    tenant: "optional",
    limit: "reads",
    query: z.object({ gone: z.string().optional() }),
    responses: { 200: z.object({}) },
    problems: ["cursor-expired"],
    handle: ({ query }) => {
      if (query.gone !== undefined) throw new Problem("cursor-expired");
      return { status: 200, body: {} };
    },
  }),
  route({
    ...shared,
    method: "get",
    path: "/stream",
    id: "stream",
    tenant: "named",
    limit: "reads",
    responses: { 200: { content: { "text/plain": z.string() } } },
    handle: ({ request }) => {
      request.takeOver(200, { "content-type": "text/plain" }).end('"streamed"');
      return alreadySent;
    },
  }),
];

/** Acme may read so often; globex as it likes. */
function limiting(readsPerSecond: number): Directory {
  const limits = { ...unlimited.limits, readsPerSecond };
  const limited: Tenant = { ...acme, limits };
  return {
    async authenticate(token) {
      const principal = await directory.authenticate(token);
      if (principal?.kind !== "tenant" || principal.tenant.id !== acme.id) return principal;
      return { ...principal, tenant: limited };
    },
    tenantByName: async (name) => (name === "acme" ? limited : directory.tenantByName(name)),
  };
}

const rate = (headers: Headers) => [headers.get("ratelimit-policy"), headers.get("ratelimit")];

describe("a tenant's rate", () => {
  test("each answer tells what is left: a page, a problem, a stream", async () => {
    api = await startApi(routes, { directory: limiting(1_000) });
    for (const path of ["/page", "/page?gone=1", "/stream"]) {
      const { headers } = await api.call("GET", path, "acme-read");
      expect(rate(headers)).toEqual([
        '"reads";q=1000;w=1',
        expect.stringMatching(/^"reads";r=99\d;t=1$/),
      ]);
    }
  });

  test("beyond it requests are refused before they do anything, and no one else's", async () => {
    api = await startApi(routes, { directory: limiting(1) });
    await api.call("GET", "/page", "acme-read");
    const refused = await api.call("GET", "/page", "acme-read");
    expect(refused).toMatchObject({ status: 429, slug: "quota-exceeded" });
    expect(refused.json).toMatchObject({ limit: "reads_per_second", value: 1 });
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(rate(refused.headers)).toEqual(['"reads";q=1;w=1', '"reads";r=0;t=1']);
    // An operator who acts on the tenant uses up the tenant's; who names none, nobody's.
    expect((await api.call("GET", "/page?tenant=acme", "operator")).status).toBe(429);
    for (const [path, key] of [
      ["/page", "globex-read"],
      ["/page", "operator"],
      ["/hold", "acme-read"],
    ] as const) {
      const { status, headers } = await api.call("GET", path, key);
      expect({ path, key, status, rate: rate(headers) }).toMatchObject({
        status: 200,
        rate: [null, null],
      });
    }
    const { call } = api;
    await waitUntil(async () => (await call("GET", "/page", "acme-read")).status === 200);
  });
});

describe("requests under way", () => {
  test("are bounded for a tenant, so that it leaves room for others", async () => {
    api = await startApi(routes, { requestsMax: 8 });
    const { call } = api;
    holdAll();
    const running = [1, 2].map(() => call("GET", "/hold", "acme-read"));
    await waitUntil(() => holding === 2);
    const refused = await call("GET", "/hold", "acme-read");
    expect(refused).toMatchObject({ status: 503, slug: "unavailable" });
    expect(refused.headers.get("retry-after")).toBe("1");
    running.push(call("GET", "/hold", "globex-read"), call("GET", "/hold", "operator"));
    await waitUntil(() => holding === 4);
    proceed();
    for (const answer of await Promise.all(running)) expect(answer.status).toBe(200);
    expect((await call("GET", "/hold", "acme-read")).status).toBe(200);
  });

  test("are bounded in all, and what anybody may ask is answered nevertheless", async () => {
    api = await startApi(routes, { requestsMax: 3 });
    const { call } = api;
    holdAll();
    const running = [1, 2, 3].map(() => call("GET", "/hold", "operator"));
    await waitUntil(() => holding === 3);
    const refused = await call("GET", "/hold", "acme-read");
    expect(refused).toMatchObject({ status: 503, slug: "unavailable" });
    expect(refused.headers.get("retry-after")).toBe("1");
    expect((await call("GET", "/public")).status).toBe(200);
    expect((await call("GET", "/nowhere")).status).toBe(404);
    proceed();
    for (const answer of await Promise.all(running)) expect(answer.status).toBe(200);
    // Those that were refused left nothing behind.
    for (let count = 0; count < 10; count += 1) {
      expect((await call("GET", "/hold", "nobody")).status).toBe(401);
      expect((await call("GET", "/hold", "acme-read")).status).toBe(200);
    }
  });
});

describe("bodies", () => {
  const text = `"${"x".repeat(59_998)}"`;

  test("are bounded in all: beyond it one is refused before it is read", async () => {
    api = await startApi(routes, { bodiesMaxBytes: 100_000 });
    const { call, port } = api;
    holdAll();
    const first = call("POST", "/body", "operator", text);
    await waitUntil(() => holding === 1);
    const head = ["POST /body HTTP/1.1", "host: x", "authorization: Bearer operator"];
    const asking = [...head, "content-length: 60000", "expect: 100-continue", "connection: close"];
    const received = await converse(port, [`${asking.join("\r\n")}\r\n\r\n`]);
    expect(received).toMatch(/^HTTP\/1.1 503 /);
    expect(received).toMatch(/\r\nretry-after: 1\r\n/i);
    // What fits is taken, and one that does not say how long it is up to where it does not fit.
    const small = call("POST", "/body", "operator", '"small"');
    await waitUntil(() => holding === 2);
    const chunked = [...head, "transfer-encoding: chunked", "connection: close"].join("\r\n");
    const piece = `${(30_000).toString(16)}\r\n${"1".repeat(30_000)}\r\n`;
    expect(await converse(port, [`${chunked}\r\n\r\n`, piece, piece])).toMatch(/^HTTP\/1.1 503 /);
    proceed();
    expect(await first).toMatchObject({ status: 200, json: { bytes: 60_000 } });
    expect((await small).status).toBe(200);
    // All of it was given back.
    expect((await call("POST", "/body", "operator", text)).status).toBe(200);
  });

  test("are bounded for a tenant, so that its slow ones leave room for others", async () => {
    api = await startApi(routes, { bodiesMaxBytes: 280_000 });
    const { call, port } = api;
    const slow = connect(port, "127.0.0.1");
    const head = ["POST /body HTTP/1.1", "host: x", "authorization: Bearer acme-read"];
    slow.write(`${head.join("\r\n")}\r\ncontent-length: 70000\r\n\r\n${"1".repeat(60_000)}`);
    await waitUntil(async () => (await call("POST", "/body", "acme-read", text)).status === 503);
    const refused = await call("POST", "/body", "acme-read", text);
    expect(refused).toMatchObject({ status: 503, slug: "unavailable" });
    expect(refused.headers.get("retry-after")).toBe("1");
    // One that does not say how long it is, up to where it does not fit.
    const chunked = [...head, "transfer-encoding: chunked", "connection: close"].join("\r\n");
    const piece = `${(30_000).toString(16)}\r\n${"1".repeat(30_000)}\r\n`;
    expect(await converse(port, [`${chunked}\r\n\r\n`, piece])).toMatch(/^HTTP\/1.1 503 /);
    for (const key of ["globex-read", "operator"]) {
      expect((await call("POST", "/body", key, text)).status).toBe(200);
    }
    // All of it is given back, also when the client leaves.
    slow.destroy();
    await waitUntil(async () => (await call("POST", "/body", "acme-read", text)).status === 200);
    expect((await call("POST", "/body", "acme-read", text)).status).toBe(200);
  });

  test.each(["x", "X"])(
    "whose senders leave are given back, however they go: host %s",
    async (host) => {
      api = await startApi(routes, { bodiesMaxBytes: 240_000, requestsMax: 16 });
      const { call, port, lines, server } = api;
      const head =
        `POST /body HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer acme-read\r\n` +
        "content-type: application/json\r\ncontent-length: 20000\r\n\r\n";
      const whole = `${head}${"1".repeat(20_000)}`;
      let begun = 0;
      server.on("request", () => (begun += 1));
      for (let round = 1; round <= 25; round += 1) {
        holdAll();
        // In the middle of a body, while it is worked with, and behind one that is.
        const sockets = [whole.slice(0, -9_999), whole, `${whole}${head}`].map((sent) => {
          const socket = connect(port, "127.0.0.1");
          socket.write(sent);
          return socket;
        });
        await waitUntil(() => holding === 2 && begun === 4 * round);
        for (const socket of sockets) socket.resetAndDestroy();
        proceed();
        await waitUntil(() => lines.filter(({ msg }) => msg === "request").length === 4 * round);
      }
      // As much as a tenant may have, and not a byte more.
      expect((await call("POST", "/body", "acme-read", text)).status).toBe(200);
      expect((await call("POST", "/body", "acme-read", `${text} `)).status).toBe(503);
    },
  );

  test("that were promised and never came hold nothing", async () => {
    api = await startApi(routes, { bodiesMaxBytes: 100_000, bodyIdleMs: 200 });
    const head = ["POST /body HTTP/1.1", "host: x", "authorization: Bearer operator"];
    const start = [...head, "content-length: 90000"].join("\r\n");
    const silent = [1, 2, 3].map(() => converse(api?.port ?? 0, [`${start}\r\n\r\n1`]));
    expect((await api.call("POST", "/body", "operator", text)).status).toBe(200);
    for (const received of await Promise.all(silent)) expect(received).toMatch(/^HTTP\/1.1 408 /);
  });
});
