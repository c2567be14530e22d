/** A test push tells how a receiver takes it, and leaves no trace of itself. */
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { parseEventId } from "../../src/log/event.ts";
import { createClient, type Client, type Json } from "../support/client.ts";
import { startTestGateway, type TestGateway } from "../support/gateway.ts";
import { startReceiver, type Behaviour } from "../support/receiver.ts";

type Tested = {
  readonly delivered: boolean;
  readonly attempt: {
    readonly status_code: number | null;
    readonly latency_ms: number;
    readonly error: { readonly class: string; readonly message: string } | null;
    readonly request: { readonly url: string; readonly headers: Json; readonly body: string };
    readonly response: { readonly headers: Json; readonly body: string } | null;
  };
};

const zeros = "0".repeat(20);

let gateway: TestGateway;
let client: Client;
let tenants = 0;
let opened = new AsyncDisposableStack();

beforeAll(async () => {
  // No endpoint is driven here, so whatever arrives is a test push.
  gateway = await startTestGateway({ TIDEGATE_ROLES: "api" });
  client = createClient(gateway.url, gateway.operatorKey);
});

afterEach(async () => {
  await opened.disposeAsync();
  opened = new AsyncDisposableStack();
});

afterAll(() => gateway?.stop());

async function endpointAt(behaviour: Behaviour, settings: Json = {}) {
  const tenant = `tenant_${(tenants += 1)}`;
  await client.tenant(tenant);
  const receiver = opened.use(await startReceiver(behaviour));
  const endpoint = await client.createEndpoint(tenant, { url: receiver.url, ...settings });
  return { tenant, receiver, endpoint };
}

async function tested(id: string): Promise<Tested> {
  return (await client.expectOk("POST", `/endpoints/${id}/test`)) as Tested;
}

test("a receiver that is well gets an event it can verify, and cannot take for another", async () => {
  const headers = { "x-api-key": "s3cret" };
  const { tenant, receiver, endpoint } = await endpointAt(
    { kind: "answer", headers: { "set-cookie": ["a=1", "b=2"] }, body: "thanks" },
    { headers, types: ["order.*"], format: "cloudevents" },
  );
  const { delivered, attempt } = await tested(endpoint.id);
  const [push] = receiver.requests;
  if (push === undefined) throw new Error("nothing arrived");
  const event = new Webhook(endpoint.secret).verify(
    push.body,
    push.headers as Record<string, string>,
  ) as Json;
  expect(event).toEqual({
    specversion: "1.0",
    id: expect.stringMatching(/^evt_\d{4}-\d\d-\d\d_[0-9a-f]{16}0[0-9a-f]{8}$/),
    source: `/tenants/${tenant}`,
    type: "tidegate.test",
    time: expect.stringMatching(/\.\d{3}Z$/),
    datacontenttype: "application/json",
    dataversion: "1",
    tenant,
    sequence: zeros,
    data: { endpoint: endpoint.id },
  });
  expect(parseEventId(String(event["id"]))).toBeUndefined();
  expect(push.headers).toMatchObject({
    "content-type": "application/cloudevents+json",
    "webhook-id": event["id"],
    "tidegate-sequence": zeros,
    "tidegate-previous-sequence": zeros,
    "tidegate-attempt": "1",
    "tidegate-endpoint": endpoint.id,
    ...headers,
  });
  expect(push.headers).not.toHaveProperty("tidegate-cursor");

  expect(delivered).toBe(true);
  expect(attempt).toMatchObject({
    status_code: 200,
    error: null,
    request: { url: receiver.url, body: push.body.toString() },
    response: { headers: { "set-cookie": ["a=1", "b=2"] }, body: "thanks" },
  });
  expect(attempt.request.headers).toMatchObject({
    "webhook-id": event["id"],
    "webhook-signature": "[redacted]",
    "x-api-key": "[redacted]",
  });
  expect(JSON.stringify(attempt)).not.toContain("s3cret");
});

test("each test is an event of its own, and none is in the log", async () => {
  const { tenant, receiver, endpoint } = await endpointAt({ kind: "answer" });
  await tested(endpoint.id);
  await tested(endpoint.id);
  const ids = receiver.requests.map(({ headers }) => String(headers["webhook-id"]));
  expect(new Set(ids).size).toBe(2);
  expect((await client.page(tenant)).events).toEqual([]);
  expect((await client.call("GET", `/events/${ids[0]}`)).status).toBe(404);
});

describe("a receiver that is not well is told", () => {
  test.each<[string, Behaviour, boolean, Json]>([
    ["by its status", { kind: "answer", status: 503, body: "down" }, false, { status_code: 503 }],
    ["as gone", { kind: "answer", status: 410 }, false, { error: { message: "status 410" } }],
    ["as moved", { kind: "answer", status: 301 }, false, { error: { message: "status 301" } }],
    [
      "as one that aborts",
      { kind: "answer", headers: { "webhook-delivery": "abort-message" } },
      false,
      { status_code: 200, error: { class: "http", message: "aborted by the receiver" } },
    ],
    [
      "as well if it only wants no more",
      { kind: "answer", headers: { "webhook-delivery": "disable" } },
      true,
      { error: null },
    ],
    [
      "as one that hangs",
      { kind: "hang" },
      false,
      { status_code: null, error: { class: "timeout" }, response: null },
    ],
    ["as one that breaks off", { kind: "half" }, false, { status_code: 200 }],
    [
      "as one that resets",
      { kind: "reset", when: "before-head" },
      false,
      { error: { class: "reset" } },
    ],
  ])("%s", async (_, behaviour, delivered, attempt) => {
    const { endpoint } = await endpointAt(behaviour, { timeout_ms: 1_000 });
    const before = await client.endpoint(endpoint.id);
    expect(await tested(endpoint.id)).toMatchObject({ delivered, attempt });
    expect(await client.endpoint(endpoint.id)).toEqual(before);
  });

  test("as one that is not there", async () => {
    const { receiver, endpoint } = await endpointAt({ kind: "answer" });
    await receiver.stop();
    expect(await tested(endpoint.id)).toMatchObject({
      delivered: false,
      attempt: { error: { class: "connect", message: "connection refused" }, response: null },
    });
  });
});

test("an endpoint is tested whatever its status, and keeps it", async () => {
  const { receiver, endpoint } = await endpointAt({ kind: "answer" });
  for (const action of ["pause", "poll"]) {
    const { status } = await client.act(endpoint.id, action);
    expect(await tested(endpoint.id)).toMatchObject({ delivered: true });
    expect((await client.endpoint(endpoint.id)).status).toBe(status);
  }
  expect(receiver.requests).toHaveLength(2);
});

test("a disabled endpoint is tested by a process that drives it too", async () => {
  await using both = await startTestGateway();
  const own = createClient(both.url, both.operatorKey);
  await own.tenant("acme");
  const receiver = opened.use(await startReceiver({ kind: "answer", status: 410 }));
  const { id } = await own.createEndpoint("acme", { url: receiver.url });
  await own.append("acme", {});
  await own.endpointWhen(id, ({ status }) => status === "disabled");
  receiver.behave({ kind: "answer" });
  expect(await own.expectOk("POST", `/endpoints/${id}/test`)).toMatchObject({ delivered: true });
  expect(await own.endpoint(id)).toMatchObject({ status: "disabled", retrying: 1 });
});

test("a test under way does not keep a process from stopping", async () => {
  const stopping = await startTestGateway({ TIDEGATE_ROLES: "api" });
  const own = createClient(stopping.url, stopping.operatorKey);
  await own.tenant("acme");
  const receiver = opened.use(await startReceiver({ kind: "hang" }));
  const { id } = await own.createEndpoint("acme", { url: receiver.url, timeout_ms: 30_000 });
  const answer = own.call("POST", `/endpoints/${id}/test`).catch((error: unknown) => error);
  await receiver.received(1);
  const startedAt = performance.now();
  await stopping.stop();
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  await answer;
});
