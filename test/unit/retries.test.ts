import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import type { TenantId } from "../../src/log/event.ts";
import { unfiltered } from "../../src/log/filter.ts";
import { createRetryQueue, type Retry, type RetryOrder } from "../../src/push/retries.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { waitUntil } from "../support/wait.ts";

const day = "2026-11-23";
const hourMs = 3_600_000;

function retryOf(sequence: number, dueAt: number): Retry {
  const event = { sequence, day, type: "a", subject: null, appendedAt: 0, envelope: "{}" };
  const told = { awaiting: false, failed: false, requeued: false, statusCode: 500, error: null };
  return { ...told, sequence, day, previous: 0, attempts: 1, firstAt: 0, lastAt: 0, dueAt, event };
}

/** A queue over a table of retries, and the loads it made. */
function openQueue(
  table: Map<number, Retry>,
  beforeAnswer: () => void = () => {},
  order: RetryOrder = "due",
) {
  const loads: number[] = [];
  const over = new Set<number>();
  const queue = createRetryQueue({
    tenant: "f0e1d2c3-0000-4000-8000-000000000000" as TenantId,
    endpoint: "f0e1d2c3-0000-4000-8000-000000000001",
    log: createLogger({ level: "silent" }),
    nextAt: Date.now(),
    ready: () => {},
    expired: () => {},
    none: () => {},
    order,
    filter: unfiltered,
    isOver: (sequence) => over.has(sequence),
    async load({ limit }) {
      loads.push(limit);
      await delay(1);
      beforeAnswer();
      const by = order === "due" ? "dueAt" : "sequence";
      return [...table.values()].toSorted((a, b) => a[by] - b[by]).slice(0, limit);
    },
  });
  return { queue, loads, over };
}

test("all that is overdue comes, whatever is put off to a far time while it is loaded", async () => {
  const overdue = Date.now() - 1_000;
  const table = new Map(
    Array.from({ length: 450 }, (_, index) => [index + 1, retryOf(index + 1, overdue)]),
  );
  const { queue } = openQueue(table, () => queue.settled(10_000, Date.now() + hourMs));
  const taken = new Set<number>();

  await waitUntil(
    () => {
      for (let retry = queue.take(); retry !== undefined; retry = queue.take()) {
        expect(taken.has(retry.sequence)).toBe(false);
        taken.add(retry.sequence);
        table.delete(retry.sequence);
        queue.settled(retry.sequence, null);
      }
      return taken.size === 450;
    },
    { what: "all retries", deadlineMs: 10_000 },
  );
  queue.close();
});

test("what is in flight or was settled during a load does not come twice", async () => {
  const table = new Map([[1, retryOf(1, Date.now() - 1_000)]]);
  const { queue, loads } = openQueue(table);
  const first = await waitUntil(() => queue.take(), { what: "the retry" });
  expect(first.sequence).toBe(1);

  queue.settled(2, Date.now()); // another one joins and is due: a load, in which 1 still stands
  await waitUntil(() => loads.length === 2, { what: "the second load" });
  queue.settled(1, null);
  table.delete(1);
  await delay(20);
  expect(queue.take()).toBeUndefined();
  expect(queue.isEmpty()).toBe(true);
  queue.close();
});
