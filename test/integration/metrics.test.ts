/** What a process measures, who may read it, and that what is degraded shows in it. */

import { readFile } from "node:fs/promises";
import { afterEach, expect, test } from "vitest";
import { type Environment, startTestGateway, type TestGateway } from "../support/gateway.ts";
import { recoveryMs } from "../support/fanout.ts";
import { readMetrics, type Samples } from "../support/metrics.ts";
import { startNats } from "../support/nats.ts";
import { startReceiver } from "../support/receiver.ts";
import { openSse } from "../support/sse.ts";
import { waitUntil } from "../support/wait.ts";

const opened: AsyncDisposable[] = [];

afterEach(async () => {
  for (const resource of opened.splice(0).toReversed()) await resource[Symbol.asyncDispose]();
});

async function start(overrides: Environment = {}): Promise<TestGateway> {
  const gateway = await startTestGateway(overrides);
  opened.push(gateway);
  return gateway;
}

async function scrape(gateway: TestGateway): Promise<Samples> {
  const { status, text } = await gateway.call("GET", "/metrics");
  expect(status).toBe(200);
  return readMetrics(text);
}

function isUp(samples: Samples, component: "database" | "fanout"): number | undefined {
  return samples.get(`tidegate_component_up{component="${component}"}`);
}

async function fanoutIs(gateway: TestGateway, state: string, up: number): Promise<void> {
  const timeout = recoveryMs;
  const readiness = async () => (await gateway.call("GET", "/readyz", { key: null })).json;
  const status = state === "up" ? "ready" : "degraded";
  const expected = {
    ...{ status, components: { database: "up", fanout: state } },
    degraded: state === "up" ? [] : [{ component: "fanout", state, since: expect.any(String) }],
  };
  await expect.poll(readiness, { timeout }).toMatchObject(expected);
  expect(isUp(await scrape(gateway), "fanout")).toBe(up);
}

test("operators read the metrics, and nobody else", async () => {
  const gateway = await start({ TIDEGATE_SHARDS: "8" });
  expect(gateway.metricsUrl).toBeUndefined();
  const { headers, text } = await gateway.call("GET", "/metrics");
  expect(headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  const samples = readMetrics(text);
  expect(isUp(samples, "database")).toBe(1);
  expect(isUp(samples, "fanout")).toBe(1);
  expect(samples.get("tidegate_shards_held")).toBe(8);
  expect(samples.get("tidegate_push_in_flight")).toBe(0);
  expect(samples.get("tidegate_replays_in_flight")).toBe(0);
  expect(samples.get("tidegate_replays_total")).toBe(0);
  expect(samples.get("tidegate_outcomes_unwritten")).toBe(0);
  expect(samples.get("tidegate_fanout_receivers_threw_total")).toBe(0);
  for (const outcome of ["carried", "dropped", "failed", "unreadable"]) {
    expect(samples.has(`tidegate_fanout_frames_total{outcome="${outcome}"}`)).toBe(true);
  }
  const since = samples.get("tidegate_fanout_state_changed_timestamp_seconds") ?? 0;
  expect(Math.abs(since - Date.now() / 1_000)).toBeLessThan(60);
  expect(samples.has("process_resident_memory_bytes")).toBe(true);

  expect((await gateway.call("GET", "/metrics", { key: null })).status).toBe(401);
  await gateway.createTenant("acme");
  const key = await gateway.createKey("acme");
  expect((await gateway.call("GET", "/metrics", { key })).status).toBe(403);
});

test("at an address of their own they ask for no key, and are nowhere else", async () => {
  const gateway = await start({ TIDEGATE_METRICS_ADDRESS: "127.0.0.1:0" });
  const response = await fetch(`${gateway.metricsUrl}/metrics`);
  expect(response.headers.get("content-type")).toMatch(/^text\/plain/);
  expect(isUp(readMetrics(await response.text()), "database")).toBe(1);
  expect((await fetch(`${gateway.metricsUrl}/events`)).status).toBe(404);
  expect((await fetch(`${gateway.metricsUrl}/readyz`)).status).toBe(404);
  // What a gateway serves is what its own document has.
  const document = await gateway.call("GET", "/openapi.json", { key: null });
  expect(document.text).not.toContain("getMetrics");
});

test("each role has them, and only processes that push those of pushes", async () => {
  const api = await start({ TIDEGATE_ROLES: "api" });
  const push = await start({ ...api.environment, TIDEGATE_ROLES: "push", TIDEGATE_SHARDS: "8" });
  expect((await scrape(api)).has("tidegate_shards_held")).toBe(false);
  // Else nothing would tell that nobody holds them.
  expect((await scrape(api)).get("tidegate_shards")).toBe(256);
  expect((await scrape(push)).has("tidegate_shards_held")).toBe(true);
});

test("what has happened is in them, and each of them is described", async () => {
  const gateway = await start({ TIDEGATE_SHARDS: "8", TIDEGATE_METRICS_PINNED_TENANTS: "quiet" });
  for (const tenant of ["acme", "down", "quiet"]) await gateway.createTenant(tenant);
  const well = await startReceiver({ kind: "answer" });
  const down = await startReceiver({ kind: "answer", status: 503 });
  opened.push(well, down);
  const pushTo = (tenant: string, url: string) =>
    gateway.call("POST", "/endpoints", { body: { tenant, url, retry_schedule: [] } });
  await pushTo("acme", well.url);
  const endpoint = String((await pushTo("down", down.url)).json?.["id"]);
  await gateway.append("acme", {}, { key: "once" }, { key: "once" });
  // So many faults in a row open the circuit.
  await gateway.append("down", ...Array.from({ length: 20 }, () => ({})));
  await gateway.call("GET", "/events?tenant=acme&from=earliest");
  const stream = openSse(
    Number(new URL(gateway.url).port),
    "/events/stream?tenant=acme",
    gateway.operatorKey,
  );
  await stream.waitFor((blocks) => blocks.length > 0);
  const meanwhile = await scrape(gateway);
  expect(meanwhile.get("tidegate_stream_subscribers")).toBe(1);
  stream.cut();
  await well.received(2);
  const samples = await waitUntil(async () => {
    const now = await scrape(gateway);
    const settled = [
      now.get('tidegate_circuit_transitions_total{to="open"}') === 1,
      now.get('tidegate_push_lanes{state="idle"}') === 1,
      now.get('tidegate_stream_closed_total{reason="client_left"}') === 1,
    ];
    return settled.every(Boolean) && now;
  });

  const of = (name: string) => samples.get(`tidegate_${name}`);
  expect(of('append_events_total{outcome="appended"}')).toBe(22);
  expect(of('append_events_total{outcome="not_new"}')).toBe(1);
  expect(of("append_group_events_sum")).toBe(23);
  expect(of("append_waiting_events")).toBe(0);
  expect(of("append_duration_seconds_count")).toBe(of("append_group_events_count"));
  expect(of('log_head{tenant="acme"}')).toBe(2);
  expect(of('log_head{tenant="down"}')).toBe(20);
  expect(of('log_head{tenant="quiet"}')).toBe(0);
  expect(of("fanout_lag_seconds_count")).toBe(2);
  expect(of("pull_pages_total")).toBe(1);
  expect(of("pull_events_total")).toBe(2);
  expect(of("pull_waiting")).toBe(0);
  expect(of('delivery_attempts_total{outcome="delivered"}')).toBe(2);
  const dead = of('delivery_attempts_total{outcome="dead"}') ?? 0;
  expect(dead).toBeGreaterThanOrEqual(8);
  expect(of("dead_letters_total")).toBe(dead);
  const probes = of('delivery_attempts_total{outcome="probe_failed"}') ?? 0;
  expect(of(`delivery_failures_total{tenant="down",endpoint="${endpoint}"}`)).toBe(dead + probes);
  expect(of('delivery_latency_seconds_count{tenant="acme"}')).toBe(2);
  expect(of('delivery_latency_seconds_count{tenant="other"}')).toBe(0);
  expect(of("delivery_queue_seconds_count")).toBe(2 + dead + probes);
  expect(of('push_lanes{state="held"}')).toBe(1);
  expect(of("push_backlog_age_seconds")).toBe(0);
  expect(of("push_slots")).toBe(1_024);
  expect(of('http_request_duration_seconds_count{operation="appendEvents",status="2xx"}')).toBe(2);
  expect(of('database_connections_max{pool="append"}')).toBe(3);
  expect(of('database_connections{pool="append",state="open"}')).toBeGreaterThan(0);
  expect(of("housekeeper")).toBe(1);
  expect(of('housekeeping_failures_total{chore="partitions"}')).toBe(0);
  expect(samples.has("nodejs_eventloop_lag_p99_seconds")).toBe(true);
  expect(shownKinds((await gateway.call("GET", "/metrics")).text)).toEqual(await describedKinds());
});

/** Name, type and labels of each metric of ours in a scrape. */
function shownKinds(text: string): string[] {
  return Array.from(text.matchAll(/^# TYPE (tidegate_\w+) (\w+)\n\w+(?:\{(.*)\})?/gm), (match) => {
    const [, name, type, labels = ""] = match;
    const names = Array.from(labels.matchAll(/(\w+)="/g), ([, label]) => label);
    return `${name} ${type} ${names.filter((label) => label !== "le").join()}`.trim();
  }).toSorted();
}

/** The same, of the tables in docs/metrics.md. */
async function describedKinds(): Promise<string[]> {
  const text = await readFile(new URL("../../docs/metrics.md", import.meta.url), "utf8");
  return Array.from(text.matchAll(/^\| `(tidegate_\w+)` \| (\w+) \| (.*?) ?\|/gm), (match) => {
    const [, name, type, labels = ""] = match;
    return `${name} ${type} ${labels.replaceAll(/[` ]/g, "")}`.trim();
  }).toSorted();
}

test("an event that has no slot is what the backlog's age tells of", async () => {
  const gateway = await start({ TIDEGATE_PUSH_CONCURRENCY: "4" });
  const receiver = await startReceiver({ kind: "hang" });
  opened.push(receiver);
  for (const tenant of ["one", "two", "three", "four", "five"]) {
    await gateway.createTenant(tenant);
    await gateway.call("POST", "/endpoints", { body: { tenant, url: receiver.url } });
    await gateway.append(tenant, {}, {});
  }
  // Those that are new have a quarter of the slots together. Each endpoint has a second event that
  // waits for the first, which is no matter of slots.
  await receiver.received(1);
  const samples = await waitUntil(async () => {
    const now = await scrape(gateway);
    if (now.get('tidegate_push_lanes{state="live"}') !== 5) return undefined;
    return (now.get("tidegate_push_backlog_age_seconds") ?? 0) > 0.2 && now;
  });
  expect(samples.get("tidegate_push_in_flight")).toBe(1);
  expect(samples.get("tidegate_push_in_flight_ratio")).toBe(0.25);
});

test("an attempt that hangs is in flight", async () => {
  const gateway = await start();
  await gateway.createTenant("acme");
  const receiver = await startReceiver({ kind: "hang" });
  opened.push(receiver);
  await gateway.call("POST", "/endpoints", { body: { tenant: "acme", url: receiver.url } });
  await gateway.append("acme", {});
  await receiver.received(1);
  expect((await scrape(gateway)).get("tidegate_push_in_flight")).toBe(1);
});

test("NATS that is gone is degraded, not unavailable, until it is back", async () => {
  const server = await startNats();
  opened.push({ [Symbol.asyncDispose]: () => server.stop() });
  const gateway = await start({ NATS_URL: server.url });
  const dropped = 'tidegate_fanout_frames_total{outcome="dropped"}';
  const carried = 'tidegate_fanout_frames_total{outcome="carried"}';
  const changed = "tidegate_fanout_state_changed_timestamp_seconds";
  await fanoutIs(gateway, "up", 1);
  await gateway.createTenant("acme");
  await gateway.append("acme", {});
  const before = await waitUntil(async () => {
    const samples = await scrape(gateway);
    return (samples.get(carried) ?? 0) > 0 && samples;
  });

  await server.kill();
  await fanoutIs(gateway, "reconnecting", 0);
  await gateway.append("acme", {});
  const meanwhile = await scrape(gateway);
  expect(isUp(meanwhile, "database")).toBe(1);
  expect(meanwhile.get(dropped)).toBeGreaterThan(before.get(dropped) ?? Infinity);
  expect(meanwhile.get(changed)).toBeGreaterThan(before.get(changed) ?? Infinity);

  await server.restart();
  await fanoutIs(gateway, "up", 1);
});
