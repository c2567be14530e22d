/**
 * The port's promise, on both adapters. `here` publishes, `there` is another process's fan-out (in
 * process there is only one, so both are the same). A broker may be shared with other tests, so
 * everybody looks only at frames of tenants of his own.
 */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ChangedFrame, EventsFrame, Fanout, Frame } from "../../src/fanout/fanout.ts";
import { connectJetStream } from "../../src/fanout/jetstream.ts";
import { createMemoryFanout } from "../../src/fanout/memory.ts";
import type { TenantId } from "../../src/log/event.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { collect, eventsFrame, framesFlow, newTenant } from "../support/fanout.ts";
import { natsUrl } from "../support/nats.ts";

type Pair = { here: Fanout; there: Fanout; stop(): Promise<void> };

const log = createLogger({ level: "silent" });

async function openMemory(): Promise<Pair> {
  const only = createMemoryFanout({ log });
  return { here: only, there: only, stop: () => only.stop() };
}

async function openJetStream(): Promise<Pair> {
  const broker = await natsUrl();
  const options = { servers: [broker.url], shards: 256, log };
  const [here, there] = await Promise.all([connectJetStream(options), connectJetStream(options)]);
  async function stop(): Promise<void> {
    await Promise.all([here.stop(), there.stop()]);
    await broker.stop();
  }
  return { here, there, stop };
}

describe.each([
  ["memory", openMemory],
  ["jetstream", openJetStream],
])("the %s fan-out", (_, open) => {
  let pair: Pair;
  beforeAll(async () => {
    pair = await open();
  });
  afterAll(() => pair.stop());

  test("is up once opened", () => {
    const { state, since } = pair.here.status();
    expect(state).toBe("up");
    expect(Date.now() - since).toBeLessThan(60_000);
  });

  test("hands frames to its own subscriptions before publish returns", () => {
    const tenant = newTenant();
    const received = collect(pair.here, 3, tenant);
    const frames = [eventsFrame(tenant, 3, 1, ["{}", "{}"]), eventsFrame(tenant, 3, 3, ["{}"])];
    pair.here.publish(frames);
    expect(received.frames).toEqual(frames);
    received.unsubscribe();
  });

  test("brings frames to another process, events and changes alike", async () => {
    const tenant = newTenant();
    const received = await connected(pair, 4, tenant);
    const changed: ChangedFrame = { kind: "changed", shard: 4, tenant, what: "endpoints" };
    const events = eventsFrame(tenant, 4, 7, ['{"id":"a"}', '{"id":"b"}']);
    const numbers: EventsFrame = { ...events, events: null };
    pair.here.publish([events, changed, numbers]);
    await expect.poll(() => received.frames).toEqual(expect.arrayContaining([numbers]));
    expect(received.frames).toEqual([events, changed, numbers]);
    received.unsubscribe();
  });

  test("carries envelopes byte for byte, odd characters and large ones too", async () => {
    const tenant = newTenant();
    const received = await connected(pair, 5, tenant);
    const odd = '{"data":{"n":1.0,"big":12345678901234567890,"t":"é \u2028 𝄞 \\u00e9 \u0000"}}';
    const large = `{"data":"${"äß𝄞".repeat(20_000)}"}`;
    const frame = eventsFrame(tenant, 5, 1, [odd, large, "{}"]);
    pair.here.publish([frame]);
    await expect.poll(() => received.frames).toEqual([frame]);
    received.unsubscribe();
  });

  test("brings every subscription of a shard each frame, and none of another shard's", async () => {
    const tenant = newTenant();
    const first = await connected(pair, 6, tenant);
    const second = collect(pair.there, 6, tenant);
    const other = await connected(pair, 60, tenant);
    const frame = eventsFrame(tenant, 6, 1, ["{}"]);
    const last = eventsFrame(tenant, 60, 1, ["{}"]);
    pair.here.publish([frame, last]);
    await expect.poll(() => other.frames).toEqual([last]);
    await expect.poll(() => [first.frames, second.frames]).toEqual([[frame], [frame]]);
    for (const subscription of [first, second, other]) subscription.unsubscribe();
  });

  test("brings nothing more after unsubscribing, and the others go on", async () => {
    const tenant = newTenant();
    const stays = await connected(pair, 8, tenant);
    const goes = collect(pair.there, 8, tenant);
    goes.unsubscribe();
    goes.unsubscribe();
    const frame = eventsFrame(tenant, 8, 1, ["{}"]);
    pair.here.publish([frame]);
    await expect.poll(() => stays.frames).toEqual([frame]);
    expect(goes.frames).toEqual([]);
    stays.unsubscribe();
  });

  test("can be subscribed to again after the last subscription of a shard ended", async () => {
    const tenant = newTenant();
    (await connected(pair, 9, tenant)).unsubscribe();
    const again = await connected(pair, 9, tenant);
    const frame = eventsFrame(tenant, 9, 1, ["{}"]);
    pair.here.publish([frame]);
    await expect.poll(() => again.frames).toEqual([frame]);
    again.unsubscribe();
  });

  test("goes on when a receiver throws, and counts it", async () => {
    const tenant = newTenant();
    const before = pair.there.status().counts.threw;
    const unsubscribe = pair.there.subscribe(10, () => {
      throw new Error("receiver at fault");
    });
    const received = await connected(pair, 10, tenant);
    const frames = [1, 2, 3].map((first) => eventsFrame(tenant, 10, first, ["{}"]));
    pair.here.publish(frames);
    await expect.poll(() => received.frames).toEqual(frames);
    expect(pair.there.status().counts.threw).toBeGreaterThanOrEqual(before + 3);
    unsubscribe();
    received.unsubscribe();
  });

  test("lets receivers subscribe and unsubscribe while they receive", () => {
    const tenant = newTenant();
    const late = { frames: [] as Frame[], unsubscribe: () => {} };
    const second = { frames: [] as Frame[], unsubscribe: () => {} };
    const unsubscribe = pair.here.subscribe(11, () => {
      second.unsubscribe();
      unsubscribe();
      Object.assign(late, collect(pair.here, 11, tenant));
    });
    Object.assign(second, collect(pair.here, 11, tenant));
    const frames = [1, 2].map((first) => eventsFrame(tenant, 11, first, ["{}"]));
    pair.here.publish(frames);
    expect(second.frames).toEqual([]);
    expect(late.frames).toEqual([frames[1]]);
    late.unsubscribe();
  });

  test("counts what it carried", async () => {
    const { carried } = pair.here.status().counts;
    pair.here.publish([1, 2].map((first) => eventsFrame(newTenant(), 12, first, ["{}"])));
    await expect.poll(() => pair.here.status().counts.carried).toBeGreaterThanOrEqual(carried + 2);
  });
});

test.each([
  ["memory", openMemory],
  ["jetstream", openJetStream],
])("the %s fan-out stops once, and is harmless afterwards", async (_, open) => {
  const { here, stop } = await open();
  const tenant = newTenant();
  const received = collect(here, 1, tenant);
  await Promise.all([here.stop(), here.stop()]);
  await here.stop();
  here.publish([eventsFrame(tenant, 1, 1, ["{}"])]);
  const late = collect(here, 1, tenant);
  here.publish([eventsFrame(tenant, 1, 2, ["{}"])]);
  expect([received.frames, late.frames]).toEqual([[], []]);
  received.unsubscribe();
  late.unsubscribe();
  await stop();
});

/** A subscription `there` that is known to receive what is published `here`. */
async function connected({ here, there }: Pair, shard: number, tenant: TenantId) {
  const received = collect(there, shard, tenant);
  await framesFlow(here, there, shard);
  return received;
}
