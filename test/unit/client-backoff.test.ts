/** When the library tries again. */
import { describe, expect, test } from "vitest";
import { backoffMs, parseRetryAfter, pause, retryDelayMs } from "../../src/client/backoff.ts";
import type { StreamEnd } from "../../src/client/feed-stream.ts";
import { createTransport } from "../../src/client/transport.ts";

const now = Date.parse("2026-11-23T12:00:00Z");

test.each([
  [1, 0, 0],
  [1, 1, 500],
  [2, 1, 1_000],
  [3, 0.5, 1_000],
  [7, 1, 30_000],
  [1_000_000, 1, 30_000],
])("after %i failures, with chance %d, it waits %i ms", (failures, chance, ms) => {
  expect(backoffMs(failures, chance)).toBe(ms);
});

test.each([
  [null, undefined],
  ["5", 5_000],
  [" 5 ", 5_000],
  ["0", 0],
  ["Mon, 23 Nov 2026 12:00:30 GMT", 30_000],
  ["Mon, 23 Nov 2026 11:00:00 GMT", 0],
  ["999999999", 3_600_000],
  ["soon", undefined],
  ["", undefined],
])("Retry-After: %s asks for %s ms", (text, ms) => {
  expect(parseRetryAfter(text, now)).toBe(ms);
});

test("never comes before the time that was asked for, and spreads after it", () => {
  expect(retryDelayMs(1, 10_000, 0)).toBe(10_000);
  expect(retryDelayMs(1, 10_000, 1)).toBe(11_000);
  expect(retryDelayMs(1, 0, 1)).toBe(500);
  expect(retryDelayMs(2, undefined, 1)).toBe(1_000);
});

test("a pause ends when its signal does, and holds on to nothing", async () => {
  const controller = new AbortController();
  const paused = pause(3_600_000, controller.signal);
  controller.abort();
  await paused;
  await pause(3_600_000, controller.signal);
});

describe("the choice between stream and polls", () => {
  const end = (kind: StreamEnd["kind"], livedMs = 10): StreamEnd => ({
    ...{ kind, livedMs, error: undefined, retryMs: undefined, wasSlow: false },
  });

  test("falls to polls at once when nothing gets through, and tries again, later each time", () => {
    const transport = createTransport("auto", 1_000);
    expect(transport.wantsStream(now)).toBe(true);
    expect(transport.note(end("blocked"), now)).toMatch("no stream gets through");
    expect(transport.wantsStream(now + 999)).toBe(false);
    expect(transport.wantsStream(now + 1_000)).toBe(true);
    transport.note(end("blocked"), now + 1_000);
    expect(transport.wantsStream(now + 2_999)).toBe(false);
    expect(transport.wantsStream(now + 3_000)).toBe(true);
  });

  test("falls to polls when streams are cut early three times in a row", () => {
    const transport = createTransport("auto");
    for (const kind of ["cut", "ended"] as const) {
      expect(transport.note(end(kind), now)).toBeUndefined();
      expect(transport.wantsStream(now)).toBe(true);
    }
    expect(transport.note(end("cut"), now)).toMatch("streams are cut");
    expect(transport.wantsStream(now)).toBe(false);
  });

  test("stays with the stream when it lives, and when the consumer was too slow for it", () => {
    const transport = createTransport("auto");
    for (let n = 0; n < 10; n += 1) {
      transport.note(end("cut"), now);
      transport.note(end("cut", 60_000), now);
      transport.note(end("cut"), now);
      transport.note({ ...end("cut"), wasSlow: true }, now);
      transport.note(end("refused"), now);
    }
    expect(transport.wantsStream(now)).toBe(true);
  });

  test("does what it is told", () => {
    const [stream, poll] = [createTransport("stream"), createTransport("poll")];
    stream.note(end("blocked"), now);
    expect([stream.wantsStream(now), poll.wantsStream(now)]).toEqual([true, false]);
  });
});
