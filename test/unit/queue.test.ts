import { expect, test } from "vitest";
import type { TenantId } from "../../src/log/event.ts";
import { createQueue, type Group, type Line } from "../../src/log/queue.ts";
import { newEvent } from "../support/log.ts";

type Queue = ReturnType<typeof createQueue>;

const answered = { kind: "unavailable" } as const;
const kilobyte = "x".repeat(1_000);
const megabyte = "x".repeat(1 << 20);

function events(tenant: string, count: number, data = "1") {
  const event = newEvent({ id: tenant as TenantId, shard: 0 }, data);
  return Array.from({ length: count }, () => event);
}

/** The next group, as if it were committed at once. */
function take(queue: Queue, line: Line = "heavy"): Group {
  const group = queue.take(line) ?? [];
  for (const tenant of new Set(group.map((entry) => entry.event.tenant))) queue.release(tenant);
  return group;
}

/** How many events of each tenant. */
function counts(group: Group) {
  return Object.fromEntries(
    [...Map.groupBy(group, (entry) => entry.event.tenant)].map(([tenant, entries]) => [
      tenant,
      entries.length,
    ]),
  );
}

/** True when the events were taken; what is not is answered at once. */
async function isTaken(answer: Promise<unknown>): Promise<boolean> {
  const open = Symbol("open");
  return (await Promise.race([answer, Promise.resolve(open)])) === open;
}

test("answers come in the order of the events, whatever order they are given in", async () => {
  const queue = createQueue();
  const answer = queue.offer(events("a", 3));
  const group = take(queue, "light");
  for (const entry of group.toReversed()) {
    queue.answer(entry, entry.index === 1 ? { kind: "gone" } : answered);
  }
  expect(await answer).toEqual([answered, { kind: "gone" }, answered]);
  expect(await queue.offer([])).toEqual([]);
  expect(queue.take("light")).toBeUndefined();
});

test("a group is shared evenly, and what one tenant leaves goes to the others", () => {
  const queue = createQueue();
  for (const [tenant, count] of [
    ["a", 2_000],
    ["b", 2_000],
    ["c", 100],
  ] as const) {
    void queue.offer(events(tenant, count));
  }
  expect(counts(take(queue))).toEqual({ a: 450, b: 450, c: 100 });
});

test("large events of one tenant leave room for the events of others", () => {
  const queue = createQueue();
  void queue.offer(events("small", 60, kilobyte));
  void queue.offer(events("large", 30, megabyte));
  void queue.offer(events("other", 300, megabyte.slice(0, 1 << 18)));
  expect(counts(take(queue))).toEqual({ small: 60, large: 1 });
  expect(counts(take(queue))).toEqual({ other: 2, large: 1 });
});

test("a tenant that floods is one group ahead at most of another that does", () => {
  const queue = createQueue();
  void queue.offer(events("flood", 30, megabyte));
  take(queue);
  void queue.offer(events("late", 100));
  expect(counts(take(queue))).toEqual({ flood: 1 });
  expect(counts(take(queue))).toEqual({ flood: 1, late: 100 });
});

test("a tenant that has little waits in no line with those that flood", () => {
  const queue = createQueue();
  void queue.offer([
    ...events("flood", 3_000),
    ...events("little", 1),
    ...events("large", 1, megabyte),
  ]);
  expect(counts(queue.take("heavy") ?? [])).toEqual({ flood: 500, large: 1 });
  expect(counts(queue.take("light") ?? [])).toEqual({ little: 1 });
});

test("a tenant changes lines with what it has waiting, and keeps its events in order", () => {
  const queue = createQueue();
  void queue.offer(events("a", 50));
  expect(queue.hasMore("heavy")).toBe(false);
  void queue.offer(events("a", 1_000));
  expect(queue.hasMore("light")).toBe(false);
  expect(
    take(queue)
      .map(({ index }) => index)
      .slice(0, 51),
  ).toEqual([...Array(50).keys(), 0]);
  expect(counts(take(queue, "light"))).toEqual({ a: 50 });
});

test("what a tenant appends while a group of it is under way stays until that is over", () => {
  const queue = createQueue();
  void queue.offer(events("a", 1));
  expect(queue.take("light")).toHaveLength(1);
  void queue.offer(events("a", 60));
  expect([queue.hasMore("light"), queue.hasMore("heavy")]).toEqual([false, false]);
  queue.release("a" as TenantId);
  expect(queue.take("heavy")).toHaveLength(60);
});

test("of more tenants than a group holds, each gets its turn", () => {
  const queue = createQueue();
  for (let tenant = 0; tenant < 2_500; tenant += 1) void queue.offer(events(String(tenant), 50));
  const served = new Set<string>();
  for (let turn = 0; turn < 3; turn += 1) {
    for (const tenant of Object.keys(counts(take(queue, "light")))) served.add(tenant);
  }
  expect(served.size).toBe(2_500);
});

test("the events of a held tenant stay until it is released as often as it was held", () => {
  const queue = createQueue();
  void queue.offer([...events("a", 2), ...events("b", 2)]);
  queue.hold("a" as TenantId);
  queue.hold("a" as TenantId);
  expect(counts(take(queue, "light"))).toEqual({ b: 2 });
  void queue.offer(events("a", 1));
  queue.release("a" as TenantId);
  expect(take(queue, "light")).toEqual([]);
  queue.release("a" as TenantId);
  expect(counts(take(queue, "light"))).toEqual({ a: 3 });
});

test("a tenant that may wait no longer is refused at once and whole, others are not", async () => {
  const queue = createQueue();
  expect(await isTaken(queue.offer(events("a", 19_500)))).toBe(true);
  expect(await queue.offer(events("a", 501))).toEqual(Array.from({ length: 501 }, () => answered));
  expect(await isTaken(queue.offer(events("a", 500)))).toBe(true);
  expect(await isTaken(queue.offer(events("a", 1)))).toBe(false);
  expect(await isTaken(queue.offer(events("b", 1)))).toBe(true);
  expect(await isTaken(queue.offer([...events("b", 1), ...events("a", 1)]))).toBe(false);
  take(queue);
  expect(await isTaken(queue.offer(events("a", 500)))).toBe(true);
});

test("a tenant's large events are refused before there are many of them", async () => {
  const queue = createQueue();
  let taken = 0;
  while (taken < 100 && (await isTaken(queue.offer(events("a", 1, megabyte))))) taken += 1;
  expect(taken).toBeGreaterThanOrEqual(32);
  expect(taken).toBeLessThanOrEqual(33);
  expect(await isTaken(queue.offer(events("b", 1, megabyte)))).toBe(true);
});

test("all that waits or is under way is bounded, until it is answered", async () => {
  const queue = createQueue();
  let tenant = 0;
  const offer = () => queue.offer(events(`tenant ${tenant}`, 1, megabyte));
  while (tenant < 200 && (await isTaken(offer()))) tenant += 1;
  expect(tenant).toBe(127);
  const group = take(queue);
  expect(await isTaken(offer())).toBe(false);
  for (const entry of group) queue.answer(entry, answered);
  expect(await isTaken(offer())).toBe(true);
});
