/** What one attempt makes of what receivers do, on real sockets. */

import { describe, expect, test } from "vitest";

import { createEgressPolicy } from "../../src/push/egress.ts";
import { attemptAt, attempterOf, body, push, receiverThat } from "../support/attempts.ts";
import type { Behave, Behaviour } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

describe("a response", () => {
  test("is an outcome with its status, headers, body and timing", async () => {
    const headers = { "X-Request-Id": "42", "set-cookie": ["a=1", "b=2"] };
    const { outcome, receiver } = await attemptAt({ kind: "answer", headers, body: "thanks" });
    expect(outcome).toMatchObject({
      kind: "response",
      tries: 1,
      response: {
        status: 200,
        headers: { "x-request-id": "42", "set-cookie": ["a=1", "b=2"] },
        body: Buffer.from("thanks"),
        truncated: false,
      },
    });
    if (outcome.kind !== "response") return;
    expect(outcome.headMs).toBeGreaterThan(0);
    expect(outcome.latencyMs).toBeGreaterThanOrEqual(outcome.headMs ?? 0);
    expect(receiver.requests).toMatchObject([{ method: "POST", path: "/hook", body }]);
    expect(receiver.requests[0]?.headers).toMatchObject({
      host: `127.0.0.1:${receiver.port}`,
      "content-length": String(body.length),
      "content-type": "application/json",
      "webhook-id": "evt_2026-11-23_a",
    });
  });

  test("keeps path and query of the URL", async () => {
    const receiver = await receiverThat();
    await attempterOf().attempt(push(`http://127.0.0.1:${receiver.port}/a%20b/ü?q=1&r=%2F`));
    expect(receiver.requests[0]?.path).toBe("/a%20b/%C3%BC?q=1&r=%2F");
  });

  test.each([201, 204, 400, 404, 410, 429, 500, 503])("may be a %i", async (status) => {
    const { outcome } = await attemptAt({ kind: "answer", status, body: "" });
    expect(outcome).toMatchObject({ kind: "response", response: { status } });
  });

  test.each([301, 302, 303, 307, 308])("is not followed when it is a %i", async (status) => {
    const elsewhere = await receiverThat();
    const headers = { location: elsewhere.url };
    const { outcome } = await attemptAt({ kind: "answer", status, headers });
    expect(outcome).toMatchObject({ kind: "response", response: { status, headers } });
    expect(elsewhere.connections.accepted).toBe(0);
  });

  test("that is slow is waited for up to the deadline", async () => {
    const { outcome } = await attemptAt({ kind: "answer", afterMs: 300 }, 2_000);
    expect(outcome).toMatchObject({ kind: "response", response: { status: 200 } });
    if (outcome.kind === "response") expect(outcome.latencyMs).toBeGreaterThan(290);
  });

  test("counts from the final head, not from an interim one", async () => {
    const bytes =
      "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" +
      "HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\nok";
    const { outcome } = await attemptAt({ kind: "raw", bytes });
    expect(outcome).toMatchObject({ kind: "response", response: { status: 201 } });
  });

  test("may end with its connection", async () => {
    const bytes = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nuntil the end";
    const { outcome } = await attemptAt({ kind: "raw", bytes, close: true });
    expect(outcome).toMatchObject({
      kind: "response",
      response: { body: Buffer.from("until the end") },
    });
  });

  test("is read to the end and kept for its first 4 KiB", async () => {
    const sent = Buffer.from("0123456789abcdef".repeat(100_000)); // 1.6 MB
    const { outcome, receiver } = await attemptAt({ kind: "answer", body: sent });
    expect(outcome).toMatchObject({
      kind: "response",
      response: { body: sent.subarray(0, 4_096), truncated: true },
    });
    expect(receiver.connections.open).toBe(1);
  });
});

describe("no response in time", () => {
  const timeoutMs = 300;

  test.each<[string, Behaviour, string, number | undefined]>([
    ["takes the request and hangs", { kind: "hang" }, "no response head in 0.3 s", undefined],
    ["is slow", { kind: "answer", afterMs: 3_000 }, "no response head in 0.3 s", undefined],
    ["drips its body", { kind: "drip", everyMs: 10 }, "body not finished in 0.3 s", 200],
    ["stops in its body", { kind: "half" }, "body not finished in 0.3 s", 200],
    [
      "drips its head",
      { kind: "raw", bytes: "HTTP/1.1 200 OK\r\nx-half: " },
      "no response head in 0.3 s",
      undefined,
    ],
  ])("from a receiver that %s", async (_what, behaviour, message, status) => {
    const { outcome, receiver } = await attemptAt(behaviour, timeoutMs);
    expect(outcome).toMatchObject({ kind: "failed", class: "timeout", message, tries: 1 });
    if (outcome.kind !== "failed") return;
    expect(outcome.response?.status).toBe(status);
    expect(outcome.latencyMs).toBeGreaterThanOrEqual(timeoutMs - 2);
    expect(outcome.latencyMs).toBeLessThan(timeoutMs + 1_000);
    await waitUntil(() => receiver.connections.open === 0, { what: "closing the connection" });
  });

  test("because no connection came about: the request is not sent later", async () => {
    const receiver = await receiverThat();
    const answer = Promise.withResolvers<{ address: string; family: number }[]>();
    const policy = createEgressPolicy({
      allow: ["127.0.0.0/8"],
      resolve: () => answer.promise,
    });
    const request = push(`http://slow-dns.example:${receiver.port}/`, timeoutMs);
    expect(await attempterOf(policy).attempt(request)).toMatchObject({
      kind: "failed",
      class: "timeout",
      message: "no connection in 0.3 s",
    });
    answer.resolve([{ address: "127.0.0.1", family: 4 }]);
    // The one that comes now would stand behind it.
    expect(await attempterOf().attempt(push(receiver.url))).toMatchObject({ kind: "response" });
    expect(receiver.connections.accepted).toBe(1);
    expect(receiver.requests.map(({ path }) => path)).toEqual(["/hook"]);
  });

  test("because a deadline covers the second try too", async () => {
    const behave: Behave = ({ connection }) =>
      connection === 1 ? { kind: "reset", when: "before-head" } : { kind: "hang" };
    const { outcome } = await attemptAt(behave, timeoutMs);
    expect(outcome).toMatchObject({ kind: "failed", class: "timeout", tries: 2 });
    if (outcome.kind === "failed") expect(outcome.latencyMs).toBeLessThan(timeoutMs + 1_000);
  });
});

describe("a broken response", () => {
  test("whose body never ends is cut well before the deadline", async () => {
    const { outcome, receiver } = await attemptAt({ kind: "endless" }, 20_000);
    expect(outcome).toMatchObject({
      kind: "failed",
      class: "http",
      message: "response body longer than 2 MiB",
      response: { status: 200, truncated: true },
    });
    await waitUntil(() => receiver.connections.open === 0, { what: "closing the connection" });
  });

  test("may be long again on a connection that has carried long ones", async () => {
    const receiver = await receiverThat({ kind: "answer", body: Buffer.alloc(1_900_000) });
    const attempter = attempterOf();
    for (let n = 0; n < 8; n += 1) {
      expect(await attempter.attempt(push(receiver.url, 10_000))).toMatchObject({ tries: 1 });
    }
    expect(receiver.connections.accepted).toBe(1);
  });

  test("still tells its status when its body never ends", async () => {
    const { outcome } = await attemptAt({ kind: "endless", status: 410 });
    expect(outcome).toMatchObject({ kind: "failed", response: { status: 410 } });
  });

  test.each<[string, string, string]>([
    ["is no HTTP", "SSH-2.0-OpenSSH_9.6\r\n", "malformed response"],
    ["has a bad header", "HTTP/1.1 200 OK\r\nbad header\r\n\r\n", "malformed response"],
    [
      "switches protocols",
      "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
      "malformed response",
    ],
    [
      "has two lengths",
      "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\nok",
      "malformed response",
    ],
    [
      "has bad chunks",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
      "malformed body",
    ],
    [
      "has a status that cannot be",
      "HTTP/1.1 099 Strange\r\ncontent-length: 2\r\n\r\nok",
      "malformed response",
    ],
    [
      "has a bomb for a head",
      `HTTP/1.1 200 OK\r\n${"x-filler: 0123456789\r\n".repeat(2_000)}\r\n`,
      "response head too large",
    ],
    [
      "has one endless header",
      `HTTP/1.1 200 OK\r\nx-filler: ${"0123456789".repeat(10_000)}`,
      "response head too large",
    ],
    [
      "has a bomb behind its body",
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${"x: 1\r\n".repeat(9_000)}`,
      "response head too large",
    ],
    [
      "announces a head again and again",
      "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n".repeat(250_000),
      "response too long",
    ],
    [
      "hides its length in a chunk's extension",
      `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2;${"a=b;".repeat(2_500_000)}`,
      "response too long",
    ],
  ])("that %s", async (_what, bytes, message) => {
    const { outcome, receiver } = await attemptAt({ kind: "raw", bytes }, 10_000);
    expect(outcome).toMatchObject({ kind: "failed", class: "http", message, tries: 1 });
    expect(receiver.requests).toHaveLength(1);
  });

  test.each<[string, Behaviour]>([
    ["reset", { kind: "reset", when: "in-body" }],
    [
      "closed",
      { kind: "raw", bytes: "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok", close: true },
    ],
    [
      "closed between chunks",
      {
        kind: "raw",
        bytes: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
        close: true,
      },
    ],
    [
      "closed, as announced, but too early",
      {
        kind: "raw",
        bytes: "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 9\r\n\r\nok",
        close: true,
      },
    ],
  ])("whose connection is %s in the body is not tried again", async (_how, behaviour) => {
    const { outcome, receiver } = await attemptAt(behaviour);
    expect(outcome).toMatchObject({
      kind: "failed",
      class: "reset",
      message: "connection closed before the body was finished",
      tries: 1,
      response: { status: 200 },
    });
    expect(receiver.requests).toHaveLength(1);
  });

  test("whose connection is closed in the head is not tried again", async () => {
    const bytes = "HTTP/1.1 200 OK\r\ncontent-le";
    const { outcome, receiver } = await attemptAt({ kind: "raw", bytes, close: true });
    expect(outcome).toMatchObject({ kind: "failed", class: "reset", tries: 1 });
    expect(receiver.requests).toHaveLength(1);
  });
});

test("a header that cannot be sent is a failed attempt, not an exception", async () => {
  const receiver = await receiverThat();
  const request = { ...push(receiver.url), headers: { "x-bad": "line\r\nbreak: yes" } };
  expect(await attempterOf().attempt(request)).toMatchObject({ kind: "failed" });
  expect(receiver.requests).toEqual([]);
});
