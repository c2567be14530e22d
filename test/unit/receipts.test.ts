import { setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { createOverruled } from "../../src/push/overruled.ts";
import { createReceipts, type Receipt } from "../../src/push/receipts.ts";
import { waitUntil } from "../support/wait.ts";

function receipt(version: number, more: Partial<Receipt> = {}): Receipt {
  return { version, through: 0, moved: null, sequences: [version], failed: false, ...more };
}

/** Of a lane that was opened with 3 receipts. */
function follow(canApply: (receipt: Receipt) => boolean = () => true) {
  const applied: number[] = [];
  const told = { outdated: 0 };
  const receipts = createReceipts({
    version: 3,
    apply: (one) => {
      if (!canApply(one)) return false;
      applied.push(one.version);
      return true;
    },
    outdated: () => (told.outdated += 1),
  });
  return { receipts, applied, told };
}

test("receipts are applied once and in order, however they come", async () => {
  const { receipts, applied, told } = follow();
  for (const version of [2, 3, 5, 4, 4, 7, 6, 5]) receipts.hear(receipt(version));
  receipts.learn(7);
  await delay(400);
  expect(applied).toEqual([4, 5, 6, 7]);
  expect(told.outdated).toBe(0);
});

test("a lane is out of date when one is missing, or known of and never told", async () => {
  for (const miss of [
    ({ receipts }: ReturnType<typeof follow>) => receipts.hear(receipt(5)),
    ({ receipts }: ReturnType<typeof follow>) => receipts.learn(4),
  ]) {
    const followed = follow();
    miss(followed);
    expect(followed.told.outdated).toBe(0);
    await waitUntil(() => followed.told.outdated === 1);
    // It is opened anew: what comes now is of no interest.
    followed.receipts.hear(receipt(4));
    expect(followed.applied).toEqual([]);
  }
});

test("each that the ledger tells of first has a time of its own to follow", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { receipts, applied, told } = follow();
  for (let version = 4; version < 20; version += 1) {
    receipts.learn(version);
    vi.advanceTimersByTime(200);
    receipts.hear(receipt(version));
    receipts.learn(version + 1);
    vi.advanceTimersByTime(50);
  }
  expect([applied.length, told.outdated]).toEqual([16, 0]);
  vi.advanceTimersByTime(1_000);
  expect(told.outdated).toBe(1);
});

test("a lane is out of date at once when a receipt says more than it can apply", () => {
  const { receipts, applied, told } = follow(({ version }) => version < 5);
  receipts.hear(receipt(4));
  receipts.hear(receipt(5));
  receipts.hear(receipt(6));
  expect([applied, told.outdated]).toEqual([[4], 1]);
});

test("what was overruled is known, and not without a bound", () => {
  const overruled = createOverruled();
  expect(overruled.add(receipt(1, { sequences: [7] }), 0)).toBe(true);
  expect(overruled.add(receipt(2, { sequences: [8], failed: true }), 0)).toBe(true);
  expect(overruled.add(receipt(3, { sequences: [], through: 5 }), 0)).toBe(true);
  const all = [5, 6, 7, 8];
  expect(all.map(overruled.isSettled)).toEqual([true, false, true, false]);
  expect(all.map(overruled.isKnown)).toEqual([true, false, true, true]);

  expect(overruled.add(receipt(4, { sequences: null }), 0)).toBe(false);
  const many = Array.from({ length: 20_000 }, (_, index) => index + 10);
  expect(overruled.add(receipt(5, { sequences: many }), 0)).toBe(false);
  // The lane's position has come past them.
  expect(overruled.add(receipt(6, { sequences: [90_000] }), 15_000)).toBe(true);
  expect([15_000, 15_001].map(overruled.isKnown)).toEqual([false, true]);
});
