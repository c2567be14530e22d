import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Fanout, Frame } from "../../src/fanout/fanout.ts";
import { createMemoryFanout } from "../../src/fanout/memory.ts";
import { createFeed, type Feed, type News } from "../../src/feed/feed.ts";
import { beginning, type LogEvent, type Position } from "../../src/log/event.ts";
import { createLog, type Log } from "../../src/log/log.ts";
import { createChance, type Chance } from "../support/chance.ts";
import { framesOf, newEvent, openTestLog, type LogTenant, type TestLog } from "../support/log.ts";
import { startProxy } from "../support/proxy.ts";
import { createSeveredFanout } from "../support/severed.ts";
import { waitUntil } from "../support/wait.ts";

/** Several times as long as a lost frame may go unnoticed. */
const recheckDeadlineMs = 5_000;

let testLog: TestLog;
const feeds: Feed[] = [];

beforeAll(async () => {
  testLog = await openTestLog();
});

afterEach(async () => {
  await Promise.all(feeds.splice(0).map((feed) => feed.stop()));
  await testLog.closeOthers();
});

afterAll(() => testLog.stop());

const numbers = (to: number) => Array.from({ length: to }, (_, index) => index + 1);

function openFeed(fanout: Fanout, log: Log = testLog.log): Feed {
  const feed = createFeed({ log, fanout, logger: testLog.logger });
  feeds.push(feed);
  return feed;
}

/** A feed, and an appender that tells of its appends through the same fan-out. */
function openProcess(fanout: Fanout) {
  const feed = openFeed(fanout);
  const { append } = testLog.openAppender({ tell: (runs) => fanout.publish(framesOf(runs)) });
  return { feed, append };
}

/** Reads like push, pull and stream do: follows, reads to the head, and on when it is woken. */
function startReader(feed: Feed, { id, shard }: LogTenant, from: Position, limit: number) {
  const events: LogEvent[] = [];
  let [position, woken] = [from, true];
  let running: Promise<void> | undefined;
  let failure: unknown;
  const unfollow = feed.follow(id, shard, wake);
  wake();
  return { events, unfollow, from, failure: () => failure, last: () => position.sequence };

  function wake() {
    woken = true;
    running ??= run()
      .catch((error: unknown) => {
        failure = error;
      })
      .finally(() => {
        running = undefined;
      });
  }

  async function run() {
    // Not in the turn of whoever wakes.
    await Promise.resolve();
    while (woken) {
      woken = false;
      for (let atHead = false; !atHead;) {
        const page = await feed.read(id, position, limit);
        if (page.kind !== "events") throw new Error(`a live reader was told ${page.kind}`);
        events.push(...page.events);
        position = page.events.at(-1) ?? position;
        ({ atHead } = page);
      }
    }
  }
}

type Reader = ReturnType<typeof startReader>;

/** Fails unless the reader gets all of the log from where it started, once and in order. */
async function sawAll(reader: Reader, log: readonly LogEvent[], context: string): Promise<void> {
  await waitUntil(() => reader.failure() !== undefined || reader.last() >= log.length, {
    deadlineMs: recheckDeadlineMs,
    what: `reading ${log.length} events (${reader.last()} read, ${context})`,
  });
  expect(reader.failure(), `${context}`).toBeUndefined();
  const expected = log.slice(reader.from.sequence);
  expect(reader.events.length, `${context}`).toBe(expected.length);
  // One comparison for all: there are many readers of many events.
  const wrong = expected.findIndex((event, index) => {
    const seen = reader.events[index];
    return seen?.sequence !== event.sequence || seen.envelope !== event.envelope;
  });
  expect(reader.events[wrong], `${context}`).toEqual(expected[wrong]);
}

/** Loses, delays, repeats and empties frames, and so brings them out of order. */
function createFlakyFanout(carrier: Fanout, { below }: Chance): Fanout {
  return {
    ...carrier,
    subscribe(shard, receive) {
      let open = true;
      const later = (frame: Frame) => setTimeout(() => open && receive(frame), below(60));
      const unsubscribe = carrier.subscribe(shard, (frame) => {
        switch (below(8)) {
          case 0:
            return;
          case 1:
            return void later(frame);
          case 2:
            later(frame);
            return receive(frame);
          case 3:
            return receive(frame.kind === "events" ? { ...frame, events: null } : frame);
          default:
            return receive(frame);
        }
      });
      return () => {
        open = false;
        unsubscribe();
      };
    },
  };
}

/**
 * Goal: whatever the fan-out does, every reader of the feed gets 1 … n once and in order. Method:
 * three processes append to two logs at once; in each, readers join at the beginning and at the
 * head at random moments and read pages of random size; the fan-out brings all, or loses, delays,
 * repeats, empties and reorders frames at random, or carries nothing. The seed decides what is
 * appended when and what becomes of each frame.
 */
describe.each([
  { name: "that brings everything", open: (carrier: Fanout) => carrier },
  { name: "that loses and reorders", open: createFlakyFanout },
  { name: "that carries nothing", open: createSeveredFanout },
])("over a fan-out $name", ({ name, open }) => {
  test("readers of three processes get every event once and in order", async () => {
    const chance = createChance();
    const { below, pick, seed } = chance;
    const carrier = createMemoryFanout();
    const tenants = [await testLog.createTenant(1), await testLog.createTenant(2)] as const;
    const processes = numbers(3).map(() => openProcess(open(carrier, chance)));
    const readers: { tenant: LogTenant; reader: Reader }[] = [];
    const appended = new Map(tenants.map((tenant) => [tenant, 0]));
    // On and on until there is enough: how much a second holds is up to the machine and to chance.
    const startedAt = performance.now();
    const isEnough = () =>
      readers.length > 3 && [...appended.values()].every((count) => count > 100);
    const goesOnMs = () => (isEnough() ? 1_000 : 20_000);

    await Promise.all(
      processes.map(async ({ feed, append }) => {
        while (performance.now() - startedAt < goesOnMs()) {
          const count = 1 + below(below(8) === 0 ? 300 : 5);
          const events = numbers(count).map(() => {
            const tenant = pick(tenants);
            appended.set(tenant, (appended.get(tenant) ?? 0) + 1);
            return newEvent(tenant, "1");
          });
          await append(events);
          if (below(12) === 0) {
            const tenant = pick(tenants);
            const from = below(2) === 0 ? beginning : await testLog.log.head(tenant.id);
            const reader = startReader(feed, tenant, from, pick([1, 10, 100, 1_000]));
            readers.push({ tenant, reader });
          }
          await delay(below(15));
        }
      }),
    );

    expect(readers.length).toBeGreaterThan(3);
    for (const tenant of tenants) {
      const log = await testLog.readAll(tenant);
      expect(log.length).toBeGreaterThan(100);
      for (const { reader } of readers.filter((each) => each.tenant === tenant)) {
        await sawAll(reader, log, `fan-out ${name}, seed ${seed}`);
      }
    }
  });
});

describe("a lost frame", () => {
  test("costs a recheck, for readers and for those who watch the shard", async () => {
    const tenant = await testLog.createTenant(3);
    const { feed, append } = openProcess(createSeveredFanout());
    const reader = startReader(feed, tenant, beginning, 10);
    const news: News[] = [];
    feed.watch(3, (of, what) => of === tenant.id && news.push(what));
    for (const count of numbers(2)) {
      await append([newEvent(tenant, String(count))]);
      await sawAll(reader, await testLog.readAll(tenant), `event ${count}`);
      await waitUntil(() => news.some((what) => what.kind === "moved" && what.head === count));
    }
  });

  test("is found when the database has been away meanwhile", async () => {
    await using proxy = await startProxy(testLog.url);
    const sql = testLog.openConnections({ url: proxy.url, connections: 2, name: "feed" });
    const tenant = await testLog.createTenant();
    const feed = openFeed(createSeveredFanout(), createLog(sql));
    const woken = { times: 0 };
    feed.follow(tenant.id, tenant.shard, () => (woken.times += 1));
    await proxy.cut();
    await testLog.append([newEvent(tenant, "1")]);
    await delay(1_200);
    expect(woken.times).toBe(0);
    await proxy.restore();
    await waitUntil(() => woken.times > 0, { deadlineMs: recheckDeadlineMs });
    expect(await feed.read(tenant.id, beginning, 10)).toMatchObject({ events: [{ sequence: 1 }] });
  });
});

describe("readers at the same place", () => {
  /** A log whose answers travel slowly, as long as it is told so, and which counts its reads. */
  function createSlowLog() {
    const counts = { reads: 0 };
    let gate = Promise.withResolvers<void>();
    gate.resolve();
    const log: Log = {
      ...testLog.log,
      async read(...question) {
        counts.reads += 1;
        const answer = await testLog.log.read(...question);
        await gate.promise;
        return answer;
      },
    };
    const open = () => gate.resolve();
    return { log, counts, open, close: () => (gate = Promise.withResolvers<void>()) };
  }

  test("share one read of the log", async () => {
    const tenant = await testLog.createTenant();
    await testLog.append(numbers(5).map(() => newEvent(tenant, "1")));
    const { log, counts } = createSlowLog();
    const feed = openFeed(createMemoryFanout(), log);
    const readers = numbers(20).map(() => startReader(feed, tenant, beginning, 100));
    for (const reader of readers) await sawAll(reader, await testLog.readAll(tenant), "shared");
    expect(counts.reads).toBe(1);
  });

  test("do not share a read that began before the news that woke them", async () => {
    const tenant = await testLog.createTenant();
    const fanout = createMemoryFanout();
    const slow = createSlowLog();
    const feed = openFeed(fanout, slow.log);
    const { append } = testLog.openAppender({
      // Too large to carry: readers have to go to the log.
      tell: (runs) => fanout.publish(framesOf(runs).map((frame) => ({ ...frame, events: null }))),
    });
    const early = startReader(feed, tenant, beginning, 100);
    await delay(100);
    slow.close();
    const late = startReader(feed, tenant, beginning, 100);
    // Its answer, that there is nothing, is on its way when the event is appended.
    await waitUntil(() => slow.counts.reads === 2);
    await delay(100);
    await append([newEvent(tenant, "1")]);
    await delay(20);
    slow.open();
    for (const reader of [early, late]) {
      await sawAll(reader, await testLog.readAll(tenant), "woken during a read");
    }
  });
});

test("tails that outgrow their memory give way to the log, and readers miss nothing", async () => {
  const { feed, append } = openProcess(createMemoryFanout());
  const tenants = await Promise.all(numbers(18).map((shard) => testLog.createTenant(shard)));
  const start = (tenant: LogTenant, limit: number) => startReader(feed, tenant, beginning, limit);
  const readers = tenants.map((tenant, index) => start(tenant, index % 2 === 0 ? 1 : 100));
  // Four of them are less than one tail may hold, but those of all tails are too much.
  const data = JSON.stringify("x".repeat(1_000_000));
  await Promise.all(tenants.map((tenant) => append(numbers(4).map(() => newEvent(tenant, data)))));
  const emptied: number[] = [];
  for (const [index, tenant] of tenants.entries()) {
    const log = await testLog.readAll(tenant);
    for (const reader of readers.slice(index, index + 1)) await sawAll(reader, log, "early");
    const answer = feed.read(tenant.id, beginning, 1);
    if (answer instanceof Promise) emptied.push(index);
    await answer;
  }
  expect(emptied.length).toBeGreaterThan(0);
  expect(emptied.length).toBeLessThan(tenants.length);
  const tenant = tenants[emptied[0] ?? 0] as LogTenant;
  await sawAll(start(tenant, 2), await testLog.readAll(tenant), "late");
});

describe("subscriptions", () => {
  function createCountingFanout() {
    const carrier = createMemoryFanout();
    const open: number[] = [];
    const fanout: Fanout = {
      ...carrier,
      subscribe(shard, receive) {
        const unsubscribe = carrier.subscribe(shard, receive);
        open.push(shard);
        return () => {
          open.splice(open.indexOf(shard), 1);
          unsubscribe();
        };
      },
    };
    return { fanout, open };
  }

  test("there is one a shard, as long as somebody wants something of it", async () => {
    const { fanout, open } = createCountingFanout();
    const feed = openFeed(fanout);
    const [first, second] = [await testLog.createTenant(5), await testLog.createTenant(5)];
    const ends = [
      feed.follow(first.id, 5, () => {}),
      feed.follow(first.id, 5, () => {}),
      feed.follow(second.id, 5, () => {}),
      feed.watch(5, () => {}),
      feed.watch(6, () => {}),
    ] as const;
    expect(open).toEqual([5, 6]);
    ends[4]();
    ends[4]();
    for (const end of ends.slice(0, 3)) {
      expect(open).toEqual([5]);
      end();
      end();
    }
    expect(open).toEqual([5]);
    ends[3]();
    expect(open).toEqual([]);
    feed.follow(first.id, 5, () => {});
    expect(open).toEqual([5]);
    await feed.stop();
    expect(open).toEqual([]);
  });

  test("who no longer follows is not woken, and what was remembered is gone", async () => {
    const tenant = await testLog.createTenant();
    const { fanout } = createCountingFanout();
    const { feed, append } = openProcess(fanout);
    const woken = { left: 0, stayed: 0 };
    const leave = feed.follow(tenant.id, tenant.shard, () => (woken.left += 1));
    const end = feed.follow(tenant.id, tenant.shard, () => (woken.stayed += 1));
    await append([newEvent(tenant, "1")]);
    leave();
    await append([newEvent(tenant, "2")]);
    expect(woken).toEqual({ left: 1, stayed: 2 });
    expect(feed.read(tenant.id, beginning, 10)).not.toBeInstanceOf(Promise);
    end();
    const answer = feed.read(tenant.id, beginning, 10);
    expect(answer).toBeInstanceOf(Promise);
    expect(await answer).toMatchObject({ events: [{ sequence: 1 }, { sequence: 2 }] });
  });

  test("a change is told to those who watch its shard", async () => {
    const { fanout } = createCountingFanout();
    const feed = openFeed(fanout);
    const tenant = await testLog.createTenant(7);
    const news: [string, News][] = [];
    const end = feed.watch(7, (of, what) => news.push([of, what]));
    feed.watch(8, () => news.push(["another shard", { kind: "changed", what: "keys" }]));
    const frame = { kind: "changed", shard: 7, what: "endpoints" } as const;
    fanout.publish([
      { ...frame, tenant: tenant.id },
      { ...frame, tenant: null },
    ]);
    expect(news).toEqual([[tenant.id, { kind: "changed", what: "endpoints" }]]);
    end();
    fanout.publish([{ ...frame, tenant: tenant.id }]);
    expect(news).toHaveLength(1);
  });
});
