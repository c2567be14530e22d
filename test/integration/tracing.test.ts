/** Traces, from the request that appends to each attempt, as a collector and a receiver see them. */
import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  startTestGateway,
  succeed,
  type CallOptions,
  type TestGateway,
} from "../support/gateway.ts";
import { startNats } from "../support/nats.ts";
import { startCollector, type CollectedSpan, type Collector } from "../support/otlp.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { createDirectory, productionEnvironment, startGatewayProcess } from "../support/process.ts";
import { startReceiver, type Behave, type Receiver } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

const all = new AsyncDisposableStack();
let collector: Collector;
/** Two processes of one installation, each of one role. */
let api: TestGateway;

beforeAll(async () => {
  vi.stubEnv("OTEL_BSP_SCHEDULE_DELAY", "50");
  collector = all.use(await startCollector());
  const nats = await startNats();
  all.defer(() => nats.stop());
  api = all.use(
    await startTestGateway({
      OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
      ...{ NATS_URL: nats.url, TIDEGATE_ROLES: "api" },
    }),
  );
  all.use(await startTestGateway({ ...api.environment, TIDEGATE_ROLES: "push" }));
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await all.disposeAsync();
});

/** How a producer says which trace its event belongs to. */
type Way = (traceparent: string) => CallOptions;

let tenants = 0;

/** A tenant with an endpoint whose receiver behaves like this. */
async function pushTo(
  caller: Pick<TestGateway, "call" | "createTenant">,
  behave?: Behave,
): Promise<{ tenant: string; endpoint: string; receiver: Receiver }> {
  const tenant = await caller.createTenant(`traced-${(tenants += 1)}`);
  const receiver = all.use(await startReceiver(behave));
  const settings = { tenant, url: receiver.url, retry_schedule: ["1s"], max_in_flight: 100 };
  const { id } = await succeed(caller.call("POST", "/endpoints", { body: settings }));
  return { tenant, endpoint: String(id), receiver };
}

function newContext(flags: "00" | "01" = "01") {
  const [traceId, spanId] = [randomBytes(16).toString("hex"), randomBytes(8).toString("hex")];
  return { traceId, spanId, traceparent: `00-${traceId}-${spanId}-${flags}` };
}

function traceparentOf({ headers }: Receiver["requests"][number]) {
  const [, traceId, spanId, flags] = String(headers["traceparent"]).split("-");
  return { traceId, spanId, flags };
}

function one(spans: readonly CollectedSpan[], name: string): CollectedSpan {
  const found = spans.filter((span) => span.name === name);
  expect(found).toHaveLength(1);
  return found[0] ?? expect.fail();
}

describe("with a collector", () => {
  test("one trace tells of append, commit, fan-out, queues and attempts in two processes", async () => {
    let answers = 0;
    const { tenant, endpoint, receiver } = await pushTo(api, () => ({
      kind: "answer",
      status: (answers += 1) === 1 ? 500 : 200,
    }));
    const body = { tenant, type: "order.created", data: { amount: 4200 } };
    const { id } = await succeed(api.call("POST", "/events", { body }));
    const [failed, retried] = await receiver.received(2);
    const { traceId = "" } = traceparentOf(failed ?? expect.fail());
    const spans = await collector.trace(traceId, 7);

    expect(spans.map(({ name }) => name).toSorted()).toEqual(
      ["append", "commit", "fanout", "queue", "attempt", "queue", "attempt"].toSorted(),
    );
    const append = one(spans, "append");
    expect(append).toMatchObject({ parentId: "", kind: 2, failed: false });
    expect(append.attributes).toMatchObject({
      "messaging.system": "tidegate",
      "messaging.message.id": id,
      "http.response.status_code": 201,
      "tidegate.tenant": tenant,
      "tidegate.sequence": 1,
    });
    const below = spans.filter(({ name }) => name !== "append");
    for (const { parentId } of below) expect(parentId).toBe(append.spanId);
    for (const { startedAt } of below) expect(startedAt).toBeGreaterThanOrEqual(append.startedAt);
    for (const name of ["commit", "fanout"]) {
      const { endedAt } = one(spans, name);
      expect(endedAt).toBeLessThanOrEqual(append.endedAt);
    }
    expect(one(spans, "commit").attributes).toMatchObject({ "tidegate.appended": 1 });
    expect(one(spans, "fanout").attributes).toMatchObject({ "tidegate.fanout": "up" });

    const [first, second] = spans.filter(({ name }) => name === "attempt");
    const about = { "tidegate.endpoint": endpoint, "messaging.message.id": id };
    expect(first).toMatchObject({
      ...{ kind: 3, failed: true, spanId: traceparentOf(failed ?? expect.fail()).spanId },
      attributes: {
        ...about,
        ...{ "tidegate.attempt": 1, "tidegate.trigger": "event", "tidegate.outcome": "retry" },
        ...{ "http.response.status_code": 500, "error.type": "500" },
        ...{ "server.address": "127.0.0.1", "server.port": receiver.port },
      },
      events: [{ name: "retry", attributes: { "tidegate.retry_in_ms": expect.any(Number) } }],
    });
    expect(second).toMatchObject({
      ...{ failed: false, spanId: traceparentOf(retried ?? expect.fail()).spanId },
      attributes: {
        ...about,
        ...{ "tidegate.attempt": 2, "tidegate.trigger": "retry", "tidegate.outcome": "delivered" },
      },
    });
    const [queue, queuedAgain] = spans.filter(({ name }) => name === "queue");
    expect(queue?.endedAt).toBe(first?.startedAt);
    expect(queue?.attributes["tidegate.ready_after_ms"]).toEqual(expect.any(Number));
    expect(queuedAgain?.endedAt).toBe(second?.startedAt);
    expect(queuedAgain?.startedAt).toBeGreaterThan(first?.endedAt ?? Infinity);

    const [appending, pushing] = [append, first ?? expect.fail()].map(({ resource }) => resource);
    expect(appending).toMatchObject({ "service.name": "tidegate" });
    expect(appending?.["service.instance.id"]).not.toBe(pushing?.["service.instance.id"]);
    // What is stored is the append's place, and nobody but it and the attempts has been there.
    const stored = await succeed(api.call("GET", `/events/${String(id)}`));
    expect(stored["traceparent"]).toBe(`00-${traceId}-${append.spanId}-01`);
  });

  test("the producer's traceparent is kept, and passed to the receiver below our spans", async () => {
    const { tenant, receiver } = await pushTo(api);
    const cloudEvent = { specversion: "1.0", source: "/shop", type: "a" };
    const own = newContext();
    const ways: Record<string, Way> = {
      "the header": (traceparent) => ({
        headers: { traceparent, tracestate: 'shop=1,x="\\"' },
        body: { tenant, type: "a", data: 1 },
      }),
      "the member": (traceparent) => ({ body: { tenant, type: "a", data: 1, traceparent } }),
      "a CloudEvent in structured mode": (traceparent) => ({
        headers: { "content-type": "application/cloudevents+json" },
        body: { ...cloudEvent, id: "1", tenant, traceparent, tracestate: "shop=1" },
      }),
      "a CloudEvent in binary mode": (traceparent) => ({
        headers: {
          ...{ "content-type": "text/plain", "ce-specversion": "1.0", "ce-id": "2" },
          ...{ "ce-source": "/shop", "ce-type": "a", "ce-tenant": tenant },
          "ce-traceparent": traceparent,
        },
        body: "text",
      }),
      lines: (traceparent) => ({
        headers: { traceparent, "content-type": "application/x-ndjson" },
        body: JSON.stringify({ tenant, type: "a", data: 1 }),
      }),
      // What an event says of itself stands before what its request says.
      "a batch, beside a header": (traceparent) => ({
        headers: { traceparent: own.traceparent },
        body: { events: [{ tenant, type: "a", data: 1, traceparent }] },
      }),
    };
    await Promise.all(Object.entries(ways).map(([name, wayOf]) => check(name, wayOf)));
    // The request of the batch has a span of its own in its own trace, which that of its event names.
    const [request] = await collector.trace(own.traceId, 1);
    const linked = collector.spans.find(({ links }) => links[0]?.spanId === request?.spanId);
    expect(linked).toMatchObject({ name: "append", links: [{ traceId: own.traceId }] });

    async function check(name: string, wayOf: Way): Promise<void> {
      const { traceId, spanId, traceparent } = newContext();
      await succeed(api.call("POST", "/events", wayOf(traceparent)));
      const push = await waitUntil(() =>
        receiver.requests.find((request) => traceparentOf(request).traceId === traceId),
      );
      const spans = await collector.trace(traceId, 5);
      const event = JSON.parse(push.body.toString()) as Record<string, unknown>;
      const append = one(spans, "append");
      // With the way's name, which then stands in what a failure shows.
      expect({
        name,
        spans: spans.map((span) => `${span.name} below ${span.parentId}`).toSorted(),
        attempt: one(spans, "attempt").spanId,
        stored: event["traceparent"],
        tracestate: push.headers["tracestate"],
      }).toEqual({
        name,
        spans: [
          `append below ${spanId}`,
          `attempt below ${spanId}`,
          `commit below ${append.spanId}`,
          `fanout below ${append.spanId}`,
          `queue below ${spanId}`,
        ],
        attempt: traceparentOf(push).spanId,
        stored: traceparent,
        tracestate: event["tracestate"],
      });
      if (name === "the header") expect(event["tracestate"]).toBe('shop=1,x="\\"');
    }
  });

  test("of a trace that its producer did not sample there are no spans, and it is passed on", async () => {
    const { tenant, receiver } = await pushTo(api);
    const { traceId, traceparent } = newContext("00");
    const body = { tenant, type: "a", data: 1 };
    await succeed(api.call("POST", "/events", { headers: { traceparent }, body }));
    const [push] = await receiver.received(1);
    expect(push?.headers["traceparent"]).toBe(traceparent);
    // A later one, appended and pushed by the same processes, has arrived with all of its own.
    const later = newContext();
    await succeed(api.call("POST", "/events", { headers: later, body }));
    await collector.trace(later.traceId, 5);
    expect(collector.spansOf(traceId)).toEqual([]);
  });

  test("what is no traceparent is ignored", async () => {
    const { tenant, receiver } = await pushTo(api);
    const body = { tenant, type: "a", data: 1 };
    const traceparent = `00-${"0".repeat(32)}-b7ad6b7169203331-01`;
    await succeed(api.call("POST", "/events", { headers: { traceparent }, body }));
    const refused = await api.call("POST", "/events", { body: { ...body, traceparent } });
    expect(refused).toMatchObject({ status: 422, slug: "invalid" });
    const [push] = await receiver.received(1);
    // A new trace begins in its place.
    expect(traceparentOf(push ?? expect.fail())).toMatchObject({ flags: "01" });
    expect(push?.headers["traceparent"]).not.toBe(traceparent);
  });

  test("an event that is repeated in another trace is a duplicate all the same", async () => {
    const tenant = await api.createTenant("repeating");
    const body = { tenant, type: "a", data: 1, key: "order-1" };
    const append = (headers: Record<string, string>, more: object = {}) =>
      api.call("POST", "/events", { headers, body: { ...body, ...more } });
    const first = await append({});
    for (const headers of [newContext(), newContext("00"), {}]) {
      const { traceparent } = headers as { traceparent?: string };
      const again = await append(traceparent === undefined ? {} : { traceparent });
      expect(again).toMatchObject({ status: 200, json: { id: first.json?.["id"] } });
    }
    // What the event says itself is content, as any member is.
    const { traceparent } = newContext();
    expect(await append({}, { traceparent })).toMatchObject({ slug: "idempotency-conflict" });
  });
});

test("a part of the traces is sampled at the head, and only those are stored and passed on", async () => {
  // What the library reads by itself.
  vi.stubEnv("OTEL_SERVICE_NAME", "feeds");
  vi.stubEnv("OTEL_RESOURCE_ATTRIBUTES", "team=orders");
  vi.stubEnv("OTEL_EXPORTER_OTLP_HEADERS", "x-token=secret");
  await using gateway = await startTestGateway({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
    OTEL_TRACES_SAMPLER_ARG: "0.5",
  });
  const { tenant, receiver } = await pushTo(gateway);
  const appends = 80;
  const body = { tenant, type: "a", data: 1 };
  const requests = Array.from({ length: appends }, () => gateway.call("POST", "/events", { body }));
  await Promise.all(requests.map(succeed));
  const pushes = await receiver.received(appends);
  const traced = pushes.filter(({ headers }) => headers["traceparent"] !== undefined);
  // Six standard deviations from the half.
  expect(Math.abs(traced.length - appends / 2)).toBeLessThan(27);
  for (const push of traced) await collector.trace(traceparentOf(push).traceId ?? "", 5);
  const ids = new Set(traced.map((push) => traceparentOf(push).traceId));
  const ofTenant = collector.spans.filter((span) => span.attributes["tidegate.tenant"] === tenant);
  for (const { traceId, resource } of ofTenant) {
    expect(ids).toContain(traceId);
    expect(resource).toMatchObject({ "service.name": "feeds", team: "orders" });
  }
  const ways = collector.requests.map(({ path, headers }) => [path, headers["x-token"]]);
  expect(ways).toContainEqual(["/v1/traces", "secret"]);
});

test("a collector that refuses or hangs is told of once, and holds up nothing", async () => {
  const lines: string[] = [];
  const log = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const complaints = () => lines.filter((line) => line.includes("spans not sent"));
  const refusing = all.use(await startReceiver({ kind: "answer", status: 400 }));
  const { origin } = new URL(refusing.url);
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: origin, LOG_LEVEL: "warn" };
  const gateway = await startTestGateway(environment, log);
  const { tenant, receiver } = await pushTo(gateway);
  for (const count of [1, 2, 3]) {
    if (count === 3) refusing.behave({ kind: "hang" });
    await gateway.append(tenant, {});
    await receiver.received(count);
    await refusing.received(count);
    await waitUntil(() => complaints().length > 0);
  }
  const stoppedAt = performance.now();
  await gateway.stop();
  // An export that nobody answers would go on for 10 s.
  expect(performance.now() - stoppedAt).toBeLessThan(9_000);
  expect(complaints()).toHaveLength(1);
});

test("without a collector nothing of OpenTelemetry is loaded, and the producer's trace goes on", async () => {
  await using database = await createTestDatabase();
  await using directory = await createDirectory();
  const coverage = join(directory.path, "coverage");
  const environment = productionEnvironment(database.url);
  await using process = await startGatewayProcess({
    directory: directory.path,
    // Node writes down there which scripts it has loaded.
    env: { ...environment, PORT: "0", NODE_V8_COVERAGE: coverage },
  });
  const call = (method: string, path: string, body: object, headers: object = {}) =>
    fetch(`${process.url}${path}`, {
      method,
      headers: {
        ...{ authorization: `Bearer ${process.operatorKey}`, "content-type": "application/json" },
        ...headers,
      },
      body: JSON.stringify(body),
    });
  await call("PUT", "/tenants/acme", {});
  const receiver = all.use(await startReceiver());
  await call("POST", "/endpoints", { tenant: "acme", url: receiver.url });
  const { traceparent } = newContext();
  await call("POST", "/events", { tenant: "acme", type: "a", data: 1 }, { traceparent });
  await call("POST", "/events", { tenant: "acme", type: "a", data: 2 });
  const pushes = await receiver.received(2);
  const passedOn = pushes.map(({ headers }) => headers["traceparent"]);
  expect(new Set(passedOn)).toEqual(new Set([traceparent, undefined]));
  expect((await process.terminate()).code).toBe(0);

  const files = await readdir(coverage);
  const texts = await Promise.all(files.map((file) => readFile(join(coverage, file), "utf8")));
  const loaded = texts.flatMap((text) =>
    (JSON.parse(text) as { result: { url: string }[] }).result.map(({ url }) => url),
  );
  expect(loaded.filter((url) => url.endsWith("/src/gateway.ts"))).toHaveLength(1);
  // All that the library for metrics takes along.
  const others = /@opentelemetry\/(?!api\/)|src\/telemetry\/otlp/;
  expect(loaded.filter((url) => others.test(url))).toEqual([]);
});
