/** The check that every answer goes through: it finds what the document does not name. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkAnswer, ContractBreach, type Answered } from "../support/contract.ts";
import { takeBreaches } from "../support/contract-setup.ts";
import { createBlockCheck } from "../support/event-stream.ts";

const key = {
  id: "key_1",
  tenant: "acme",
  scopes: ["read"],
  description: null,
  created_at: "2026-11-23T12:00:00.000Z",
  expires_at: null,
};

const page = { keys: [key], cursor: null, has_more: false };

const unauthorized = {
  type: "https://tidegate.dev/problems/unauthorized",
  title: "A valid key is required",
  status: 401,
};

const common = {
  "content-type": "application/json",
  "cache-control": "no-store",
  "tidegate-request-id": "req_1",
  "x-content-type-options": "nosniff",
};

const problem = { ...common, "content-type": "application/problem+json" };

type Given = { headers?: Record<string, string>; body?: unknown } & Partial<
  Omit<Answered, "headers" | "url"> & { path: string }
>;

function check({ headers = common, body = page, path = "/keys", ...given }: Given): void {
  const url = `http://localhost${path}`;
  const answered = { method: "GET", url, status: 200, isWhole: true, ...given };
  const rest = checkAnswer({ ...answered, headers: new Headers(headers) });
  if (rest.kind !== "none") rest.check(typeof body === "string" ? body : JSON.stringify(body));
}

describe("an answer is as the document says", () => {
  test.each<[string, Given]>([
    ["a success", {}],
    ["a problem of the operation", { status: 401, headers: problem, body: unauthorized }],
    [
      "a problem with further members",
      { status: 401, headers: problem, body: { ...unauthorized, hint: 1 } },
    ],
    [
      "a path that there is not",
      { path: "/nothing", status: 404, headers: problem, body: notFound() },
    ],
    ["a path of a sample, on a server of some routes", { path: "/samples", isWhole: false }],
  ])("%s", (_, given) => {
    check(given);
  });
});

describe("an answer breaks the contract", () => {
  test.each<[string, Given, string]>([
    ["a status", { status: 202 }, "status"],
    ["a media type", { headers: { ...common, "content-type": "text/plain" } }, "text/plain"],
    ["a header", { headers: { ...common, "x-debug": "1" } }, "x-debug"],
    ["no request id", { headers: { "content-type": "application/json" } }, "lacks"],
    ["no JSON", { body: "{" }, "not JSON"],
    ["a further member", { body: { ...page, total: 1 } }, "total"],
    [
      "a further member within",
      { body: { ...page, keys: [{ ...key, hash: "" }] } },
      "/keys/0 must NOT",
    ],
    ["a missing member", { body: { keys: [], cursor: null } }, "has_more"],
    ["a member of another type", { body: { ...page, has_more: "no" } }, "/has_more"],
    ["a time that is none", { body: { ...page, keys: [{ ...key, created_at: "now" }] } }, "date"],
    [
      "a problem of another status",
      { status: 403, headers: problem, body: { ...unauthorized, status: 403 } },
      "unauthorized",
    ],
    [
      "a problem that the operation does not name",
      { path: "/healthz", status: 401, headers: problem, body: unauthorized },
      "unauthorized",
    ],
    [
      "a problem without its title",
      { status: 401, headers: problem, body: { ...unauthorized, title: undefined } },
      "title",
    ],
    ["a path that is not there", { path: "/samples" }, "no such operation"],
    [
      "a path that should be there",
      { path: "/keys", status: 404, headers: problem, body: notFound() },
      "unknown-tenant",
    ],
  ])("%s", (_, given, told) => {
    expect(() => check(given)).toThrow(ContractBreach);
    expect(() => check(given)).toThrow(told);
  });
});

describe("a stream", () => {
  test.each([
    ["starts with a comment", ["retry: 2000\n:\n\n"]],
    ["starts with an event", ['retry: 2000\ndata: {"n":1}\nid: a\n\n', ":\n\n"]],
    ["comes in pieces", ["retry: 20", '00\ndata: {"n":1}\ni', "d: a\n", "\n"]],
    ["tells a cursor", ['retry: 1\nevent: cursor\ndata: {"cursor":"a"}\nid: a\n\n']],
    ["ends with a problem", ['retry: 1\nevent: problem\ndata: {"status":503}\n\n']],
    ["breaks off", ['retry: 1\n:\n\ndata: {"n"']],
  ])("may be one that %s", (_, pieces) => {
    const seen = collectBlocks(pieces);
    expect(seen.length).toBeLessThan(2);
  });

  test.each([
    ["says no retry", [":\n\n"]],
    ["says retry twice", ["retry: 1\n:\n\n", "retry: 1\n:\n\n"]],
    ["puts the cursor before the event", ['retry: 1\nid: a\ndata: {"n":1}\n\n']],
    ["sends an event without its cursor", ['retry: 1\ndata: {"n":1}\n\n']],
    ["sends what is not JSON", ["retry: 1\ndata: {\nid: a\n\n"]],
    ["has a field nobody knows", ["retry: 1\nfoo: 1\n\n"]],
    ["has an event nobody knows", ["retry: 1\nevent: other\ndata: 1\nid: a\n\n"]],
    [
      "has a cursor that is not its id",
      ['retry: 1\nevent: cursor\ndata: {"cursor":"b"}\nid: a\n\n'],
    ],
    ["moves with a problem", ["retry: 1\nevent: problem\ndata: {}\nid: a\n\n"]],
  ])("may not be one that %s", (_, pieces) => {
    expect(() => collectBlocks(pieces)).toThrow();
  });

  function collectBlocks(pieces: readonly string[]): unknown[] {
    const seen: unknown[] = [];
    const take = (value: unknown): void => void seen.push(value);
    const checkText = createBlockCheck({ event: take, problem: take });
    for (const piece of pieces) checkText(piece);
    return seen;
  }
});

describe("fetch", () => {
  let answer: (response: ServerResponse) => void;
  let url: string;
  const server = createServer((_, response) => answer(response));

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  test("fails at once on an answer that breaks the contract, and it is remembered", async () => {
    answer = (response) => response.writeHead(200, common).end('{"keys":[]}');
    await expect(fetch(`${url}/keys`)).rejects.toThrow(ContractBreach);
    expect(takeBreaches()).toHaveLength(1);
  });

  test("leaves a right answer as it is", async () => {
    answer = (response) => response.writeHead(200, common).end(JSON.stringify(page));
    const response = await fetch(`${url}/keys`);
    expect(response.url).toBe(`${url}/keys`);
    expect(await response.json()).toEqual(page);
  });

  test("gives a stream as it comes, up to what breaks the contract", async () => {
    const head = { ...common, "content-type": "text/event-stream" };
    answer = (response) => response.writeHead(200, head).write("retry: 2000\n:\n\n");
    const { body, url: from } = await fetch(`${url}/events/stream`, {
      signal: AbortSignal.timeout(5_000),
    });
    expect(from).toBe(`${url}/events/stream`);
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
    expect(await reader?.read()).toEqual({ done: false, value: "retry: 2000\n:\n\n" });
    await reader?.cancel();

    answer = (response) =>
      response.writeHead(200, head).write('retry: 1\ndata: {"n":1}\nid: a\n\n');
    const wrong = await fetch(`${url}/events/stream`);
    await expect(wrong.text()).rejects.toThrow(ContractBreach);
    expect(takeBreaches()).toHaveLength(1);
  });

  test("lets servers be that are not ours", async () => {
    answer = (response) => response.writeHead(202, { "x-other": "1" }).end("{");
    expect(await (await fetch(`${url}/keys`)).text()).toBe("{");
  });
});

function notFound() {
  return { type: "https://tidegate.dev/problems/not-found", title: "Not found", status: 404 };
}
