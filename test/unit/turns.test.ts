import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { createTurns } from "../../src/feed/turns.ts";

test("work is done later, in order, and once however often it was asked for", async () => {
  const done: number[] = [];
  const turns = createTurns<number>((item) => done.push(item));
  for (const item of [1, 2, 1, 3, 4]) turns.add(item);
  turns.delete(3);
  expect(done).toEqual([]);
  await nextTurn();
  expect(done).toEqual([1, 2, 4]);
});

test("a turn ends after its items, or its time, and the rest is done in the next ones", async () => {
  const done: number[] = [];
  const counted = createTurns<number>((item) => done.push(item), 2);
  for (const item of [1, 2, 3]) counted.add(item);
  await nextTurn();
  expect(done).toEqual([1, 2]);
  await nextTurn();
  expect(done).toEqual([1, 2, 3]);

  let slow = 0;
  const timed = createTurns<number>(() => {
    slow += 1;
    const end = performance.now() + 5;
    while (performance.now() < end);
  });
  for (let item = 0; item < 10; item += 1) timed.add(item);
  await nextTurn();
  expect(slow).toBeGreaterThan(0);
  expect(slow).toBeLessThan(4);
});

test("an item that asks for more does not keep the others from their turn", async () => {
  const done: string[] = [];
  const turns = createTurns<string>((item) => {
    done.push(item);
    if (item === "greedy" && done.length < 100_000) turns.add(item);
  });
  turns.add("greedy");
  turns.add("other");
  await nextTurn();
  expect(done.slice(0, 3)).toEqual(["greedy", "other", "greedy"]);
});
