import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createTail } from "../../src/feed/tail.ts";
import type { LogEvent } from "../../src/log/event.ts";

/** As long as a tail waits for a gap to close by itself. */
const holdMs = 25;
const ringMaxBytes = 4 << 20;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A log 1 … `to` of one tenant, and frames cut from it. */
function logOf(to: number, envelopeOf: (sequence: number) => string = () => "x".repeat(100)) {
  const events = Array.from({ length: to }, (_, index): LogEvent => {
    const common = { sequence: index + 1, day: "2026-11-23", type: "a", subject: null };
    return { ...common, appendedAt: 0, envelope: envelopeOf(index + 1) };
  });
  return {
    read: (after: number, limit: number, end: number) =>
      events.slice(after, Math.min(after + limit, end)),
    frame: (first: number, last = first, carried = true) => ({
      first,
      last,
      events: carried ? events.slice(first - 1, last) : null,
    }),
  };
}

function openTail() {
  const counts = { wakes: 0, bytes: 0 };
  const tail = createTail(
    () => {
      counts.wakes += 1;
    },
    (bytes) => {
      counts.bytes += bytes;
    },
  );
  const sequences = (after: number, limit = 100) =>
    tail.slice(after, limit)?.map((event) => event.sequence);
  return { tail, counts, sequences };
}

describe("a tail", () => {
  test("knows nothing before the first news", () => {
    const { tail, sequences } = openTail();
    expect(sequences(0)).toBeUndefined();
    tail.offer(logOf(9).frame(8, 9));
    expect(sequences(7)).toEqual([8, 9]);
    expect(sequences(6)).toBeUndefined();
    expect(sequences(9)).toEqual([]);
    expect(sequences(10)).toBeUndefined();
  });

  test("knows nothing after a flush, wakes nobody, and goes on with the next news", () => {
    const { tail, counts, sequences } = openTail();
    const { frame } = logOf(9);
    tail.offer(frame(1, 4));
    tail.offer(frame(6));
    tail.flush();
    vi.advanceTimersByTime(holdMs);
    expect([sequences(0), sequences(4), tail.end()]).toEqual([undefined, undefined, undefined]);
    expect(counts).toEqual({ wakes: 1, bytes: 0 });
    tail.offer(frame(5));
    expect([sequences(4), sequences(3)]).toEqual([[5], undefined]);
  });

  test("takes each event once, however often and overlapping it is offered", () => {
    const { tail, counts, sequences } = openTail();
    const { frame } = logOf(9);
    tail.offer(frame(1, 4));
    tail.offer(frame(2, 6));
    tail.offer(frame(1, 4));
    tail.offer(frame(6, 6));
    expect(sequences(0)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(sequences(2, 3)).toEqual([3, 4, 5]);
    expect(counts).toEqual({ wakes: 2, bytes: 600 });
  });

  test("puts frames into order that overtook one another", () => {
    const { tail, counts, sequences } = openTail();
    const { frame } = logOf(9);
    for (const first of [1, 4, 3, 5]) tail.offer(frame(first));
    expect(sequences(0)).toEqual([1]);
    tail.offer(frame(2));
    expect(sequences(0)).toEqual([1, 2, 3, 4, 5]);
    expect(counts.wakes).toBe(2);
    vi.advanceTimersByTime(holdMs);
    expect(counts.wakes).toBe(2);
  });

  test("goes on behind a gap that does not close, and says so", () => {
    const { tail, counts, sequences } = openTail();
    const { frame } = logOf(9);
    for (const first of [1, 5, 3]) tail.offer(frame(first));
    vi.advanceTimersByTime(holdMs - 1);
    expect(counts.wakes).toBe(1);
    vi.advanceTimersByTime(1);
    expect(counts.wakes).toBe(2);
    expect(sequences(1)).toBeUndefined();
    expect(sequences(4)).toEqual([5]);
    tail.offer(frame(6));
    expect(sequences(4)).toEqual([5, 6]);
  });

  test("gives all gaps up at once, so that many do not add up", () => {
    const { tail, counts, sequences } = openTail();
    const { frame } = logOf(99);
    tail.offer(frame(1));
    for (let ms = 0; ms < holdMs; ms += 1) {
      tail.offer(frame(3 + 2 * ms));
      vi.advanceTimersByTime(1);
    }
    expect(counts.wakes).toBe(2);
    expect(sequences(2 * holdMs)).toEqual([2 * holdMs + 1]);
  });

  test("holds no more frames than a race between publishers explains", () => {
    const { tail, counts, sequences } = openTail();
    const { frame } = logOf(200);
    tail.offer(frame(1));
    for (let first = 3; first <= 67; first += 1) tail.offer(frame(first));
    expect(counts.wakes).toBe(2);
    expect(sequences(2, 1)).toEqual([3]);
    expect(sequences(66)).toEqual([67]);
  });

  test("sends readers to the log for a frame that carries no events", () => {
    const { tail, counts, sequences } = openTail();
    const { frame } = logOf(9);
    tail.offer(frame(1, 3));
    tail.offer(frame(4, 5, false));
    expect(counts).toEqual({ wakes: 2, bytes: 0 });
    expect(sequences(3)).toBeUndefined();
    expect(sequences(5)).toEqual([]);
    tail.offer(frame(6));
    expect(sequences(5)).toEqual([6]);
  });

  test("wakes for news of frames that were lost, once", () => {
    const { tail, counts, sequences } = openTail();
    tail.offer(logOf(9).frame(1));
    expect(tail.learn(1)).toBe(false);
    expect(tail.learn(4)).toBe(true);
    expect(tail.learn(4)).toBe(false);
    expect(counts.wakes).toBe(2);
    expect(sequences(1)).toBeUndefined();
    expect(sequences(4)).toEqual([]);
  });

  test("does not go back to a frame it held when it learnt of later events", () => {
    const { tail, sequences } = openTail();
    const { frame } = logOf(20);
    tail.offer(frame(5));
    tail.offer(frame(7));
    tail.offer(frame(11));
    expect(tail.learn(10)).toBe(true);
    expect(sequences(10)).toEqual([11]);
    vi.advanceTimersByTime(holdMs);
    expect(sequences(10)).toEqual([11]);
    expect(tail.learn(11)).toBe(false);
  });

  test("lets go of its oldest half when full", () => {
    const { tail, counts, sequences } = openTail();
    const { frame } = logOf(5_000);
    tail.offer(frame(1, 4_096));
    expect(sequences(0, 1)).toEqual([1]);
    tail.offer(frame(4_097));
    expect(sequences(2_048)).toBeUndefined();
    expect(sequences(2_049, 1)).toEqual([2_050]);
    expect(counts.bytes).toBe(2_048 * 100);
    expect(tail.size()).toBe(counts.bytes);
  });

  test("keeps nothing of an event that is larger than it may be", () => {
    const { tail, counts, sequences } = openTail();
    tail.offer(logOf(1, () => "x".repeat(ringMaxBytes + 1)).frame(1));
    expect(counts).toEqual({ wakes: 1, bytes: 0 });
    expect(sequences(0)).toBeUndefined();
    expect(sequences(1)).toEqual([]);
  });

  test("gives back what it weighed when it is closed, and never wakes again", () => {
    const { tail, counts } = openTail();
    const { frame } = logOf(9);
    tail.offer(frame(1, 3));
    tail.offer(frame(5));
    tail.close();
    vi.advanceTimersByTime(holdMs);
    expect(counts).toEqual({ wakes: 1, bytes: 0 });
  });
});

type Step =
  | { kind: "frame"; first: number; last: number; carried: boolean }
  | { kind: "learn"; head: number }
  | { kind: "clear" }
  | { kind: "pass"; ms: number }
  | { kind: "turn"; limit: number };

/** Enough for some runs to fill the ring. */
const [runsMax, runMax] = [30, 2_000];

/**
 * Frames of a log cut at random places: some lost, some repeated, some reaching back over what
 * others brought, some without events, all of them more or less out of order; among them the rest
 * of what happens to a tail.
 */
const script = fc
  .array(
    fc.record({
      length: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: runMax })),
      copies: fc.nat(2),
      back: fc.oneof(fc.constant(0), fc.nat(4)),
      carried: fc.boolean(),
      delay: fc.oneof(fc.constant(0), fc.nat(8)),
    }),
    { minLength: 1, maxLength: runsMax },
  )
  .chain((runs) => {
    let last = 0;
    const frames = runs.flatMap(({ length, copies, back, carried, delay }, index) => {
      const first = Math.max(1, last + 1 - back);
      last += length;
      const frame: Step = { kind: "frame", first, last, carried };
      return Array.from({ length: copies }, (_, copy) => ({ frame, at: index + delay * copy }));
    });
    const steps = frames.toSorted((a, b) => a.at - b.at).map(({ frame }) => frame);
    const between = fc.oneof<fc.Arbitrary<Step>[]>(
      fc.record({ kind: fc.constant("learn"), head: fc.integer({ min: 1, max: last }) }),
      fc.record({ kind: fc.constant("clear") }),
      fc.record({ kind: fc.constant("pass"), ms: fc.nat(holdMs) }),
      fc.record({ kind: fc.constant("turn"), limit: fc.integer({ min: 1, max: 2_000 }) }),
    );
    const length = steps.length;
    return fc
      .array(fc.array(between, { maxLength: 2 }), { minLength: length, maxLength: length })
      .map((others) => steps.flatMap((step, at) => [step, ...(others[at] ?? [])]));
  });

/**
 * Goal: whoever reads from a tail and goes to the log when it has no answer sees every event once
 * and in order, is woken whenever there is more, and the tail stays small. Method: random scripts
 * against a log 1 … n that reaches as far as any frame or news told so far (what is told was
 * committed); a reader that, once at the head, moves only when woken; time is faked. fast-check
 * prints the seed of a failure.
 */
test("a reader of a tail sees 1 … n once and in order whatever the frames do", () => {
  const [small, large] = ["x".repeat(500), "x".repeat(60_000)];
  const log = logOf(runsMax * runMax, (sequence) => (sequence % 97 === 0 ? large : small));
  fc.assert(
    fc.property(script, (steps) => {
      const { tail, counts } = openTail();
      let position = 0;
      let committed = 0;
      let wakesSeen = -1;

      for (const step of steps) perform(step);
      vi.advanceTimersByTime(holdMs);
      while (wakesSeen !== counts.wakes) turn(1_000);

      expect(position).toBe(committed);
      expect(tail.slice(committed, 1)).toEqual(committed === 0 ? undefined : []);
      tail.close();
      expect(counts.bytes).toBe(0);

      function perform(step: Step) {
        switch (step.kind) {
          case "frame":
            committed = Math.max(committed, step.last);
            tail.offer(log.frame(step.first, step.last, step.carried));
            break;
          case "learn":
            committed = Math.max(committed, step.head);
            tail.learn(step.head);
            break;
          case "clear":
            tail.clear();
            break;
          case "pass":
            vi.advanceTimersByTime(step.ms);
            break;
          case "turn":
            turn(step.limit);
        }
        expect(counts.bytes).toBe(tail.size());
        expect(tail.size()).toBeLessThanOrEqual(ringMaxBytes);
      }

      /** Reads on, if woken since it was last at the head. */
      function turn(limit: number) {
        const wakes = counts.wakes;
        if (wakes === wakesSeen) return;
        const answer = tail.slice(position, limit) ?? log.read(position, limit, committed);
        // One comparison a page: `expect` for each event would take all the time there is.
        expect(answer.findIndex((event, index) => event.sequence !== position + 1 + index)).toBe(
          -1,
        );
        position += answer.length;
        expect(position).toBeLessThanOrEqual(committed);
        if (answer.length < limit) wakesSeen = wakes;
      }
    }),
    { numRuns: 300 },
  );
});
