import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { retryDelayMs } from "../../src/deliveries/retry-delay.ts";
import type { FailureClass } from "../../src/push/failure.ts";
import type { AttemptResponse, Outcome } from "../../src/push/outcome.ts";
import { decide, parseRetryAfterMs } from "../../src/push/retry.ts";

const [second, minute, hour] = [1_000, 60_000, 3_600_000];
const now = Date.parse("2026-11-23T12:00:00Z");

/** The default schedule. */
const scheduleMs = [
  5 * second,
  15 * second,
  minute,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
];
const circumstances = { attempt: 1, scheduleMs, chance: 0.5, now };

function responseOf(status: number, headers: AttemptResponse["headers"] = {}): AttemptResponse {
  return { status, headers, body: Buffer.alloc(0), truncated: false };
}

function answered(status: number, headers?: AttemptResponse["headers"]): Outcome {
  const response = responseOf(status, headers);
  return { kind: "response", response, latencyMs: 12, headMs: 10, tries: 1 };
}

function failed(failureClass: FailureClass, response?: AttemptResponse): Outcome {
  const timing = { latencyMs: 12, headMs: response && 10, tries: 1 } as const;
  return { kind: "failed", class: failureClass, message: "…", response, ...timing };
}

describe("retryDelayMs", () => {
  test("a delivery dies after twelve attempts of the default schedule", () => {
    const attempts = Array.from({ length: 12 }, (_, index) => index + 1);
    const delays = attempts.map((attempt) => retryDelayMs(scheduleMs, attempt, 1));
    expect(delays).toEqual([...scheduleMs, undefined]);
    expect(scheduleMs.reduce((sum, delay) => sum + delay, 0)).toBeCloseTo(75.6 * hour, -6);
  });

  test("a delay lies between one second and the schedule's, in proportion to chance", () => {
    const [attempt, chance] = [fc.integer({ min: 1, max: 11 }), fc.double({ min: 0, max: 1 })];
    fc.assert(
      fc.property(attempt, chance.filter(Number.isFinite), (number, share) => {
        const base = scheduleMs[number - 1] ?? 0;
        const delay = retryDelayMs(scheduleMs, number, share);
        expect(delay).toBeCloseTo(second + (base - second) * share, 3);
        expect(delay).toBeLessThanOrEqual(base);
        expect(delay).toBeGreaterThanOrEqual(second);
      }),
    );
  });

  test("an empty schedule allows one attempt", () => {
    expect(retryDelayMs([], 1, 0.5)).toBeUndefined();
  });
});

describe("parseRetryAfterMs", () => {
  test.each<[string | undefined, number | undefined]>([
    ["120", 2 * minute],
    ["0", 0],
    [" 7 ", 7 * second],
    ["Mon, 23 Nov 2026 12:01:30 GMT", 90 * second],
    ["Monday, 23-Nov-26 12:01:30 GMT", 90 * second],
    ["Mon Nov 23 12:01:30 2026", 90 * second],
    ["Mon, 23 Nov 2026 11:00:00 GMT", 0],
    ["604800", 24 * hour],
    ["9999999999", 24 * hour],
    ["Mon, 23 Nov 2099 12:00:00 GMT", 24 * hour],
    ["99999999999999999999", undefined],
    ["-5", undefined],
    ["1.5", undefined],
    ["1e3", undefined],
    ["0x10", undefined],
    ["", undefined],
    ["soon", undefined],
    ["2026-11-23T12:01:30Z", undefined],
    ["Mon, 99 Nov 2026 12:01:30 GMT", undefined],
    [undefined, undefined],
  ])("%j is %j", (value, waitMs) => {
    expect(parseRetryAfterMs(value, now)).toBe(waitMs);
  });
});

describe("decide", () => {
  const retry = { kind: "retry", delayMs: 3_000 };

  test.each<[string, Outcome, unknown]>([
    ["200", answered(200), { kind: "delivered" }],
    ["204", answered(204), { kind: "delivered" }],
    ["299", answered(299), { kind: "delivered" }],
    ["a 200 without an end", failed("timeout", responseOf(200)), retry],
    ["a redirect", answered(302, { location: "https://example.com/" }), retry],
    ["304", answered(304), retry],
    ["400", answered(400), retry],
    ["401", answered(401), retry],
    ["404", answered(404), retry],
    ["429", answered(429), retry],
    ["500", answered(500), retry],
    ["599", answered(599), retry],
    ["dns", failed("dns"), retry],
    ["address", failed("address"), retry],
    ["connect", failed("connect"), retry],
    ["reset", failed("reset"), retry],
    ["tls", failed("tls"), retry],
    ["timeout", failed("timeout"), retry],
    ["http", failed("http"), retry],
  ])("%s", (_name, outcome, decision) => {
    expect(decide(outcome, circumstances)).toEqual(decision);
  });

  test.each<[string, Outcome, boolean]>([
    ["410", answered(410), false],
    ["410 with a body that does not end", failed("timeout", responseOf(410)), false],
    ["500 that asks for it", answered(500, { "webhook-delivery": "disable" }), false],
    ["200 that asks for it", answered(200, { "webhook-delivery": "disable" }), true],
    ["odd spelling", answered(500, { "webhook-delivery": " Disable " }), false],
    ["twice the header", answered(500, { "webhook-delivery": ["disable", "x"] }), false],
  ])("the endpoint is disabled by %s", (_name, outcome, delivered) => {
    expect(decide(outcome, circumstances)).toMatchObject({ kind: "disable", delivered });
  });

  test("an endpoint is disabled even by the last attempt", () => {
    const last = { ...circumstances, attempt: 12 };
    expect(decide(answered(410), last)).toMatchObject({ kind: "disable" });
  });

  test.each([200, 400, 500])("a %i that asks to abort the event makes it dead", (status) => {
    const outcome = answered(status, { "webhook-delivery": "abort-message" });
    expect(decide(outcome, circumstances)).toMatchObject({ kind: "dead" });
  });

  test("a wish that nobody knows is not heard", () => {
    const outcome = answered(200, { "webhook-delivery": "defer" });
    expect(decide(outcome, circumstances)).toEqual({ kind: "delivered" });
  });

  test("the twelfth failure is the last", () => {
    const at = (attempt: number) => decide(answered(500), { ...circumstances, attempt });
    expect(at(11)).toEqual({ kind: "retry", delayMs: 12 * hour + 500 });
    expect(at(12)).toEqual({ kind: "dead", reason: "12 attempts failed", asked: false });
  });

  test.each<[string, Outcome, number, number]>([
    ["later than the schedule", answered(429, { "retry-after": "120" }), 1, 2 * minute],
    ["sooner than the schedule", answered(503, { "retry-after": "2" }), 1, 2 * second],
    ["as a date", answered(503, { "retry-after": "Mon, 23 Nov 2026 12:01:00 GMT" }), 1, minute],
    ["at once", answered(503, { "retry-after": "0" }), 1, second],
    ["always at once, on the last retry", answered(503, { "retry-after": "0" }), 11, 2.4 * hour],
    ["next year", answered(429, { "retry-after": "31536000" }), 1, 24 * hour],
    ["nonsense", answered(429, { "retry-after": "soon" }), 1, 3_000],
    ["of a status it does not belong to", answered(500, { "retry-after": "120" }), 1, 3_000],
    ["with an unfinished body", failed("http", responseOf(429, { "retry-after": "9" })), 1, 9_000],
  ])("Retry-After %s", (_name, outcome, attempt, delayMs) => {
    expect(decide(outcome, { ...circumstances, attempt })).toEqual({ kind: "retry", delayMs });
  });

  test("an endpoint is disabled after five days of nothing but failures, never by a success", () => {
    const failingSince = now - 120 * hour;
    const failing = { ...circumstances, failingSince };
    for (const outcome of [answered(500), answered(404), failed("connect")]) {
      const reason = "nothing but failures for 5 days";
      expect(decide(outcome, failing)).toEqual({ kind: "disable", reason, delivered: false });
      expect(decide(outcome, { ...failing, failingSince: failingSince + 1 }).kind).toBe("retry");
    }
    expect(decide(answered(200), failing)).toEqual({ kind: "delivered" });
  });

  test("no retry is planned after the time at which the endpoint gives up", () => {
    const giveUpAt = now + 3_000;
    expect(decide(answered(500), { ...circumstances, giveUpAt })).toEqual(retry);
    expect(decide(answered(500), { ...circumstances, giveUpAt: giveUpAt - 1 })).toMatchObject({
      kind: "dead",
    });
  });
});
