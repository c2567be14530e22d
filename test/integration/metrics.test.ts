/** What a process measures, who may read it, and that what is degraded shows in it. */

import { afterEach, expect, test } from "vitest";
import { type Environment, startTestGateway, type TestGateway } from "../support/gateway.ts";
import { recoveryMs } from "../support/fanout.ts";
import { readMetrics, type Samples } from "../support/metrics.ts";
import { startNats } from "../support/nats.ts";
import { startReceiver } from "../support/receiver.ts";
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
  const expected = { status, components: { database: "up", fanout: state } };
  await expect.poll(readiness, { timeout }).toEqual(expected);
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
  expect((await scrape(push)).has("tidegate_shards_held")).toBe(true);
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
