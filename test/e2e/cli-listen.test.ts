/** `tidegate listen`: what a receiver in development gets is what the gateway would push. */
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { jsonLines, runCli, startCli } from "../support/cli.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { startReceiver, type Received } from "../support/receiver.ts";

/** Each command is a process, which takes a second and more to start on a busy machine. */
vi.setConfig({ testTimeout: 120_000 });

const deadlineMs = 20_000;

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterAll(() => gateway.stop());

function listen(tenant: string, url: string, ...args: string[]) {
  const env = { TIDEGATE_URL: gateway.url, TIDEGATE_KEY: gateway.operatorKey };
  return startCli(["listen", "--tenant", tenant, "--forward", url, ...args], { env });
}

/** The secret that it says it signs with, once it listens. */
async function secretOf(listening: ReturnType<typeof startCli>): Promise<string> {
  return (await listening.says(/signed with (whsec_\S+)/))[1] ?? "";
}

function headersOf({ headers }: Received): Record<string, string> {
  return headers as Record<string, string>;
}

test("a push is the gateway's own: bytes, headers, and a signature that others verify", async () => {
  await gateway.createTenant("same");
  await using receiver = await startReceiver();
  await using pushed = await startReceiver();
  using listening = listen("same", receiver.url);
  const secret = await secretOf(listening);
  const endpoint = { tenant: "same", url: pushed.url, secret };
  await gateway.call("POST", "/endpoints", { body: endpoint });
  const events = ['{"n":1.0,"big":12345678901234567890}', '{"n":2}'];
  for (const data of events) {
    const body = `{"tenant":"same","type":"order.created","data":${data}}`;
    await gateway.call("POST", "/events", { body });
  }
  const [first, second] = await receiver.received(2, deadlineMs);
  await pushed.received(2, deadlineMs);
  if (first === undefined || second === undefined) throw new Error("two were waited for");
  for (const request of [first, second]) {
    const headers = headersOf(request);
    expect(() => new Webhook(secret).verify(request.body.toString(), headers)).not.toThrow();
    const own = pushed.requests.find((each) => each.body.equals(request.body));
    if (own === undefined) throw new Error(`not pushed: ${request.body.toString()}`);
    const names = (of: Received) =>
      Object.keys(of.headers).filter((name) => !["connection", "traceparent"].includes(name));
    expect(names(request).toSorted()).toEqual(names(own).toSorted());
    for (const name of ["content-type", "user-agent", "webhook-id", "tidegate-sequence"]) {
      expect(headers[name]).toBe(own.headers[name]);
    }
  }
  expect(first.headers["tidegate-previous-sequence"]).toBe("0".repeat(20));
  expect(second.headers["tidegate-previous-sequence"]).toBe(first.headers["tidegate-sequence"]);
  const cursor = String(first.headers["tidegate-cursor"]);
  const rest = await gateway.call("GET", `/events?tenant=same&cursor=${cursor}`);
  expect(rest.json?.["events"]).toMatchObject([{ data: { n: 2 } }]);
  const { code, stdout, stderr } = await listening.interrupt();
  expect(code).toBe(0);
  expect(stdout).toMatch(/#1 {2}order\.created {2}→ {2}200 {2}\d+ ms\n/);
  expect(stderr).toContain("2 delivered, 0 failed");
  expect(stdout + stderr).not.toContain("\u001B");
});

test("the secret is the same each time, can be asked for alone, and be another", async () => {
  await gateway.createTenant("secret");
  await using receiver = await startReceiver();
  const env = { TIDEGATE_URL: gateway.url, TIDEGATE_KEY: gateway.operatorKey };
  const asked = await runCli(["listen", "--print-secret", "--tenant", "secret"], { env });
  expect(asked.stdout).toMatch(/^whsec_\S{43}=\n$/);
  using same = listen("secret", receiver.url);
  expect(await secretOf(same)).toBe(asked.stdout.trim());
  const given = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  using other = listen("secret", receiver.url, "--secret", given);
  expect(await secretOf(other)).toBe(given);
});

test("a failing receiver is told of, and what follows is pushed all the same", async () => {
  await gateway.createTenant("failing");
  const answers = [500, 200];
  await using receiver = await startReceiver(({ headers }) => ({
    kind: "answer",
    status: answers[Number(headers["tidegate-sequence"]) - 1] ?? 302,
    headers: { location: "/elsewhere" },
    body: "said the receiver",
  }));
  await gateway.append("failing", { data: 1 }, { data: 2 }, { data: 3 });
  const result = await listen(
    "failing",
    receiver.url,
    "--from",
    "earliest",
    "-n",
    "3",
    "--json",
  ).end();
  expect(result.code).toBe(1);
  expect(jsonLines(result.stdout)).toMatchObject([
    { delivered: false, status: 500, error: "said the receiver" },
    { delivered: true, status: 200, error: null },
    { delivered: false, status: 302 },
  ]);
  expect(receiver.requests).toHaveLength(3);

  await receiver.stop();
  const refused = await listen("failing", receiver.url, "--from", "earliest", "-n", "1").end();
  expect(refused.stdout).toContain("connection refused: nothing listens there");
  expect(refused.stderr).toMatch(/To go on after this: --cursor \S{64}\n/);
});

test("in the place of an endpoint it has its filter, its secret and its form", async () => {
  await gateway.createTenant("stand-in");
  await using receiver = await startReceiver();
  const created = await gateway.call("POST", "/endpoints", {
    body: {
      ...{ tenant: "stand-in", url: "http://127.0.0.1:9/hook", types: ["order.*"] },
      format: "cloudevents",
    },
  });
  const { id, secret } = created.json as { id: string; secret: string };
  await gateway.append("stand-in", { type: "invoice.paid" }, { type: "order.created" });
  const options = ["--endpoint", id, "--from", "earliest", "-n", "1"];
  expect(await listen("stand-in", receiver.url, ...options).end()).toMatchObject({ code: 0 });
  const [request] = receiver.requests;
  if (request === undefined) throw new Error("nothing came");
  expect(request.headers).toMatchObject({
    "content-type": "application/cloudevents+json",
    "tidegate-endpoint": id,
    "tidegate-sequence": "0".repeat(19) + "2",
  });
  const verified = new Webhook(secret).verify(request.body.toString(), headersOf(request));
  expect(verified).toMatchObject({ type: "order.created" });
});

test("while the gateway is restarted it waits, and goes on without a gap", async () => {
  await using first = await startTestGateway();
  await first.createTenant("restarted");
  await using receiver = await startReceiver();
  const env = { TIDEGATE_URL: first.url, TIDEGATE_KEY: first.operatorKey };
  // A second process of the installation comes in the place of the first, at the same address.
  const again = { ...first.environment, PORT: new URL(first.url).port };
  await using original = await startTestGateway({ ...first.environment });
  const args = ["--tenant", "restarted", "--forward", receiver.url];
  using listening = startCli(["listen", ...args], {
    env: { ...env, TIDEGATE_URL: original.url },
  });
  await secretOf(listening);
  await first.append("restarted", { data: 1 });
  await receiver.received(1, deadlineMs);
  const port = new URL(original.url).port;
  await original.stop();
  await first.append("restarted", { data: 2 }, { data: 3 });
  await listening.says(/; again in /);
  await using replaced = await startTestGateway({ ...again, PORT: port });
  await first.append("restarted", { data: 4 });
  await receiver.received(4, 60_000);
  expect(replaced.url).toBe(original.url);
  const sequences = receiver.requests.map(({ headers }) => [
    Number(headers["tidegate-previous-sequence"]),
    Number(headers["tidegate-sequence"]),
  ]);
  expect(sequences).toEqual([
    [0, 1],
    [1, 2],
    [2, 3],
    [3, 4],
  ]);
  expect(await listening.interrupt()).toMatchObject({ code: 0 });
});

test("what cannot be forwarded is wrong usage", async () => {
  const env = { TIDEGATE_URL: gateway.url, TIDEGATE_KEY: gateway.operatorKey };
  const cases = [
    { args: [], says: "--forward http://localhost:3000/hook" },
    { args: ["--forward", "ftp://localhost/hook"], says: "must be a URL" },
    { args: ["--forward", "localhost:3000", "--secret", "hunter2"], says: "like whsec_" },
  ];
  for (const { args, says } of cases) {
    const result = await runCli(["listen", "--tenant", "same", ...args], { env });
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toContain(says);
  }
});
