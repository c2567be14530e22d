/** Bodies and connections: what a hostile, broken or slow client can and cannot do. */
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { alreadySent, rawBody, route } from "../../src/http/route.ts";
import { converse, endlessly, startApi, type SampleApi } from "../support/http.ts";
import { waitUntil } from "../support/wait.ts";

const limitBytes = 100_000;
const bodyIdleMs = 200;

/** How often a route was asked whether its client may be silent. */
let asked = 0;

/** Requests whose handler runs, and what lets the handler of `/wait` end. */
let running = 0;
let proceed = (): void => {};

const shared = { tag: "samples", summary: "A sample", access: "public" } as const;
const count = z.object({ bytes: z.number() });

const routes = [
  route({
    ...shared,
    method: "post",
    path: "/json",
    id: "takeJson",
    access: "append",
    body: z.unknown(),
    bodyLimitBytes: limitBytes,
    direct: true,
    query: z.object({ small: z.string().optional() }),
    responses: { 200: count },
    handle: ({ body }) => ({ status: 200, body: { bytes: JSON.stringify(body).length } }),
  }),
  route({
    ...shared,
    method: "post",
    path: "/chunks",
    id: "takeChunks",
    body: rawBody({ content: { "application/x-ndjson": z.string() } }),
    responses: { 200: count },
    handle: async ({ request }) => {
      let bytes = 0;
      for await (const chunk of request.bodyChunks()) bytes += chunk.length;
      return { status: 200, body: { bytes } };
    },
  }),
  route({
    ...shared,
    method: "post",
    path: "/patient",
    id: "waitForChunks",
    body: rawBody({ content: { "application/x-ndjson": z.string() } }),
    responses: { 200: count },
    handle: async ({ request }) => {
      for await (const _ of request.bodyChunks(() => (asked += 1) < 3)) asked = 0;
      return { status: 200, body: { bytes: 0 } };
    },
  }),
  route({
    ...shared,
    method: "post",
    path: "/echo",
    id: "echo",
    body: rawBody({ content: { "application/x-ndjson": z.string() } }),
    responses: { 200: { content: { "application/x-ndjson": z.string() } } },
    handle: async ({ request }) => {
      const out = request.takeOver(200, { "content-type": "application/x-ndjson" });
      for await (const chunk of request.bodyChunks()) out.write(`took ${chunk.length}\n`);
      out.end("end\n");
      return alreadySent;
    },
  }),
  route({
    ...shared,
    method: "get",
    path: "/half",
    id: "half",
    responses: { 200: { content: { "text/plain": z.string() } } },
    handle: ({ request }) => {
      request.takeOver(200, { "content-type": "text/plain" }).write("half");
      throw new Error("in the middle");
    },
  }),
  route({
    ...shared,
    method: "get",
    path: "/wait",
    id: "wait",
    responses: { 200: z.object({}) },
    handle: async () => {
      running += 1;
      await new Promise<void>((resolve) => (proceed = resolve));
      return { status: 200, body: {} };
    },
  }),
  route({
    ...shared,
    method: "get",
    path: "/stream",
    id: "stream",
    responses: { 200: { content: { "text/plain": z.string() } } },
    handle: async ({ request }) => {
      request.takeOver(200, { "content-type": "text/plain" });
      running += 1;
      await new Promise((resolve) => request.signal().addEventListener("abort", resolve));
      running -= 1;
      return alreadySent;
    },
  }),
];

let api: SampleApi;
beforeAll(async () => {
  api = await startApi(routes, { bodyIdleMs, headersTimeoutMs: 200 });
});
afterAll(() => api.stop(100));

function head(path: string, ...headers: string[]): string {
  const fixed = [`POST ${path} HTTP/1.1`, "host: localhost", "authorization: Bearer acme-append"];
  return `${[...fixed, ...headers].join("\r\n")}\r\n\r\n`;
}

function chunk(bytes: number): string {
  return `${bytes.toString(16)}\r\n${"1".repeat(bytes)}\r\n`;
}

describe("under the framework", () => {
  const length = (bytes: number) => ["content-type: application/json", `content-length: ${bytes}`];
  /** As it is said of the same request that the framework serves, for which its host is changed. */
  async function bothWays(request: string, rest = "") {
    const other = request.replaceAll("localhost", "LOCALHOST");
    const [direct = "", through = ""] = await Promise.all(
      [request, other].map((each) => converse(api.port, [each, rest])),
    );
    expect(plain(direct)).toEqual(plain(through));
    return direct;
  }
  const plain = (text: string) =>
    text
      .replaceAll(/req_\w+|date: .*|\r/gi, "")
      .toLowerCase()
      .split("\n")
      .toSorted();

  test.each([
    [200, "/json", "[1]"],
    [200, "/json?", "[1]"],
    [200, "/json?small=1#a\\b", "[1]"],
    [400, "/json?large=1", "[1]"],
    [400, "/json", "[1"],
    [500, "/json", ""],
    [404, "/json/", "[1]"],
    [404, "/jsonx", "[1]"],
    [200, "/x/../json", "[1]"],
  ])("an answer of %i is the same as the framework's: %s %s", async (status, path, body) => {
    const request = head(path, ...length(body.length), "connection: close");
    expect(await bothWays(request, body)).toContain(`HTTP/1.1 ${status} `);
    await bothWays(request.replace("acme-append", "nobody-append"), body);
    await bothWays(request.replace("acme-append", "acme-read"), body);
    await bothWays(request.replace("acme-append", "acme-read"));
    await bothWays(request.replace("host: localhost\r\n", ""), body);
    await bothWays(request.replace("application/json", "application/jsonx"), body);
    await bothWays(request.replace("content-type", "content-encoding: gzip\r\ncontent-type"), body);
    await bothWays(request.replace("content-type", "origin: https://a\r\ncontent-type"), body);
    await bothWays(request.replace("content-type", "expect: 100-continue\r\ncontent-type"), body);
  });

  test.each(["localhost:99999", "localhost:65536", "256.256.256.256:80"])(
    "a host that cannot be is refused: %s",
    async (host) => {
      const request = head("/json", ...length(3), "connection: close").replace("localhost", host);
      expect(await converse(api.port, [`${request}[1]`])).toMatch(/^HTTP\/1.1 400 /);
    },
  );

  test("pipelined requests are answered in their order, and the last one's close is kept", async () => {
    const request = `${head("/json", ...length(3))}[1]`;
    const last = head("/json", ...length(1), "connection: close");
    expect(await bothWays(`${request}${request}${last}`, "{")).toContain("malformed");
  });

  test("a body that stays away is 408, one that is refused is not waited for", async () => {
    expect(await bothWays(head("/json", ...length(3)), "[")).toMatch(/^HTTP\/1.1 408 /);
    const refused = head("/json", ...length(3)).replace("acme-append", "nobody-append");
    expect(await bothWays(refused)).toMatch(/^HTTP\/1.1 401 /);
    expect(await bothWays(refused, "[1")).toMatch(/^HTTP\/1.1 401 /);
  });

  test("whoever leaves in the middle of a body is logged as gone", async () => {
    const socket = connect({ port: api.port, host: "127.0.0.1" });
    const before = api.lines.length;
    const request = `${head("/json", ...length(3))}[`;
    await new Promise((written) => socket.write(request, written));
    socket.destroy();
    const requests = () => api.lines.slice(before).filter(({ msg }) => msg === "request");
    await expect.poll(requests).toMatchObject([{ operation: "takeJson", status: 499 }]);
  });
});

describe("bodies", () => {
  test("an announced length above the limit is 413 before a byte is read", async () => {
    const received = await converse(api.port, [head("/json", "content-length: 100001")]);
    expect(received).toMatch(/^HTTP\/1.1 413 /);
    expect(received).toContain('"limit_bytes":100000');
  });

  test("an endless body is 413 at the limit, and the connection is cut", async () => {
    const start = head("/json", "transfer-encoding: chunked");
    const received = await converse(api.port, endlessly(start, chunk(60_000), 5));
    expect(received).toMatch(/^HTTP\/1.1 413 /);
  });

  test("a body that comes with its head is held to the same limit", async () => {
    const start = head("/json", "transfer-encoding: chunked", "connection: close");
    const received = await converse(api.port, [`${start}${chunk(100_001)}0\r\n\r\n`]);
    expect(received).toMatch(/^HTTP\/1.1 413 /);
    const next = head("/json", "content-length: 2");
    const pipelined = await converse(api.port, [
      `${next}{}${next}{]${next.replace("POST", "HEAD")}{}`,
      `${head("/json", "content-length: 2", "connection: close")}{}`,
    ]);
    expect(pipelined.match(/HTTP\/1.1 \d+/g)).toEqual(
      ["200", "400", "405", "200"].map((status) => `HTTP/1.1 ${status}`),
    );
  });

  test("a body at the limit is taken", async () => {
    const text = "1".repeat(limitBytes);
    expect((await api.call("POST", "/json", "acme-append", `"${text.slice(2)}"`)).status).toBe(200);
    const over = await api.call("POST", "/json", "acme-append", `"${text.slice(1)}"`);
    expect(over).toMatchObject({ status: 413, slug: "payload-too-large" });
  });

  test("a silent body is 408, a slow one is not", async () => {
    const silent = head("/json", "content-length: 10");
    expect(await converse(api.port, [silent, "123"])).toMatch(/^HTTP\/1.1 408 /);
    async function* slowly() {
      yield head("/json", "content-length: 8", "connection: close");
      for (let sent = 0; sent < 8; sent += 1) {
        await delay(bodyIdleMs / 4);
        yield "1";
      }
    }
    expect(await converse(api.port, slowly())).toMatch(/^HTTP\/1.1 200 /);
  });

  test("a client that asks first sends its body only where it is wanted", async () => {
    const asks = ["content-length: 2", "expect: 100-continue", "connection: close"];
    const wanted = await converse(api.port, [head("/json", ...asks), "12"]);
    expect(wanted).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /);
    const unwanted = head("/json", ...asks).replace("acme-append", "nobody");
    expect(await converse(api.port, [unwanted])).toMatch(/^HTTP\/1.1 401 /);
  });

  test.each([
    [{ "content-type": "text/plain" }, 415],
    [{ "content-type": "application/json", "content-encoding": "gzip" }, 415],
    [{ "content-type": "Application/JSON; charset=utf-8" }, 200],
  ])("a body with %j is %i", async (headers, status) => {
    const response = await fetch(`${api.url}/json`, {
      method: "POST",
      headers: { ...headers, authorization: "Bearer acme-append" },
      body: "{}",
    });
    expect(response.status).toBe(status);
  });

  test("a body in pieces is read at the reader's pace and cut when it falls silent", async () => {
    const start = head("/chunks", "transfer-encoding: chunked", "connection: close");
    const whole = await converse(api.port, [start, chunk(10), chunk(20), "0\r\n\r\n"]);
    expect(whole).toContain('{"bytes":30}');
    expect(await converse(api.port, [start, chunk(10)])).toMatch(/^HTTP\/1.1 408 /);
  });

  test("a body that may be silent for a while is cut only after it", async () => {
    const start = head("/patient", "transfer-encoding: chunked", "connection: close");
    expect(await converse(api.port, [start, chunk(10)])).toMatch(/^HTTP\/1.1 408 /);
    expect(asked).toBe(3);
  });

  test("a response can go along with the body it answers", async () => {
    const received: string[] = [];
    const start = head("/echo", "transfer-encoding: chunked", "connection: close");
    async function* inTurns() {
      yield start + chunk(10);
      await waitUntil(() => received.join("").includes("took 10"), { what: "the first answer" });
      yield `${chunk(20)}0\r\n\r\n`;
    }
    const whole = await converse(api.port, inTurns(), (text) => received.push(text));
    expect(whole).toMatch(/took 10\n[^]*took 20\n[^]*end\n/);
  });

  test("a half-sent response whose handler fails is cut, never ended", async () => {
    const text = "GET /half HTTP/1.1\r\nhost: localhost\r\n\r\n";
    const received = await converse(api.port, [text]);
    expect(received).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*transfer-encoding: chunked/i);
    expect(received).not.toContain("0\r\n\r\n");
    const line = api.lines.find(({ operation }) => operation === "half");
    expect(line).toMatchObject({ level: "error", status: 500 });
  });

  test("a client that leaves in the middle is logged as gone, not as an error", async () => {
    async function* leaving() {
      yield head("/json", "content-length: 10");
      await delay(20);
      yield "123";
    }
    const before = api.lines.length;
    const controller = new AbortController();
    const arrived = once(api.server, "request");
    const sent = fetch(`${api.url}/json`, {
      method: "POST",
      headers: { authorization: "Bearer acme-append" },
      body: ReadableStream.from(leaving()).pipeThrough(new TextEncoderStream()),
      duplex: "half",
      signal: controller.signal,
    });
    await arrived;
    controller.abort();
    await expect(sent).rejects.toThrow();
    const line = await waitUntil(() => api.lines[before], { what: "the log line" });
    expect(line).toMatchObject({ level: "debug", status: 499, operation: "takeJson" });
  });
});

describe("connections", () => {
  test.each([
    ["no HTTP at all", "garbage\r\n\r\n", 400, "malformed-request"],
    ["no host", "GET /wait HTTP/1.1\r\nconnection: close\r\n\r\n", 400, "malformed-request"],
    ["two lengths", head("/json", "content-length: 1", "content-length: 2"), 400, "malformed"],
    ["a large head", head("/json", `x-large: ${"x".repeat(20_000)}`), 431, "headers-too-large"],
    ["half a head", "GET /wait HTTP/1.1\r\nhost:", 408, "request-timeout"],
    ["an odd expectation", head("/json", "expect: tea", "connection: close"), 417, "expectation"],
  ])("%s is answered with a problem and cut", async (_, text, status, slug) => {
    const received = await converse(api.port, [text]);
    expect(received).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(received.toLowerCase()).toContain("content-type: application/problem+json");
    expect(received).toContain(`problems/${slug}`);
  });

  test("what is no HTTP behind whole requests leaves them their answers", async () => {
    const whole = `${head("/json", "content-length: 3")}[1]`;
    const statuses = async (...pieces: string[]) =>
      (await converse(api.port, pieces)).match(/HTTP\/1.1 \d+/g)?.map((line) => line.slice(-3));
    expect(await statuses(`${whole}garbage\r\n\r\n`, "more")).toEqual(["200", "400"]);
    expect(await statuses(`${whole}${whole}${whole}\0`)).toEqual(["200", "200", "200", "400"]);
    const wrong = head("/json", "transfer-encoding: chunked");
    expect(await statuses(`${whole}${wrong}x`)).toEqual(["200", "400"]);
    const last = `${head("/json", "content-length: 3", "connection: close")}[1]`;
    expect(await statuses(`${last}${whole}`)).toEqual(["200"]);
  });

  test("stop lets running requests end and takes no new ones", async () => {
    const stopping = await startApi(routes);
    running = 0;
    const answer = fetch(`${stopping.url}/wait`);
    await waitUntil(() => running === 1, { what: "the handler" });
    const stopped = stopping.stop(10_000);
    await expect(fetch(`${stopping.url}/wait`)).rejects.toThrow();
    proceed();
    expect((await answer).status).toBe(200);
    await stopped;
  });

  test("stop does not wait for a connection that never said anything", async () => {
    const stopping = await startApi(routes);
    const silent = connect(stopping.port, "127.0.0.1");
    await once(silent, "connect");
    const closed = once(silent, "close");

    const startedAt = performance.now();
    await stopping.stop(20_000);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    await closed;
  });

  test("stop cuts what has not ended within the grace", async () => {
    const stopping = await startApi(routes);
    running = 0;
    const { body } = await fetch(`${stopping.url}/stream`);
    expect(running).toBe(1);
    await stopping.stop(50);
    await expect(body?.getReader().read()).rejects.toThrow();
    await waitUntil(() => running === 0, { what: "the handler's signal" });
  });
});
