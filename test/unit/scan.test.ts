import { describe, expect, test } from "vitest";
import { scan } from "../../src/feed/scan.ts";
import { beginning, type LogEvent, type Position } from "../../src/log/event.ts";
import { compileFilter, unfiltered } from "../../src/log/filter.ts";
import type { Read } from "../../src/log/log.ts";

const all = compileFilter(unfiltered);
const rare = compileFilter({ types: ["rare"], subjects: null });
const bounds = { filter: all, limit: 100, maxBytes: 1 << 20 };
const day = "2026-11-23";

/** A log of `length` events of 100 bytes, of which every `rareEvery`th is rare. */
function createReads(length: number, rareEvery = 1_000) {
  const reads: { after: number; limit: number }[] = [];
  return { reads, read };

  function read({ sequence: after }: Position, limit: number): Read {
    reads.push({ after, limit });
    const count = Math.min(limit, length - after);
    const events = Array.from({ length: count }, (_, index) => event(after + index + 1));
    return { kind: "events", events, atHead: count < limit };
  }

  function event(sequence: number): LogEvent {
    const type = sequence % rareEvery === 0 ? "rare" : "often";
    return { sequence, day, type, subject: null, appendedAt: 0, envelope: "x".repeat(100) };
  }
}

describe("a scan", () => {
  test("takes what it is asked for, and is full", async () => {
    const { read, reads } = createReads(1_000);
    const found = await scan(read, beginning, bounds);
    expect(found).toMatchObject({
      kind: "events",
      position: { sequence: 100, day },
      last: { sequence: 100 },
      atHead: false,
      full: true,
    });
    expect(reads).toEqual([{ after: 0, limit: 100 }]);
  });

  test("ends with the event that reaches the bytes, and is full then", async () => {
    const { read } = createReads(1_000);
    const found = await scan(read, beginning, { ...bounds, maxBytes: 250 });
    expect(found).toMatchObject({ position: { sequence: 3 }, full: true, atHead: false });
  });

  test("is at the head when there is no more, which is not full", async () => {
    const { read } = createReads(30);
    const found = await scan(read, beginning, bounds);
    expect(found).toMatchObject({ position: { sequence: 30 }, full: false, atHead: true });
    const none = await scan(read, { sequence: 30, day }, bounds);
    expect(none).toMatchObject({ events: [], position: { sequence: 30, day }, atHead: true });
    expect(none).toHaveProperty("last", undefined);
  });

  test("moves past what does not match, in growing steps, and stops after a turn", async () => {
    const { read, reads } = createReads(50_000);
    // A turn has two ends; the other one, its time, must not come first on a busy machine.
    const found = await scan(read, beginning, { ...bounds, filter: rare }, () => 0);
    expect(found).toMatchObject({ full: false, atHead: false });
    if (found.kind !== "events") expect.fail();
    expect(found.events.length).toBe(Math.floor(found.position.sequence / 1_000));
    expect(found.position.sequence).toBeGreaterThanOrEqual(10_000);
    expect(found.position.sequence).toBeLessThan(11_000);
    expect(reads.map(({ limit }) => limit).slice(0, 4)).toEqual([100, 400, 1_000, 1_000]);
  });

  test("stops when the time of a turn is over, but not before a full read", async () => {
    const { read, reads } = createReads(50_000);
    let nowMs = 0;
    const clock = () => (nowMs += 50);
    const found = await scan(read, beginning, { ...bounds, filter: rare }, clock);
    expect(found).toMatchObject({ full: false, atHead: false, position: { sequence: 1_500 } });
    expect(reads.map(({ limit }) => limit)).toEqual([100, 400, 1_000]);
  });

  test("keeps nothing of an event alive by its position", async () => {
    const found = await scan(createReads(30).read, beginning, bounds);
    if (found.kind !== "events") expect.fail();
    expect(found.position).toEqual({ sequence: 30, day });
  });

  test("passes on why its first read was refused, but not a later one", async () => {
    const refused: Read = { kind: "reset" };
    expect(await scan(async () => refused, beginning, bounds)).toBe(refused);
    const { read } = createReads(50_000);
    const found = await scan(
      (after, limit) => (after.sequence > 0 ? refused : read(after, limit)),
      beginning,
      { ...bounds, filter: rare },
    );
    expect(found).toMatchObject({ kind: "events", position: { sequence: 100 }, atHead: false });
  });
});
