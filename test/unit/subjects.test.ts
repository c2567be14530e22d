import { expect, test } from "vitest";
import { createLogger } from "../../src/telemetry/logger.ts";
import type { LogEvent } from "../../src/log/event.ts";
import { createSubjects, type SubjectEvent } from "../../src/push/subjects.ts";

const subject = "order_1";

function eventAt(sequence: number): LogEvent {
  return { sequence, day: "2026-11-23", subject, type: "a", appendedAt: 0, envelope: "" };
}

/** Subjects of a lane over a log, whose reads end when they are told to. */
function start(log: readonly number[], settled?: number, known = 0) {
  const lane = { scanned: 0, low: 0, merged: 0, given: [] as number[] };
  const retries = new Set<number>();
  const reads: (() => Promise<void>)[] = [];
  const subjects = createSubjects({
    blocked:
      settled === undefined
        ? []
        : [{ subject, settled: { sequence: settled, day: "2026-11-23", matched: settled } }],
    log: createLogger({ level: "silent" }),
    scanned: () => lane.scanned,
    low: () => lane.low,
    known: () => known,
    inOrder: false,
    read: (_, after, through) =>
      new Promise<SubjectEvent[]>((resolve) => {
        reads.push(async () => {
          const found = log.filter((each) => each > after.sequence && each <= through);
          resolve(
            found.map((each) => ({
              event: eventAt(each),
              isRetry: retries.has(each),
              isSettled: false,
            })),
          );
          await new Promise((passed) => setImmediate(passed));
        });
      }),
    match: async (events) => events.map((event) => ({ event, previous: 0 })),
    ready: () => {
      const item = subjects.take();
      if (item !== undefined) lane.given.push(item.event.sequence);
    },
    merged: () => void (lane.merged += 1),
  });
  return { lane, retries, reads, subjects };
}

test("an event that the lane comes past while its subject has caught up is not lost", async () => {
  const { lane, reads, subjects } = start([10, 15]);
  lane.scanned = 12;
  const head = { event: eventAt(10), previous: 0 };
  subjects.block(subject, head);
  subjects.begin(subject);
  subjects.settle(head, false);
  await reads.shift()?.();
  // Caught up, and not merged: the lane's low-water mark is behind.
  expect(subjects.owns(eventAt(15))).toBe(true);
  Object.assign(lane, { scanned: 20, low: 20 });
  subjects.advance();
  await reads.shift()?.();
  expect(lane).toMatchObject({ given: [15], merged: 0 });
});

test("a subject is not merged before the lane comes to a retry that was its next", async () => {
  const { lane, retries, reads, subjects } = start([11, 14], 10, 11);
  retries.add(11);
  lane.scanned = 5;
  subjects.advance();
  await reads.shift()?.();
  // The lane has scanned to right before the retry, and all up to there is settled.
  Object.assign(lane, { scanned: 10, low: 10 });
  subjects.advance();
  expect(lane.merged).toBe(0);
  expect(subjects.owns(eventAt(11))).toBe(true);
  expect(subjects.owns(eventAt(14))).toBe(true);
  Object.assign(lane, { scanned: 14, low: 14 });
  subjects.advance();
  await reads.shift()?.();
  expect(subjects.isAhead(eventAt(11))).toBe(true);
  expect(lane.given).toEqual([]);
});

test("a retry that was delivered while its subject was first read does not hold it up", async () => {
  const log = [10, 15];
  const { lane, retries, reads, subjects } = start(log, 9);
  retries.add(10);
  lane.scanned = 20;
  subjects.advance();
  // Its outcome is written before the read ends that saw it as it was.
  subjects.written(10, subject);
  await reads.shift()?.();
  log.shift();
  await reads.shift()?.();
  expect(lane.given).toEqual([15]);
});

test("an event whose retry was delivered while its subject was read is not given again", async () => {
  const { lane, retries, reads, subjects } = start([10, 15], 9);
  retries.add(10);
  lane.scanned = 20;
  subjects.advance();
  subjects.begin(subject);
  subjects.settle({ event: eventAt(10), previous: 0 }, false);
  retries.delete(10);
  for (const end of reads) await end();
  expect(lane.given).toEqual([15]);
});
