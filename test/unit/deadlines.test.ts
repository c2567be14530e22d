/** Time-outs in lines: each ends when its own time is over, and what is removed never does. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createDeadlines } from "../../src/push/deadlines.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => void vi.useRealTimers());

test("each ends after its own time, whoever stands beside it", () => {
  const expired: string[] = [];
  const deadlines = createDeadlines<string>((item) => void expired.push(item));
  deadlines.add("a", 100);
  vi.advanceTimersByTime(40);
  deadlines.add("b", 100);
  deadlines.add("short", 10);
  vi.advanceTimersByTime(10);
  expect(expired).toEqual(["short"]);
  vi.advanceTimersByTime(50);
  expect(expired).toEqual(["short", "a"]);
  expect(deadlines.all()).toEqual(["b"]);
  vi.advanceTimersByTime(39);
  expect(expired).toEqual(["short", "a"]);
  vi.advanceTimersByTime(2);
  expect(expired).toEqual(["short", "a", "b"]);
});

test("what is removed never ends, and those behind it are no later", () => {
  const expired: string[] = [];
  const deadlines = createDeadlines<string>((item) => void expired.push(item));
  deadlines.add("gone", 100);
  vi.advanceTimersByTime(60);
  deadlines.add("later", 100);
  deadlines.remove("gone", 100);
  vi.advanceTimersByTime(99);
  expect(expired).toEqual([]);
  vi.advanceTimersByTime(2);
  expect(expired).toEqual(["later"]);
});

test("a line that was empty for long takes new ones", () => {
  const expired: string[] = [];
  const deadlines = createDeadlines<string>((item) => void expired.push(item));
  for (const name of ["a", "b"]) {
    deadlines.add(name, 100);
    deadlines.remove(name, 100);
    vi.advanceTimersByTime(1_000);
    expect(vi.getTimerCount()).toBe(0);
  }
  deadlines.add("c", 100);
  vi.advanceTimersByTime(101);
  expect(expired).toEqual(["c"]);
  deadlines.add("d", 100);
  deadlines.stop();
  vi.advanceTimersByTime(1_000);
  expect(expired).toEqual(["c"]);
});
