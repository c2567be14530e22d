/** Appends while connections break: answers are true, and what got none is whole or not there. */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AppendedRun } from "../../src/log/append.ts";
import type { AppendResult } from "../../src/log/new-event.ts";
import { createChance } from "../support/chance.ts";
import { dataOf, newEvent, openTestLog, type TestLog } from "../support/log.ts";
import { startProxy, type Proxy } from "../support/proxy.ts";
import { waitUntil } from "../support/wait.ts";

let testLog: TestLog;
let proxy: Proxy;

beforeAll(async () => {
  testLog = await openTestLog();
  proxy = await startProxy(testLog.url);
});

afterAll(async () => {
  await proxy.stop();
  await testLog.stop();
});

const victim = "victim";
const numbers = (to: number) => Array.from({ length: to }, (_, index) => index + 1);
const kinds = (results: readonly AppendResult[]) => results.map(({ kind }) => kind);

/** Runs `work` while nobody can commit a group: statements come as far as its record and wait. */
async function whileHeldUp<T>(work: () => Promise<T>): Promise<T> {
  const { begin } = testLog.sql;
  const held = begin(async (transaction) => {
    await transaction`set local idle_in_transaction_session_timeout = 0`;
    await transaction`lock table append_groups in exclusive mode`;
    return { result: await work() };
  });
  return (await held).result;
}

/** Resolves when so many statements of this name wait for a lock. */
async function blocked(name: string, statements = 1): Promise<void> {
  await waitUntil(async () => {
    const rows = await testLog.sql`
      select from pg_stat_activity where application_name = ${name} and wait_event_type = 'Lock'`;
    return rows.length >= statements;
  });
}

/**
 * Goal: an answered append is in its log exactly once, a refused one is not, whatever breaks when;
 * and everything is answered. Method: two appenders write to three logs, groups large enough to be
 * hit at any moment, while their backends are terminated or the network to them is cut, again and
 * again at random moments. The seed decides what is written and when something breaks.
 */
test.each([
  { how: "its backend is terminated", breakIt: terminateOne },
  { how: "the network is cut", breakIt: cutShortly },
])("every answer is true and no event is there twice when $how", async ({ breakIt }) => {
  const { below, pick, seed } = createChance();
  const tenants = await Promise.all(numbers(3).map(() => testLog.createTenant()));
  const told: AppendedRun["events"] = [];
  const tell = (runs: AppendedRun[]) => told.push(...runs.flatMap((run) => run.events));
  const answers: { data: string; tenant: string; result: AppendResult | undefined }[] = [];
  let broken = 0;
  let writing = true;
  let unique = 0;

  const writers = numbers(2).map(async () => {
    const { append } = testLog.openAppender({ url: proxy.url, name: victim, tell });
    await Promise.all(
      numbers(4).map(async () => {
        while (writing) {
          const events = numbers(1 + below(pick([3, 300]))).map(() => {
            unique += 1;
            const key = below(4) === 0 ? { key: `key ${unique}`, digest: "same" } : {};
            return newEvent(pick(tenants), String(unique), key);
          });
          const results = await append(events);
          for (const [index, { content, tenant }] of events.entries()) {
            const data = content.replace(',"data":', "");
            answers.push({ data, tenant, result: results[index] });
          }
          // Without a database everything is refused at once: not in a loop that starves others.
          if (results[0]?.kind === "unavailable") await delay(5);
        }
      }),
    );
  });
  // On and on until there is enough: how often something breaks, and what that meets, is chance.
  const startedAt = performance.now();
  const has = (kind: AppendResult["kind"]) => answers.some(({ result }) => result?.kind === kind);
  const isEnough = () => broken > 20 && has("appended") && has("unavailable");
  const goesOnMs = () => (isEnough() ? 3_000 : 20_000);
  while (performance.now() - startedAt < goesOnMs()) {
    await delay(below(40));
    broken += await breakIt();
  }
  writing = false;
  await Promise.race([
    Promise.all(writers),
    failAfter(10_000, `an append was not answered, seed ${seed}`),
  ]);

  const counted = Object.groupBy(answers, ({ result }) => result?.kind ?? "failed");
  expect(broken, `seed ${seed}`).toBeGreaterThan(20);
  expect(Object.keys(counted).toSorted(), `seed ${seed}`).toEqual(["appended", "unavailable"]);
  const stored = await Promise.all(tenants.map((tenant) => testLog.readAll(tenant)));
  const expected = tenants.map(({ id }) =>
    (counted.appended ?? [])
      .flatMap(({ tenant, data, result }) =>
        tenant === id && result?.kind === "appended" ? [[result.sequence, Number(data)]] : [],
      )
      .toSorted(([a = 0], [b = 0]) => a - b),
  );
  const found = stored.map((events) => events.map((event) => [event.sequence, dataOf(event)]));
  expect(found, `seed ${seed}`).toEqual(expected);
  const envelopes = (events: AppendedRun["events"]) =>
    events.map(({ envelope }) => envelope).toSorted();
  expect(envelopes(told), `seed ${seed}`).toEqual(envelopes(stored.flat()));
});

async function terminateOne(): Promise<number> {
  const gone = await testLog.sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = ${victim} and datname = current_database() order by random() limit 1`;
  return gone.length;
}

async function cutShortly(): Promise<number> {
  await proxy.cut();
  await delay(5);
  await proxy.restore();
  return 1;
}

async function failAfter(ms: number, message: string): Promise<never> {
  await delay(ms, undefined, { ref: false });
  throw new Error(message);
}

test("without a database appends are refused at once, and taken as soon as it is back", async () => {
  const [tenant, other] = [await testLog.createTenant(), await testLog.createTenant()];
  const { append, drain } = testLog.openAppender({ url: proxy.url });
  await append([newEvent(tenant, "1")]);
  await proxy.cut();
  // May be sent before the loss is noticed, and then has to wait until it can be looked up.
  const first = append([newEvent(tenant, "2")]);
  await delay(10);
  for (const of of [other, tenant, other]) {
    const startedAt = performance.now();
    expect(kinds(await append([newEvent(of, "3")]))).toEqual(["unavailable"]);
    expect(performance.now() - startedAt).toBeLessThan(1_500);
  }
  await proxy.restore();
  expect(kinds(await first)).toEqual(["unavailable"]);
  await waitUntil(async () => (await append([newEvent(tenant, "4")]))[0]?.kind === "appended");
  await drain();
  expect((await testLog.readAll(tenant)).map(dataOf)).toEqual([1, 4]);
});

test("a group that was not committed when its connection broke never will be", async () => {
  const tenant = await testLog.createTenant();
  const name = "not committed";
  const { append } = testLog.openAppender({ url: proxy.url, name });
  const [answer] = await whileHeldUp(async () => {
    const answer = append([newEvent(tenant, "1"), newEvent(tenant, "2")]);
    await blocked(name);
    // The server does not notice: its statement goes on when it can.
    await proxy.cut();
    await testLog.sql`
      select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${name}`;
    await proxy.restore();
    return [answer] as const;
  });
  expect(kinds(await answer)).toEqual(["unavailable", "unavailable"]);
  expect(await append([newEvent(tenant, "3")])).toMatchObject([{ kind: "appended", sequence: 1 }]);
  expect((await testLog.readAll(tenant)).map(dataOf)).toEqual([3]);
});

test("what is behind a group that was not committed is not appended before it comes again", async () => {
  const tenant = await testLog.createTenant();
  const name = "in two groups";
  const { append } = testLog.openAppender({ url: proxy.url, name });
  const events = numbers(1_500).map((count) => newEvent(tenant, String(count)));
  const [answer, next] = await whileHeldUp(async () => {
    const answer = append(events);
    await blocked(name);
    const next = append([newEvent(tenant, "0")]);
    await proxy.cut();
    await testLog.sql`
      select pg_terminate_backend(pid) from pg_stat_activity where application_name = ${name}`;
    await proxy.restore();
    return [answer, next] as const;
  });
  // Of the events of one request some are there and some are not: never the later ones alone.
  expect(new Set(kinds(await answer))).toEqual(new Set(["unavailable"]));
  await next;
  expect(new Set(kinds(await append(events)))).toEqual(new Set(["appended"]));
  const stored = (await testLog.readAll(tenant)).map(dataOf);
  expect(stored.filter((count) => count !== 0)).toEqual(numbers(1_500));
});

test("of a statement that still runs and its look-up one wins, as the answer says", async () => {
  const tenant = await testLog.createTenant();
  const name = "undecided";
  const { append } = testLog.openAppender({ url: proxy.url, name });
  let last = 0;
  for (const round of numbers(5)) {
    const [answer] = await whileHeldUp(async () => {
      const answer = append([newEvent(tenant, String(round))]);
      await blocked(name);
      await proxy.cut();
      await proxy.restore();
      await blocked(name, 2);
      return [answer] as const;
    });
    const [result] = await answer;
    if (result?.kind === "appended") {
      last += 1;
      expect(result.sequence).toBe(last);
    } else {
      expect(result).toEqual({ kind: "unavailable" });
    }
    expect(await testLog.readAll(tenant)).toHaveLength(last);
  }
});

/**
 * Goal: what was committed is answered as if nothing had happened. Method: the answer is lost on
 * its way, for a group that has something of everything, out of many tenants.
 */
test("a group that was committed is answered in full when its answer was lost", async () => {
  const tenants = await Promise.all(numbers(40).map(() => testLog.createTenant()));
  const told: AppendedRun[] = [];
  const name = "committed";
  const { append } = testLog.openAppender({
    url: proxy.url,
    name,
    tell: (runs) => told.push(...runs),
  });
  const keyed = (key: string, digest: string) =>
    tenants.map((tenant) => newEvent(tenant, JSON.stringify(digest), { key, digest }));
  const plain = tenants.map((tenant) => newEvent(tenant, "0"));
  await append([...keyed("old", "x"), ...plain, ...plain]);
  const events = [
    ...keyed("new", "x"),
    ...keyed("old", "x"),
    ...plain,
    ...keyed("new", "x"),
    ...keyed("old", "y"),
    ...keyed("new", "z"),
    ...plain,
  ];
  const [answer] = await whileHeldUp(async () => {
    const answer = append(events);
    await blocked(name);
    proxy.silence();
    return [answer] as const;
  });
  await waitUntil(async () => (await testLog.log.head(tenants[0]?.id as never)).sequence === 6);
  await proxy.cut();
  await proxy.restore();

  const results = await answer;
  const parts = ["appended", "duplicate", "appended", "duplicate", "conflict", "conflict"] as const;
  expect(kinds(results)).toEqual(
    [...parts, "appended" as const].flatMap((kind) => tenants.map(() => kind)),
  );
  expect(results.slice(120, 160)).toEqual(
    results.slice(0, 40).map((result) => ({ ...result, kind: "duplicate" })),
  );
  for (const [index, tenant] of tenants.entries()) {
    const stored = await testLog.readAll(tenant);
    const appended = results.flatMap((result, position) =>
      position % 40 === index && result.kind === "appended" ? [result.sequence] : [],
    );
    expect(appended).toEqual([4, 5, 6]);
    expect(stored.map(dataOf)).toEqual(["x", 0, 0, "x", 0, 0]);
    const runs = told.filter((run) => run.tenant === tenant.id);
    expect(runs.flatMap((run) => run.events)).toEqual(stored);
  }
});

test("a network that is silent for a while costs time, and no event", async () => {
  const tenant = await testLog.createTenant();
  const { append } = testLog.openAppender({ url: proxy.url });
  await append([newEvent(tenant, "1")]);
  proxy.silence();
  const answers = numbers(3).map((count) => append([newEvent(tenant, String(count + 1))]));
  await delay(200);
  await proxy.restore();
  expect(kinds((await Promise.all(answers)).flat())).toEqual(numbers(3).map(() => "appended"));
  expect((await testLog.readAll(tenant)).map(dataOf)).toEqual(numbers(4));
});
