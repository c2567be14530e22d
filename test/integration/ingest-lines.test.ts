/** `POST /events` line by line: results while it goes, bounded on both sides, each line for itself. */
import { once } from "node:events";
import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase } from "../../src/db/database.ts";
import { startTestGateway, succeed, type TestGateway } from "../support/gateway.ts";
import { jsonTokens, spread, whiteSpace } from "../support/json-tokens.ts";
import { startOwnPostgres } from "../support/own-postgres.ts";
import { waitUntil } from "../support/wait.ts";

type Result = {
  status: number;
  id?: string;
  sequence?: string;
  cursor?: string;
  line?: number;
  problem?: { type: string; detail?: string; line?: number };
  appended?: number;
  duplicates?: number;
  failed?: number;
};

type Event = { id: string; sequence: string; data: unknown };

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterAll(() => gateway.stop());

const mediaType = "application/x-ndjson";

const lineOf = (data: unknown, more: object = {}) =>
  `${JSON.stringify({ type: "order.created", data, ...more })}\n`;

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

async function newTenant(): Promise<string> {
  return gateway.createTenant(`lines-${Math.random().toString(36).slice(2)}`);
}

type PostOptions = { query?: string; headers?: Record<string, string>; key?: string };

function post(tenant: string, body: string | Buffer<ArrayBuffer>, options: PostOptions = {}) {
  const { query = "", headers = {}, key = gateway.operatorKey } = options;
  return fetch(`${gateway.url}/events?tenant=${tenant}${query}`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": mediaType, ...headers },
    body,
  });
}

async function resultsOf(answer: Response | Promise<Response>): Promise<Result[]> {
  const response = await answer;
  expect([response.status, response.headers.get("content-type")]).toEqual([200, mediaType]);
  const text = await response.text();
  expect(text === "" || text.endsWith("\n")).toBe(true);
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Result);
}

async function eventsOf(tenant: string, from: TestGateway = gateway): Promise<Event[]> {
  const events: Event[] = [];
  for (let cursor = ""; ;) {
    const path = `/events?tenant=${tenant}&limit=1000${cursor && `&cursor=${cursor}`}`;
    const page = await succeed(from.call("GET", path));
    events.push(...(page["events"] as Event[]));
    if (page["has_more"] !== true) return events;
    cursor = String(page["cursor"]);
  }
}

/** An upload whose lines are written, and whose results are read, one by one. */
async function openUpload(tenant: string, on: TestGateway = gateway) {
  const upload: ClientRequest = httpRequest(`${on.url}/events?tenant=${tenant}`, {
    method: "POST",
    headers: { authorization: `Bearer ${on.operatorKey}`, "content-type": mediaType },
  });
  upload.on("error", () => {}); // a test that cuts it looks at what was appended
  upload.flushHeaders();
  const [response] = (await once(upload, "response")) as [IncomingMessage];
  const results = createInterface({ input: response })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await results.next();
    return done === true ? undefined : (JSON.parse(value) as Result);
  };
  return { upload, response, next };
}

describe("an upload", () => {
  test("appends a line each in their order and answers each in the order of the lines", async () => {
    const tenant = await newTenant();
    const results = await resultsOf(
      post(
        tenant,
        numbers(2_500)
          .map((n) => lineOf(n))
          .join(""),
      ),
    );
    expect(results.every(({ status }) => status === 201)).toBe(true);
    const events = await eventsOf(tenant);
    expect(events.map(({ data }) => data)).toEqual(numbers(2_500));
    expect(events.map(({ id, sequence }) => ({ status: 201, id, sequence }))).toEqual(results);
  });

  test("answers a line while more are to come", async () => {
    const tenant = await newTenant();
    const { upload, next } = await openUpload(tenant);
    for (const n of [1, 2, 3]) {
      upload.write(lineOf(n));
      expect(await next()).toMatchObject({ status: 201, sequence: String(n).padStart(20, "0") });
    }
    upload.end();
    expect(await next()).toBeUndefined();
  });

  test("takes lines that arrive byte by byte, blank ones, and a last one without its end", async () => {
    const tenant = await newTenant();
    const { upload, next } = await openUpload(tenant);
    const text = `\r\n${lineOf("é😀")} \t\n${lineOf(2).trimEnd()}`;
    for (const byte of Buffer.from(text)) upload.write(Buffer.from([byte]));
    upload.end();
    expect(await next()).toMatchObject({ status: 201 });
    expect(await next()).toMatchObject({ status: 201 });
    expect(await next()).toBeUndefined();
    expect((await eventsOf(tenant)).map(({ data }) => data)).toEqual(["é😀", 2]);
  });

  test("adds cursors where they are asked for", async () => {
    const tenant = await newTenant();
    const body = lineOf(1) + lineOf(2);
    const [first] = await resultsOf(post(tenant, body, { query: "&cursors=true" }));
    const after = await succeed(
      gateway.call("GET", `/events?tenant=${tenant}&cursor=${first?.cursor}`),
    );
    expect((after["events"] as Event[]).map(({ data }) => data)).toEqual([2]);
  });

  test("told to be short answers with failures and counts only", async () => {
    const tenant = await newTenant();
    const body = [lineOf(1, { key: "a" }), lineOf(1, { key: "a" }), "{}\n", lineOf(2)].join("");
    const answer = await post(tenant, body, { headers: { prefer: "return=minimal" } });
    expect(answer.headers.get("preference-applied")).toBe("return=minimal");
    expect(await resultsOf(answer)).toMatchObject([
      { status: 422, line: 3 },
      { appended: 2, duplicates: 1, failed: 1 },
    ]);
  });

  test("without a line is answered without one", async () => {
    expect(await resultsOf(post(await newTenant(), ""))).toEqual([]);
  });

  test("takes events of several tenants from an operator", async () => {
    const [a, b] = [await newTenant(), await newTenant()];
    const body = [a, b, a, "nobody"].map((tenant) => lineOf(1, { tenant })).join("") + lineOf(1);
    const answer = await fetch(`${gateway.url}/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${gateway.operatorKey}`, "content-type": mediaType },
      body,
    });
    const statuses = (await resultsOf(answer)).map(({ status }) => status);
    expect(statuses).toEqual([201, 201, 201, 404, 400]);
    expect([await eventsOf(a), await eventsOf(b)].map(({ length }) => length)).toEqual([2, 1]);
  });
});

describe("a line that", () => {
  const deep = (levels: number) => "[".repeat(levels) + "]".repeat(levels);

  test.each<[string, string | Buffer, number, string]>([
    ["is not JSON", '{"type":"a.b",}', 400, "malformed-json"],
    ["is not UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400, "malformed-json"],
    ["has a byte order mark", `\ufeff${lineOf(1).trim()}`, 400, "malformed-json"],
    ["is a NUL", "\0", 400, "malformed-json"],
    ["is no object", "1", 422, "invalid"],
    ["has no data", '{"type":"a.b"}', 422, "invalid"],
    ["is nested too deep", `{"type":"a","data":${deep(65)}}`, 422, "invalid"],
    ["is nested far too deep", deep(100_000), 422, "invalid"],
    ["names another tenant", lineOf(1, { tenant: "other" }).trim(), 400, "invalid-parameter"],
    ["has too much data", `{"type":"a","data":"${"x".repeat(1 << 20)}"}`, 413, "payload-too-large"],
    ["is far too long", "x".repeat(3 << 20), 413, "payload-too-large"],
  ])("%s fails alone", async (_, line, status, slug) => {
    const tenant = await newTenant();
    const feed = Buffer.from("\n");
    const body = Buffer.concat([
      Buffer.from(lineOf(1)),
      Buffer.from(line),
      feed,
      Buffer.from(lineOf(2)),
    ]);
    const [before, failed, after] = await resultsOf(post(tenant, body));
    expect([before?.status, after?.status]).toEqual([201, 201]);
    expect(failed).toMatchObject({ status, line: 2 });
    expect(failed?.problem?.type).toBe(`https://tidegate.dev/problems/${slug}`);
    expect((await eventsOf(tenant)).map(({ data }) => data)).toEqual([1, 2]);
  });

  test("is the first may have a byte order mark", async () => {
    const tenant = await newTenant();
    const [first] = await resultsOf(post(tenant, `\ufeff${lineOf(1)}${lineOf(2)}`));
    expect(first?.status).toBe(201);
    expect((await eventsOf(tenant)).map(({ data }) => data)).toEqual([1, 2]);
  });

  test("is malformed is told with its own number", async () => {
    const [failed] = await resultsOf(post(await newTenant(), '\n\n{"a" 1}\n'));
    expect(failed).toMatchObject({ line: 3, problem: { line: 3, column: 6 } });
    expect(failed?.problem?.detail).toContain("line 3, column 6");
  });
});

test("data comes out of a line with the tokens it went in with", async () => {
  const tenant = await newTenant();
  // Goal: no token is changed. Method: random tokens with white space between, sent as lines.
  await fc.assert(
    fc.asyncProperty(
      fc.array(jsonTokens, { minLength: 1, maxLength: 20 }),
      whiteSpace,
      async (all, spaces) => {
        const lines = all.map((tokens) => {
          const text = ["{", '"type"', ":", '"a.b"', ",", '"data"', ":", ...tokens, "}"];
          return `${spread(text, spaces)}\n`;
        });
        const results = await resultsOf(post(tenant, lines.join("")));
        const last = results.at(-1)?.id;
        const { text } = await gateway.call("GET", `/events/${last}`);
        expect(results.map(({ status }) => status)).toEqual(all.map(() => 201));
        expect(text.slice(text.indexOf('"data":'))).toBe(`"data":${all.at(-1)?.join("")}}`);
      },
    ),
    { numRuns: 50 },
  );
});

describe("before the first line is read", () => {
  test("a key for one event is refused", async () => {
    const headers = { "idempotency-key": "k" };
    const answer = await post(await newTenant(), lineOf(1), { headers });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("invalid-header");
  });

  test("a content encoding is refused", async () => {
    const headers = { "content-encoding": "gzip" };
    expect((await post(await newTenant(), lineOf(1), { headers })).status).toBe(415);
  });

  test("a client that waits to be asked is asked", async () => {
    const tenant = await newTenant();
    const upload = httpRequest(`${gateway.url}/events?tenant=${tenant}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${gateway.operatorKey}`,
        "content-type": mediaType,
        expect: "100-continue",
      },
    });
    const answered = once(upload, "response");
    upload.flushHeaders();
    await once(upload, "continue");
    upload.end(lineOf(1));
    const [response] = (await answered) as [IncomingMessage];
    const text = (await response.toArray()).join("");
    expect(JSON.parse(text)).toMatchObject({ status: 201 });
  });
});

describe("while it goes on", () => {
  test("a revoked key appends nothing more", async () => {
    const tenant = await newTenant();
    const created = await succeed(
      gateway.call("POST", "/keys", { body: { tenant, scopes: ["append"] } }),
    );
    const key = String(created["key"]);
    const upload = httpRequest(`${gateway.url}/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": mediaType },
    });
    upload.write(lineOf(1));
    const [response] = (await once(upload, "response")) as [IncomingMessage];
    const results = createInterface({ input: response })[Symbol.asyncIterator]();
    expect((await results.next()).value).toContain('"status":201');
    await succeed(gateway.call("DELETE", `/keys/${String(created["id"])}`));
    upload.end(lineOf(2));
    expect((await results.next()).value).toContain('"status":401');
    expect(await eventsOf(tenant)).toHaveLength(1);
  });

  test("a client that leaves has its whole lines appended, not half of one", async () => {
    const tenant = await newTenant();
    const { upload, next } = await openUpload(tenant);
    upload.write(lineOf(1));
    await next();
    upload.write(`${lineOf(2)}${lineOf(3).trimEnd().slice(0, -1)}`);
    await next();
    upload.destroy();
    await gateway.append(tenant, { data: "after" });
    expect((await eventsOf(tenant)).map(({ data }) => data)).toEqual([1, 2, "after"]);
  });

  test("a client that reads nothing is not read on for ever, and goes on when it reads", async () => {
    const tenant = await newTenant();
    const { upload, response } = await openUpload(tenant);
    response.pause();
    // Every line fails with a long answer, so that the results outgrow what may be buffered.
    const bad = `{"${"x".repeat(60_000)}":1}\n`;
    const source = Readable.from(numbers(1_000).map(() => bad));
    let sent = 0;
    source.on("data", () => (sent += 1));
    source.pipe(upload);
    let [before, looks] = [0, 0];
    await waitUntil(
      () => {
        looks = sent === before ? looks + 1 : 0;
        before = sent;
        return sent > 0 && looks > 50;
      },
      { deadlineMs: 20_000, what: "standing still" },
    );
    expect(sent).toBeLessThan(1_000);
    let lines = 0;
    for await (const _ of createInterface({ input: response })) lines += 1;
    expect(lines).toBe(1_000);
  });

  test("a tenant's limit slows it down and refuses nothing", async () => {
    const tenant = await newTenant();
    const limits = { appends_per_second: 40 };
    await succeed(gateway.call("PATCH", `/tenants/${tenant}`, { body: { limits } }));
    const startedAt = performance.now();
    const results = await resultsOf(
      post(
        tenant,
        numbers(100)
          .map((n) => lineOf(n))
          .join(""),
      ),
    );
    expect(results.map(({ status }) => status)).toEqual(numbers(100).map(() => 201));
    // A second's worth at once, and 60 more at 40 a second.
    expect(performance.now() - startedAt).toBeGreaterThan(1_000);
    expect((await eventsOf(tenant)).map(({ data }) => data)).toEqual(numbers(100));
  });
});

test("a full queue is waited for, and the order of the lines stays", async () => {
  const tenant = await newTenant();
  await using opening = new AsyncDisposableStack();
  const { sql, stop } = openDatabase(gateway.databaseUrl, { connections: 1, name: "lock" });
  opening.defer(stop);
  const events = numbers(1_000).map(() => ({ tenant, type: "a.b", data: "batch" }));
  const append = () => gateway.call("POST", "/events", { body: { events } });
  const { batches, uploaded } = await sql.begin(async (transaction) => {
    await transaction`lock table heads in exclusive mode`;
    // More than a tenant may have waiting: those without room are answered at once.
    const sent = numbers(25).map(append);
    const refused = await Promise.race(sent);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
    const answer = await post(
      tenant,
      numbers(1_500)
        .map((n) => lineOf(n))
        .join(""),
    );
    expect((await append()).status).toBe(503);
    return { batches: Promise.all(sent), uploaded: answer };
  });
  await batches;
  const results = await resultsOf(uploaded);
  expect(results.map(({ status }) => status)).toEqual(numbers(1_500).map(() => 201));
  const appended = (await eventsOf(tenant)).filter(({ data }) => data !== "batch");
  expect(appended.map(({ data }) => data)).toEqual(numbers(1_500));
});

test("a database that goes away costs the lines that it would have taken, and no others", async () => {
  await using database = await startOwnPostgres();
  await using own = await startTestGateway({ DATABASE_URL: database.url, LOG_LEVEL: "silent" });
  await own.createTenant("acme");
  const { upload, next } = await openUpload("acme", own);
  upload.write(lineOf(1));
  expect(await next()).toMatchObject({ status: 201 });
  await database.crash();
  upload.write(lineOf(2));
  expect(await next()).toMatchObject({ status: 503, line: 2 });
  await database.start();
  let line = 2;
  const appended = await waitUntil(
    async () => {
      line += 1;
      upload.write(lineOf(line));
      const result = await next();
      if (result?.status !== 201) expect(result).toMatchObject({ status: 503, line });
      return result?.status === 201 && line;
    },
    { deadlineMs: 30_000, what: "recovery" },
  );
  upload.end();
  expect(await next()).toBeUndefined();
  expect((await eventsOf("acme", own)).map(({ data }) => data)).toEqual([1, appended]);
});
