import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { AppendedRun } from "../../src/log/append.ts";
import { eventId, tenantPrefix, type TenantId } from "../../src/log/event.ts";
import type { AppendResult } from "../../src/log/new-event.ts";
import { createChance } from "../support/chance.ts";
import { dataOf, newEvent, openTestLog, type LogTenant, type TestLog } from "../support/log.ts";

let testLog: TestLog;

beforeAll(async () => {
  testLog = await openTestLog();
});

afterEach(() => testLog.closeOthers());

afterAll(() => testLog.stop());

const numbers = (to: number) => Array.from({ length: to }, (_, index) => index + 1);
const kinds = (results: readonly AppendResult[]) => results.map(({ kind }) => kind);

/** Runs `work` while another session holds the locks of these logs. */
async function whileLocked<T>(
  tenants: readonly LogTenant[],
  work: () => Promise<T>,
): Promise<Awaited<T>> {
  const ids = `{${tenants.map(({ id }) => id).join(",")}}`;
  return testLog.sql.begin(async (transaction) => {
    await transaction`set local idle_in_transaction_session_timeout = 0`;
    await transaction`select from heads where tenant = any(${ids}::uuid[]) for update`;
    return work();
  }) as Promise<Awaited<T>>;
}

describe("order", () => {
  /**
   * Goal: sequences without holes, in commit order, whatever runs at the same time. Method: four
   * appenders with connections of their own write to three logs in groups of random size, each
   * counting what it writes to each log, while a further session locks random logs for a moment
   * and a reader for each log polls it. The seed decides the sizes and the locks.
   */
  test("append hands out sequences without holes under concurrent writers", async () => {
    const { below, pick, seed } = createChance();
    const tenants = await Promise.all(numbers(3).map(() => testLog.createTenant()));
    const told = new Map<TenantId, AppendedRun["events"]>();
    const tell = (runs: AppendedRun[]) => {
      for (const run of runs)
        told.set(run.tenant, [...(told.get(run.tenant) ?? []), ...run.events]);
    };
    let writing = true;
    const readers = tenants.map((tenant) => pollUntilWritten(tenant));
    const locking = lockNowAndThen();
    const written = await Promise.all(numbers(4).map((writer) => write(writer)));
    writing = false;
    await locking;

    for (const [index, { id }] of tenants.entries()) {
      const events = (await readers[index]) ?? [];
      const sent = written.flat().filter((data) => data.tenant === id);
      expect(
        events.map((event) => event.sequence),
        `seed ${seed}`,
      ).toEqual(numbers(sent.length));
      expect((told.get(id) ?? []).toSorted((a, b) => a.sequence - b.sequence)).toEqual(events);
      const stored = events.map((event) => dataOf(event) as Data);
      for (const writer of numbers(4)) {
        const counted = stored.filter((data) => data.writer === writer).map(({ count }) => count);
        expect(counted, `order of writer ${writer}, seed ${seed}`).toEqual(numbers(counted.length));
      }
    }

    type Data = { tenant: string; writer: number; count: number };

    async function write(writer: number) {
      const { append } = testLog.openAppender({ tell });
      const sent: Data[] = [];
      const counts = new Map<string, number>();
      const answers: Promise<unknown>[] = [];
      const end = performance.now() + 1_500;
      while (performance.now() < end) {
        const events = numbers(1 + below(below(10) === 0 ? 400 : 10)).map(() => {
          const tenant = pick(tenants);
          const count = (counts.get(tenant.id) ?? 0) + 1;
          counts.set(tenant.id, count);
          const data = { tenant: tenant.id, writer, count };
          sent.push(data);
          return newEvent(tenant, JSON.stringify(data));
        });
        // Not awaited in turn: later appends must not overtake those that wait for a lock.
        answers.push(
          append(events).then((results) =>
            expect(new Set(kinds(results))).toEqual(new Set(["appended"])),
          ),
        );
        if (answers.length % 10 === 0) await Promise.all(answers.slice(-10));
        await delay(below(5));
      }
      await Promise.all(answers);
      return sent;
    }

    async function lockNowAndThen() {
      while (writing) {
        await whileLocked([pick(tenants)], () => delay(below(40)));
        await delay(below(40));
      }
    }

    async function pollUntilWritten({ id }: LogTenant) {
      const events: AppendedRun["events"] = [];
      for (;;) {
        const last = !writing;
        const page = await testLog.log.read(
          id,
          events.at(-1) ?? { sequence: 0, day: "1970-01-01" },
          300,
        );
        if (page.kind !== "events") throw new Error(`a reader of 1 … n was told ${page.kind}`);
        for (const event of page.events) {
          if (event.sequence !== events.length + 1)
            throw new Error(`a hole before ${event.sequence}`);
          events.push(event);
        }
        if (last && page.atHead) return events;
      }
    }
  });

  test("a log that is locked holds up no other, and keeps its order", async () => {
    const [locked, free] = [await testLog.createTenant(), await testLog.createTenant()];
    const { append } = testLog.openAppender();
    const waiting: Promise<AppendResult[]>[] = [];
    await whileLocked([locked], async () => {
      for (const count of numbers(20)) {
        waiting.push(
          append([newEvent(locked, `${3 * count - 2}`), newEvent(locked, `${3 * count - 1}`)]),
        );
        const mixed = append([
          newEvent(free, `${2 * count - 1}`),
          newEvent(locked, `${3 * count}`),
        ]);
        waiting.push(mixed);
        expect(kinds(await append([newEvent(free, `${2 * count}`)]))).toEqual(["appended"]);
      }
    });
    await Promise.all(waiting);
    expect((await testLog.readAll(free)).map(dataOf)).toEqual(numbers(40));
    expect((await testLog.readAll(locked)).map(dataOf)).toEqual(numbers(60));
  });

  test("many locked logs hold up the others no more than one", async () => {
    const locked = await Promise.all(numbers(10).map(() => testLog.createTenant()));
    const free = await testLog.createTenant();
    const { append } = testLog.openAppender();
    const waiting = await whileLocked(locked, async () => {
      const answers = locked.map((tenant) => append([newEvent(tenant, "1")]));
      const startedAt = performance.now();
      for (const _ of numbers(10)) await append([newEvent(free, "1")]);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
      return { answers };
    });
    expect(kinds((await Promise.all(waiting.answers)).flat())).toEqual(
      locked.map(() => "appended"),
    );
  });

  test("a log that is locked for a moment does not wait for one that is locked for long", async () => {
    const [long, short] = [await testLog.createTenant(), await testLog.createTenant()];
    const { append } = testLog.openAppender();
    const answer = await whileLocked([long], async () => {
      const held = append([newEvent(long, "1")]);
      for (const count of numbers(20)) {
        const [answer] = await whileLocked([short], async () => {
          const appended = append([newEvent(short, `${count}`)]);
          await delay(5);
          return [appended] as const;
        });
        const late = delay(2_000, "too late", { ref: false });
        expect(await Promise.race([answer, late])).toMatchObject([{ kind: "appended" }]);
      }
      return [held] as const;
    });
    expect(kinds(await answer[0])).toEqual(["appended"]);
  });

  test("a log that stays locked refuses after a few seconds, and goes on later", async () => {
    const tenant = await testLog.createTenant();
    const { append, drain } = testLog.openAppender();
    const refused = await whileLocked([tenant], () => append([newEvent(tenant, "1")]));
    expect(kinds(refused)).toEqual(["unavailable"]);
    expect(await append([newEvent(tenant, "2")])).toMatchObject([
      { kind: "appended", sequence: 1 },
    ]);
    await drain();
  });

  test("draining waits for what was taken", async () => {
    const tenant = await testLog.createTenant();
    const { append, drain } = testLog.openAppender();
    let answered = 0;
    const count = () => (answered += 1);
    await whileLocked([tenant], async () => {
      void append([newEvent(tenant, "1")]).then(count);
      await delay(50);
      void append([newEvent(tenant, "2")]).then(count);
      expect(answered).toBe(0);
    });
    await drain();
    expect(answered).toBe(2);
  });
});

describe("what the database refuses", () => {
  test("a poisonous event spoils only itself", async () => {
    const tenants = [await testLog.createTenant(), await testLog.createTenant()];
    const { append } = testLog.openAppender();
    // What no database takes, and what would take a column apart at the wrong place.
    const poisons = [
      { type: "a\0b" },
      { middle: '"a":"\u001f",' },
      { content: ',"data":"\u001f"' },
    ];
    const events = numbers(40).flatMap((count) =>
      tenants.map((tenant) =>
        newEvent(tenant, `${count}`, count % 13 === 0 ? poisons[count / 13 - 1] : {}),
      ),
    );
    const results = await append(events);
    expect(kinds(results)).toEqual(
      numbers(40).flatMap((count) =>
        tenants.map(() => (count % 13 === 0 ? "refused" : "appended")),
      ),
    );
    for (const tenant of tenants) {
      const stored = await testLog.readAll(tenant);
      expect(stored.map(({ sequence }) => sequence)).toEqual(numbers(37));
      expect(stored.map(dataOf)).toEqual(numbers(40).filter((count) => count % 13 !== 0));
    }
  });

  test("poisoned groups whose logs are locked hold up no other, and keep their order", async () => {
    const locked = await Promise.all(numbers(5).map(() => testLog.createTenant()));
    const free = await testLog.createTenant();
    const { append } = testLog.openAppender();
    const waiting = await whileLocked(locked, async () => {
      const answers: Promise<AppendResult[]>[] = [];
      for (const tenant of locked) {
        const poison = newEvent(tenant, "2", { type: "a\0b" });
        answers.push(append([newEvent(tenant, "1"), poison, newEvent(tenant, "3")]));
        // In the same group, whose other tenants must not wait for this one.
        const startedAt = performance.now();
        expect(kinds(await append([newEvent(free, "1")]))).toEqual(["appended"]);
        expect(performance.now() - startedAt).toBeLessThan(2_000);
        answers.push(append([newEvent(tenant, "4")]));
      }
      return { answers };
    });
    const results = (await Promise.all(waiting.answers)).map(kinds);
    expect(results).toEqual(
      locked.flatMap(() => [["appended", "refused", "appended"], ["appended"]]),
    );
    for (const tenant of locked) {
      expect((await testLog.readAll(tenant)).map(dataOf)).toEqual([1, 3, 4]);
    }
  });

  test("a tenant without a log is told so, and the others of its group get theirs", async () => {
    const tenant = await testLog.createTenant();
    const { append } = testLog.openAppender();
    const unknown = { id: crypto.randomUUID() as TenantId, shard: 0 };
    const results = await append([unknown, tenant, unknown].map((of) => newEvent(of, "1")));
    expect(kinds(results)).toEqual(["gone", "appended", "gone"]);
  });
});

describe("keys", () => {
  const keyed = (tenant: LogTenant, key: string, digest: string) =>
    newEvent(tenant, JSON.stringify(digest), { key, digest });

  test("a key in one group appends once, and other content under it is a conflict", async () => {
    const tenant = await testLog.createTenant();
    const { append } = testLog.openAppender();
    const plan = [
      ["k", "x"],
      ["k", "x"],
      ["l", "x"],
      ["k", "y"],
      ["l", "x"],
    ] as const;
    const results = await append(plan.map(([key, digest]) => keyed(tenant, key, digest)));
    expect(kinds(results)).toEqual(["appended", "duplicate", "appended", "conflict", "duplicate"]);
    expect(results[1]).toEqual({ ...results[0], kind: "duplicate" });
    expect(results[4]).toEqual({ ...results[2], kind: "duplicate", sequence: 2 });
    const stored = await testLog.readAll(tenant);
    expect(results[0]).toMatchObject({ sequence: 1, id: stored[0] && eventId(stored[0]) });
    expect(stored).toHaveLength(2);
  });

  test("a key is remembered in later groups, for its own tenant", async () => {
    const [tenant, other] = [await testLog.createTenant(), await testLog.createTenant()];
    const [first, second] = [testLog.openAppender(), testLog.openAppender()];
    const [original] = await first.append([keyed(tenant, "k", "x")]);
    const results = await second.append([
      keyed(tenant, "k", "y"),
      keyed(other, "k", "y"),
      newEvent(tenant, "1"),
      keyed(tenant, "k", "x"),
      keyed(tenant, "k", "x"),
    ]);
    const answers = ["conflict", "appended", "appended", "duplicate", "duplicate"];
    expect(kinds(results)).toEqual(answers);
    expect(results[3]).toEqual({ ...original, kind: "duplicate" });
    expect(results[2]).toMatchObject({ sequence: 2 });
  });

  test("of the same keys from two processes at once each appends one event", async () => {
    const tenant = await testLog.createTenant();
    const appenders = [testLog.openAppender(), testLog.openAppender()];
    for (const round of numbers(10)) {
      const answers = await Promise.all(
        appenders.map(({ append }) =>
          append(numbers(20).map((count) => keyed(tenant, `${round} ${count}`, "x"))),
        ),
      );
      for (const index of numbers(20).keys()) {
        const pair = answers.flatMap((results) => results[index] ?? []);
        expect(kinds(pair).toSorted()).toEqual(["appended", "duplicate"]);
        expect(new Set(pair.map((result) => "id" in result && result.id)).size).toBe(1);
      }
    }
    expect(await testLog.readAll(tenant)).toHaveLength(200);
  });

  test("a key is known through the day after its own, then forgotten", async () => {
    const tenant = await testLog.createTenant();
    const { append } = testLog.openAppender();
    const { sql } = testLog;
    await append([keyed(tenant, "k", "x")]);
    await sql`update append_keys set day = day - 1 where tenant = ${tenant.id}`;
    expect(kinds(await append([keyed(tenant, "k", "x")]))).toEqual(["duplicate"]);
    await sql`select create_partitions(day - 1, day) from append_keys where tenant = ${tenant.id}`;
    await sql`update append_keys set day = day - 1 where tenant = ${tenant.id}`;
    expect(kinds(await append([keyed(tenant, "k", "x")]))).toEqual(["appended"]);
    expect(kinds(await append([keyed(tenant, "k", "x")]))).toEqual(["duplicate"]);
  });
});

describe("days", () => {
  test("a missing partition is made, also when several processes find that at once", async () => {
    await using fresh = await openTestLog();
    const { sql } = fresh;
    const tenants = await Promise.all(numbers(6).map(() => fresh.createTenant()));
    const appenders = tenants.map(() => fresh.openAppender());
    for (const round of numbers(3)) {
      const partitions = await sql<{ name: string }[]>`
        select inhrelid::regclass::text as name from pg_inherits
        where inhparent in ('events'::regclass, 'append_keys'::regclass)`;
      await sql.unsafe(`drop table ${partitions.map(({ name }) => name).join(", ")}`);
      const results = await Promise.all(
        appenders.map(({ append }, index) =>
          append(tenants.slice(index, index + 1).map((tenant) => newEvent(tenant, "1"))),
        ),
      );
      const appended = { kind: "appended", sequence: round };
      expect(results).toMatchObject(tenants.map(() => [appended]));
    }
  });

  test("a day and an append time never decrease, also when the clock steps back", async () => {
    const tenant = await testLog.createTenant();
    const { append } = testLog.openAppender();
    await append([newEvent(tenant, "1")]);
    // As if the clock had been two days ahead.
    const { sql } = testLog;
    await sql`update events set day = day + 2, appended_at = appended_at + interval '2 days'
      where tenant = ${tenant.id}`;
    await sql`update log_days set day = day + 2 where tenant = ${tenant.id}`;
    await sql`update heads set day = day + 2, at = at + interval '2 days'
      where tenant = ${tenant.id}`;
    await append([newEvent(tenant, "2"), newEvent(tenant, "3")]);
    const [first, ...others] = await testLog.readAll(tenant);
    const time = new Date(first?.appendedAt ?? 0).toISOString();
    expect(others.map(dataOf)).toEqual([2, 3]);
    for (const event of others) {
      expect(event).toMatchObject({ day: first?.day, appendedAt: first?.appendedAt });
      expect(event.envelope).toContain(`"time":"${time}"`);
      expect(eventId(event)).toContain(`evt_${time.slice(0, 10)}_`);
    }
  });
});

test("an envelope consists of the given pieces around what the append decides", async () => {
  const tenant = await testLog.createTenant();
  const { append } = testLog.openAppender();
  const pieces = {
    type: "order.päid",
    subject: 'say "\\',
    start: '"source":"/a","type":"order.päid",',
    middle: '"subject":"say \\"\\\\","tenant":"acme",',
  };
  const time = "2024-02-29T23:59:60.5+01:00";
  const results = await append([
    newEvent(tenant, '{"n":1.0,"big":12345678901234567890,"e":1e21}', { ...pieces, time }),
    newEvent(tenant, "null", pieces),
  ]);
  const [first, second] = await testLog.readAll(tenant);
  const id = (index: number) => (results[index] as { id: string }).id;
  expect(first?.envelope).toBe(
    `{"specversion":"1.0","id":"${id(0)}","source":"/a","type":"order.päid","time":"${time}",` +
      '"subject":"say \\"\\\\","tenant":"acme","sequence":"00000000000000000001",' +
      '"data":{"n":1.0,"big":12345678901234567890,"e":1e21}}',
  );
  const appendedAt = new Date(second?.appendedAt ?? 0).toISOString();
  expect(second?.envelope).toBe(
    `{"specversion":"1.0","id":"${id(1)}","source":"/a","type":"order.päid",` +
      `"time":"${appendedAt}","subject":"say \\"\\\\","tenant":"acme",` +
      '"sequence":"00000000000000000002","data":null}',
  );
  expect(first).toMatchObject({ type: "order.päid", subject: 'say "\\', sequence: 1 });
  expect(id(1)).toMatch(new RegExp(`^evt_${second?.day}_${tenantPrefix(tenant.id)}2[0-9a-f]{8}$`));
});

test("who floods a log that cannot be written is refused, and nobody else", async () => {
  const [locked, other] = [await testLog.createTenant(), await testLog.createTenant()];
  const { append } = testLog.openAppender();
  const thousand = (first: number) =>
    numbers(1_000).map((count) => newEvent(locked, `${first + count}`));
  const waiting: Promise<AppendResult[]>[] = [];
  await whileLocked([locked], async () => {
    for (let first = 0; first < 30_000; first += 1_000) {
      waiting.push(append(thousand(first)));
      await delay(1);
    }
    expect(kinds(await append([newEvent(other, "1")]))).toEqual(["appended"]);
    const refused = await Promise.race([waiting.at(-1), delay(1_000)]);
    expect(new Set(kinds(refused ?? []))).toEqual(new Set(["unavailable"]));
  });
  const results = (await Promise.all(waiting)).flat();
  const taken = results.flatMap(({ kind }, index) => (kind === "appended" ? [index + 1] : []));
  expect(taken.length).toBeGreaterThanOrEqual(20_000);
  expect(taken.length).toBeLessThanOrEqual(21_000);
  expect((await testLog.readAll(locked)).map(dataOf)).toEqual(taken);
});
