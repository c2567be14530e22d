import fc from "fast-check";
import { expect, test } from "vitest";
import { backoffMs } from "../../src/fanout/keeper.ts";
import { createListening, heartbeatMs, type Signals } from "../../src/fanout/listening.ts";

type Opened = { shard: number; after: number | undefined; signals: Signals; closed: boolean };

/** A broker that records what is opened, and a clock that stands until it is moved. */
function createBench() {
  const opened: Opened[] = [];
  const bench = { opened, now: 1_000, refuses: false, live, advance };
  const listening = createListening(
    async (shard, after, signals) => {
      if (bench.refuses) throw new Error("refused");
      const record: Opened = { shard, after, signals, closed: false };
      opened.push(record);
      return { close: () => void (record.closed = true) };
    },
    () => bench.now,
  );
  return { ...bench, bench, listening };

  function live(): number[] {
    return opened.filter(({ closed }) => !closed).map(({ shard }) => shard);
  }

  /** Lets time pass as it does: tended every second, open channels heard of. */
  async function advance(ms: number): Promise<void> {
    for (const end = bench.now + ms; bench.now < end;) {
      bench.now += 1_000;
      for (const { signals } of opened.filter(({ closed }) => !closed)) signals.heard();
      await listening.tend();
    }
  }
}

test("one channel is opened for all who want a shard", async () => {
  const { listening, live } = createBench();
  listening.want(1);
  listening.want(1);
  listening.want(2);
  expect(await listening.tend()).toEqual([]);
  expect(await listening.tend()).toEqual([]);
  expect(live()).toEqual([1, 2]);
});

test("a shard nobody wants is kept for a while, then closed", async () => {
  const { listening, live, opened, advance } = createBench();
  const release = listening.want(1);
  await listening.tend();
  release();
  release();
  expect(listening.wants(1)).toBe(false);
  await advance(20_000);
  expect(live()).toEqual([1]);
  listening.want(1)();
  await advance(20_000);
  expect(live()).toEqual([1]);
  await advance(20_000);
  expect(live()).toEqual([]);
  listening.want(1);
  await listening.tend();
  expect(live()).toEqual([1]);
  expect(opened).toHaveLength(2);
});

test("a silent channel is opened again where it was, after a back-off", async () => {
  const { listening, opened, bench } = createBench();
  listening.want(1);
  await listening.tend();
  opened[0]?.signals.heard(41);
  opened[0]?.signals.heard(40);
  bench.now += 2 * heartbeatMs;
  expect(await listening.tend()).toEqual([]);
  bench.now += heartbeatMs;
  expect(await listening.tend()).toHaveLength(1);
  expect(opened).toMatchObject([{ closed: true }]);
  bench.now += 1_000;
  await listening.tend();
  expect(opened).toMatchObject([{ closed: true }, { closed: false, after: 41 }]);
});

test("after a long interruption, or on another stream, a channel starts with what is new", async () => {
  const { listening, opened, bench } = createBench();
  listening.want(1);
  await listening.tend();
  opened[0]?.signals.heard(41);
  listening.reset("same");
  bench.now += 29_000;
  await listening.tend();
  listening.reset("same");
  bench.now += 31_000;
  await listening.tend();
  opened[2]?.signals.heard(50);
  listening.reset("new");
  await listening.tend();
  expect(opened.map(({ after }) => after)).toEqual([undefined, 41, undefined, undefined]);
});

test("a lost channel is opened again, and its late signals are ignored", async () => {
  const { listening, opened, bench, live } = createBench();
  listening.want(1);
  await listening.tend();
  opened[0]?.signals.lost(new Error("lost"));
  expect(live()).toEqual([]);
  bench.now += 1_000;
  expect(await listening.tend()).toMatchObject([{ message: "lost" }]);
  opened[0]?.signals.lost(new Error("lost"));
  opened[0]?.signals.heard(99);
  expect(live()).toEqual([1]);
  listening.reset("same");
  await listening.tend();
  expect(opened.at(-1)?.after).toBeUndefined();
});

test("a refused shard is reported and tried less and less often", async () => {
  const { listening, bench } = createBench();
  bench.refuses = true;
  listening.want(1);
  let attempts = 0;
  for (let second = 0; second < 300; second += 1) {
    bench.now += 1_000;
    attempts += (await listening.tend()).length;
  }
  expect(attempts).toBeGreaterThan(50);
  expect(attempts).toBeLessThan(200);
  bench.refuses = false;
  bench.now += 5_000;
  expect(await listening.tend()).toEqual([]);
});

test("a channel that was reset while it was being opened is closed", async () => {
  const opening = Promise.withResolvers<void>();
  let closed = 0;
  const listening = createListening(async () => {
    await opening.promise;
    return { close: () => void (closed += 1) };
  });
  listening.want(1);
  const tending = listening.tend();
  listening.reset("same");
  opening.resolve();
  await tending;
  expect(closed).toBe(1);
});

test("the back-off grows to a bound and is spread by chance", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2_000 }), fc.double({ min: 0, max: 1 }), (n, chance) => {
      const ms = backoffMs(n, Number.isNaN(chance) ? 0 : chance);
      expect(ms).toBeGreaterThanOrEqual(250);
      expect(ms).toBeLessThanOrEqual(Math.min(5_000, 250 * 2 ** n));
    }),
  );
});

test("it is deaf while a shard that is wanted is refused again and again", async () => {
  const { bench, listening, advance } = createBench();
  bench.refuses = true;
  const release = listening.want(1);
  await listening.tend();
  expect(listening.isDeaf()).toBe(false);
  await advance(30_000);
  expect(listening.isDeaf()).toBe(true);
  release();
  expect(listening.isDeaf()).toBe(false);
  listening.want(1);
  bench.refuses = false;
  await advance(10_000);
  expect(listening.isDeaf()).toBe(false);
});
