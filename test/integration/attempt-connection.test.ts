/** Where attempts connect to, and what becomes of their connections. */

import { createServer } from "node:http";
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";

import { createAttempter } from "../../src/push/attempt.ts";
import { createEgressPolicy } from "../../src/push/egress.ts";
import {
  attemptAt,
  attempterOf,
  closeAfterwards,
  loopback,
  push,
  receiverThat,
  resolvingTo,
} from "../support/attempts.ts";
import { createAuthority } from "../support/certificate.ts";
import { startReceiver, type Behave } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

/** Takes connections and says nothing on them, not even in TLS. */
async function startSilent() {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = createTcpServer((socket) => {
    accepted += 1;
    sockets.add(
      socket
        .resume()
        .on("error", () => {})
        .on("close", () => sockets.delete(socket)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closeAfterwards(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  return { port, accepted: () => accepted, open: () => sockets.size };
}

describe("a connection", () => {
  test("that breaks before any response is tried once more at once", async () => {
    const { outcome, receiver } = await attemptAt({ kind: "reset", when: "before-head" });
    expect(outcome).toMatchObject({
      kind: "failed",
      class: "reset",
      message: "connection closed before a response",
      response: undefined,
      tries: 2,
    });
    expect(receiver.requests.map(({ connection }) => connection)).toEqual([1, 2]);
  });

  test("that the receiver closes just when it is used again costs no attempt", async () => {
    const used = new Set<number>();
    const behave: Behave = ({ connection }) => {
      if (used.has(connection)) return { kind: "reset", when: "before-head" };
      used.add(connection);
      return { kind: "answer" };
    };
    const receiver = await receiverThat(behave);
    const attempter = attempterOf();
    const outcomes = [];
    for (let n = 0; n < 3; n += 1) outcomes.push(await attempter.attempt(push(receiver.url)));
    expect(outcomes).toMatchObject([
      { kind: "response", tries: 1 },
      { kind: "response", tries: 2 },
      { kind: "response", tries: 2 },
    ]);
    expect(receiver.connections.accepted).toBe(3);
  });

  test("that is refused is told so", async () => {
    const receiver = await startReceiver();
    await receiver.stop();
    expect(await attempterOf().attempt(push(receiver.url))).toMatchObject({
      kind: "failed",
      class: "connect",
      message: "connection refused",
      response: undefined,
      tries: 1,
    });
  });

  test("serves attempt after attempt", async () => {
    const receiver = await receiverThat();
    const attempter = attempterOf();
    for (let n = 0; n < 50; n += 1) await attempter.attempt(push(receiver.url));
    expect(receiver.requests).toHaveLength(50);
    expect(receiver.connections.accepted).toBe(1);
  });

  test("serves one attempt at a time", async () => {
    const receiver = await receiverThat({ kind: "answer", afterMs: 20 });
    const attempter = attempterOf();
    const round = () =>
      Promise.all(Array.from({ length: 20 }, () => attempter.attempt(push(receiver.url))));
    await round();
    await round();
    expect(receiver.requests).toHaveLength(40);
    expect(receiver.connections.accepted).toBe(20);
  });

  test("is not used again when the receiver said that it closes it", async () => {
    const receiver = await receiverThat({ kind: "answer", headers: { connection: "close" } });
    const attempter = attempterOf();
    for (let n = 0; n < 5; n += 1) {
      expect(await attempter.attempt(push(receiver.url))).toMatchObject({ tries: 1 });
    }
    expect(receiver.connections.accepted).toBe(5);
  });

  test("that was closed while idle is replaced", async () => {
    const receiver = await receiverThat();
    const attempter = attempterOf();
    await attempter.attempt(push(receiver.url));
    receiver.disconnect();
    await waitUntil(() => receiver.connections.open === 0);
    expect(await attempter.attempt(push(receiver.url))).toMatchObject({ kind: "response" });
    expect(receiver.requests).toHaveLength(2);
  });

  test("that is not there yet ends with its attempt", async () => {
    const silent = await startSilent();
    const request = push(`https://127.0.0.1:${silent.port}/`, 300); // It never says hello.
    expect(await attempterOf().attempt(request)).toMatchObject({
      kind: "failed",
      class: "timeout",
      message: "no connection in 0.3 s",
    });
    // Well before the time that a connection may take by itself.
    await waitUntil(() => silent.accepted() === 1 && silent.open() === 0, { deadlineMs: 5_000 });
  });

  test("that is idle is closed after some seconds, also when the receiver would keep it", async () => {
    const bytes = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    const receiver = await receiverThat({ kind: "raw", bytes });
    const attempter = attempterOf();
    expect(await attempter.attempt(push(receiver.url))).toMatchObject({ kind: "response" });
    expect(receiver.connections.open).toBe(1);
    await waitUntil(() => receiver.connections.open === 0, { deadlineMs: 15_000 });
  });

  test("is kept only while there are not too many, the least recently used not", async () => {
    const bytes = "HTTP/1.1 200 OK\r\nkeep-alive: timeout=60\r\ncontent-length: 2\r\n\r\nok";
    const receiver = () => receiverThat({ kind: "raw", bytes });
    const [first, second, third] = [await receiver(), await receiver(), await receiver()];
    const attempter = createAttempter({ policy: loopback, idleMax: 2 });
    closeAfterwards(attempter.stop);
    for (const { url } of [first, second, first, third]) await attempter.attempt(push(url));
    await waitUntil(() => second.connections.open === 0, { what: "closing the oldest" });
    expect([first, third].map(({ connections }) => connections.open)).toEqual([1, 1]);
    expect(first.connections.accepted).toBe(1);
  });

  test("is not kept after a failure", async () => {
    const receiver = await receiverThat({ kind: "half" });
    const attempter = attempterOf();
    await attempter.attempt(push(receiver.url, 100));
    receiver.behave({ kind: "answer" });
    expect(await attempter.attempt(push(receiver.url))).toMatchObject({ kind: "response" });
    expect(receiver.connections.accepted).toBe(2);
  });
});

describe("an address", () => {
  test("that is private is refused without a connection", async () => {
    const strict = createEgressPolicy({ allow: [] });
    const receiver = await receiverThat();
    expect(await attempterOf(strict).attempt(push(receiver.url))).toMatchObject({
      kind: "failed",
      class: "address",
      message: "127.0.0.1 is not allowed (loopback address)",
    });
    expect(await attempterOf(strict).attempt(push("http://[::ffff:7f00:1]/"))).toMatchObject({
      class: "address",
    });
    expect(receiver.connections.accepted).toBe(0);
  });

  test("that is private is refused when only the name service tells it", async () => {
    const receiver = await receiverThat();
    const { resolve } = resolvingTo("127.0.0.1");
    const strict = createEgressPolicy({ allow: [], resolve });
    const url = `http://innocent.example:${receiver.port}/`;
    expect(await attempterOf(strict).attempt(push(url))).toMatchObject({
      kind: "failed",
      class: "address",
      message: "innocent.example resolves to an address that is not allowed",
    });
    expect(receiver.connections.accepted).toBe(0);
  });

  test("that is permitted is taken from among those that are not", async () => {
    const receiver = await receiverThat();
    const { policy } = resolvingTo("10.0.0.1", "127.0.0.1");
    const url = `http://both.example:${receiver.port}/`;
    expect(await attempterOf(policy).attempt(push(url))).toMatchObject({ kind: "response" });
    expect(receiver.requests[0]?.headers.host).toBe(`both.example:${receiver.port}`);
  });

  test("is vetted for each connection, and looked up once for it", async () => {
    const receiver = await receiverThat({ kind: "answer", headers: { connection: "close" } });
    const { policy, resolve } = resolvingTo("127.0.0.1");
    const attempter = attempterOf(policy);
    const request = push(`http://rebinding.example:${receiver.port}/`);
    expect(await attempter.attempt(request)).toMatchObject({ kind: "response" });
    expect(resolve).toHaveBeenCalledTimes(1);
    resolve.mockResolvedValue([{ address: "10.0.0.1", family: 4 }]);
    await waitUntil(() => receiver.connections.open === 0);
    expect(await attempter.attempt(request)).toMatchObject({ kind: "failed", class: "address" });
    expect(resolve).toHaveBeenCalledTimes(2);
    expect(receiver.requests).toHaveLength(1);
  });

  test("that nobody knows is told so", async () => {
    const resolve = async () => {
      throw Object.assign(new Error("queryA ENOTFOUND"), { code: "ENOTFOUND" });
    };
    const policy = createEgressPolicy({ allow: [], resolve });
    expect(await attempterOf(policy).attempt(push("https://gone.example/"))).toMatchObject({
      kind: "failed",
      class: "dns",
      message: "no such host",
      tries: 1,
    });
  });

  test("of the hosts file is found by the resolver of the process", async () => {
    const receiver = await receiverThat();
    const policy = createEgressPolicy({ allow: ["127.0.0.0/8", "::1"] });
    const url = `http://localhost:${receiver.port}/`;
    expect(await attempterOf(policy).attempt(push(url))).toMatchObject({ kind: "response" });
  });
});

describe("TLS", () => {
  const authority = createAuthority();
  const yesterday = new Date(Date.now() - 24 * 60 * 60 * 1_000);
  const lastYear = new Date(Date.now() - 365 * 24 * 60 * 60 * 1_000);
  const tomorrow = new Date(Date.now() + 24 * 60 * 60 * 1_000);

  beforeAll(() => {
    const before = getCACertificates("default");
    setDefaultCACertificates([...before, authority.cert]);
    return () => setDefaultCACertificates(before);
  });

  async function attemptOver(tls: { cert: string; key: string }) {
    const receiver = await receiverThat({ kind: "answer" }, { tls });
    const attempter = attempterOf(resolvingTo("127.0.0.1").policy);
    const request = push(`https://hooks.example:${receiver.port}/`);
    return { receiver, outcome: await attempter.attempt(request), attempter, request };
  }

  test("with a good certificate carries attempts, one connection for many", async () => {
    const { receiver, outcome, attempter, request } = await attemptOver(
      authority.issue({ host: "hooks.example" }),
    );
    expect(outcome).toMatchObject({ kind: "response", response: { status: 200 } });
    expect(await attempter.attempt(request)).toMatchObject({ kind: "response" });
    expect(receiver.connections.accepted).toBe(1);
  });

  test.each([
    ["expired", { notBefore: lastYear, notAfter: yesterday }, "certificate expired"],
    ["too early", { notBefore: tomorrow }, "certificate not valid yet"],
    ["of another host", { host: "other.example" }, "certificate is for another host"],
  ])("with a certificate that is %s sends nothing", async (_what, options, message) => {
    const { receiver, outcome } = await attemptOver(
      authority.issue({ host: "hooks.example", ...options }),
    );
    expect(outcome).toMatchObject({ kind: "failed", class: "tls", message, tries: 1 });
    expect(receiver.requests).toEqual([]);
  });

  test("with a certificate of an unknown authority sends nothing", async () => {
    const { receiver, outcome } = await attemptOver(
      createAuthority().issue({ host: "hooks.example" }),
    );
    expect(outcome).toMatchObject({ kind: "failed", class: "tls" });
    expect(receiver.requests).toEqual([]);
  });

  test("that the other side does not speak is told so", async () => {
    const receiver = await receiverThat();
    const url = `https://hooks.example:${receiver.port}/`;
    const attempter = attempterOf(resolvingTo("127.0.0.1").policy);
    expect(await attempter.attempt(push(url))).toMatchObject({
      kind: "failed",
      class: "tls",
      message: "the other side does not speak TLS",
    });
  });
});

describe("the environment", () => {
  test.each(["HTTP_PROXY", "http_proxy", "ALL_PROXY"])(
    "names a proxy in %s, and nobody asks it",
    async (name) => {
      const [proxy, receiver] = [await receiverThat(), await receiverThat()];
      vi.stubEnv(name, new URL(proxy.url).origin).stubEnv("NODE_USE_ENV_PROXY", "1");
      onTestFinished(() => void vi.unstubAllEnvs());
      expect(await attempterOf().attempt(push(receiver.url))).toMatchObject({ kind: "response" });
      expect(receiver.requests).toHaveLength(1);
      expect(proxy.connections.accepted).toBe(0);
    },
  );

  test("cannot turn off that certificates are verified", async () => {
    vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
    const warned = vi.spyOn(process, "emitWarning").mockReturnValue(); // Node itself objects.
    onTestFinished(() => {
      vi.unstubAllEnvs();
      warned.mockRestore();
    });
    const tls = createAuthority().issue({ host: "hooks.example" });
    const receiver = await receiverThat({ kind: "answer" }, { tls });
    const attempter = attempterOf(resolvingTo("127.0.0.1").policy);
    const request = push(`https://hooks.example:${receiver.port}/`);
    expect(await attempter.attempt(request)).toMatchObject({ kind: "failed", class: "tls" });
    expect(receiver.requests).toEqual([]);
  });
});

describe("stop", () => {
  test("ends attempts under way without an outcome and takes no more", async () => {
    const receiver = await receiverThat({ kind: "hang" });
    const attempter = createAttempter({ policy: loopback });
    const attempts = [push(receiver.url, 20_000), push(receiver.url, 20_000)].map(
      attempter.attempt,
    );
    await receiver.received(2);
    await attempter.stop();
    expect(await Promise.all(attempts)).toEqual([{ kind: "stopped" }, { kind: "stopped" }]);
    expect(await attempter.attempt(push(receiver.url))).toEqual({ kind: "stopped" });
    await waitUntil(() => receiver.connections.open === 0, { what: "closing the connections" });
  });

  test("closes the connections that were kept", async () => {
    const receiver = await receiverThat();
    const attempter = createAttempter({ policy: loopback });
    await attempter.attempt(push(receiver.url));
    expect(receiver.connections.open).toBe(1);
    await attempter.stop();
    await waitUntil(() => receiver.connections.open === 0, { what: "closing the connection" });
  });
});

describe("an egress proxy", () => {
  /** Opens tunnels to any loopback port, or refuses. */
  async function startProxy(allow: boolean) {
    const targets: string[] = [];
    const server = createServer().on("connect", (request, client) => {
      targets.push(request.url ?? "");
      if (!allow) return client.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
      const port = Number(request.url?.split(":").at(-1));
      const upstream = connect(port, "127.0.0.1", () => {
        client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
        upstream.pipe(client).pipe(upstream);
      });
      client.on("error", () => upstream.destroy()).on("close", () => upstream.destroy());
      upstream.on("error", () => client.destroy()).on("close", () => client.destroy());
      return undefined;
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const close = () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    };
    closeAfterwards(close);
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, targets };
  }

  test("is asked for a tunnel to the host by its name", async () => {
    const proxy = await startProxy(true);
    const receiver = await receiverThat();
    const request = push(`http://hooks.example:${receiver.port}/hook`);
    const attempter = attempterOf(loopback, proxy.url);
    expect(await attempter.attempt(request)).toMatchObject({ kind: "response", tries: 1 });
    expect(proxy.targets).toEqual([`hooks.example:${receiver.port}`]);
    expect(receiver.requests[0]?.headers.host).toBe(`hooks.example:${receiver.port}`);
    expect(Object.keys(request.headers)).not.toContain("host");
    // As lanes give them.
    const listed = { ...request, headers: ["x-one", "1", "webhook-id", "evt_b"] };
    expect(await attempter.attempt(listed)).toMatchObject({ kind: "response" });
    const { headers } = receiver.requests.at(-1) ?? {};
    const host = `hooks.example:${receiver.port}`;
    expect(headers).toMatchObject({ "x-one": "1", "webhook-id": "evt_b", host });
    expect(listed.headers).toHaveLength(4);
  });

  test("that refuses is told apart from an endpoint that does", async () => {
    const proxy = await startProxy(false);
    const attempter = attempterOf(loopback, proxy.url);
    expect(await attempter.attempt(push("https://hooks.example/"))).toMatchObject({
      kind: "failed",
      class: "connect",
      message: "the egress proxy refused the connection",
    });
  });

  test("is not asked for a literal address that is not permitted", async () => {
    const proxy = await startProxy(true);
    const attempter = attempterOf(createEgressPolicy({ allow: [] }), proxy.url);
    expect(await attempter.attempt(push("http://10.0.0.1/"))).toMatchObject({ class: "address" });
    expect(proxy.targets).toEqual([]);
  });

  test("that hangs costs no more than the deadline", async () => {
    const hung = await receiverThat({ kind: "hang" });
    const proxyUrl = `http://127.0.0.1:${hung.port}`;
    const attempter = attempterOf(loopback, proxyUrl);
    expect(await attempter.attempt(push("http://hooks.example/", 300))).toMatchObject({
      kind: "failed",
      class: "timeout",
    });
  });
});
