import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { verdictOf, type Verdict } from "../../src/push/health.ts";
import type { FailureClass } from "../../src/push/failure.ts";
import type { Outcome } from "../../src/push/outcome.ts";
import { initialPace, paceAfter, type Pace, type Standing } from "../../src/push/pace.ts";

const limits = { maxInFlight: 50, timeoutMs: 5_000 };

type Given = { verdict?: Verdict; latencyMs?: number; at?: number; full?: boolean };

function after(pace: Pace, ...attempts: Given[]): Pace {
  return attempts.reduce<Pace>(
    (state, { verdict = "success", latencyMs = 20, at = 1_000, full = true }) => {
      return paceAfter(state, { verdict, latencyMs, at, now: at + latencyMs, full }, limits);
    },
    pace,
  );
}

const times = (count: number, given: Given = {}) => Array.from({ length: count }, () => given);

describe("the window of an endpoint", () => {
  test("starts at one and grows by one with each fast answer, up to what is allowed", () => {
    const pace = initialPace("new");
    expect(pace.limit).toBe(1);
    expect(after(pace, ...times(9)).limit).toBe(10);
    expect(after(pace, ...times(500)).limit).toBe(50);
  });

  test("does not grow where it holds nothing back", () => {
    expect(after(initialPace("proven"), ...times(20, { full: false })).limit).toBe(1);
  });

  test("does not grow by answers that take half of the time-out", () => {
    expect(after(initialPace("proven"), ...times(20, { latencyMs: 2_500 })).limit).toBe(1);
    expect(after(initialPace("proven"), ...times(20, { latencyMs: 2_400 })).limit).toBe(21);
  });

  test.each(["timeout", "connection", "server", "busy"] as const)("is halved by: %s", (verdict) => {
    const wide = after(initialPace("proven"), ...times(39));
    expect(after(wide, { verdict, at: 2_000 }).limit).toBe(20);
  });

  test("is halved once by all that was under way together", () => {
    const wide = after(initialPace("proven"), ...times(39));
    const first = { verdict: "server", at: 2_000, latencyMs: 100 } as const;
    const others = times(10, { verdict: "server", at: 2_050, latencyMs: 60 });
    expect(after(wide, first, ...others).limit).toBe(20);
    expect(after(wide, first, ...others, { verdict: "server", at: 2_101 }).limit).toBe(10);
  });

  test("grows more slowly where it was halved before", () => {
    const halved = after(initialPace("proven"), ...times(39), { verdict: "busy", at: 2_000 });
    const round = after(halved, ...times(20, { at: 3_000 }));
    expect(round.limit).toBeGreaterThan(20.9);
    expect(round.limit).toBeLessThan(21.1);
  });

  test("never leaves its bounds", () => {
    const verdict = fc.constantFrom<Verdict>(
      "success",
      "answered",
      "busy",
      "timeout",
      "connection",
    );
    const attempt = fc.record({
      verdict,
      latencyMs: fc.nat(9_000),
      at: fc.nat(99_999),
      full: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(attempt, { maxLength: 200 }), (attempts) => {
        const { limit } = after(initialPace("proven"), ...attempts);
        expect(limit).toBeGreaterThanOrEqual(1);
        expect(limit).toBeLessThanOrEqual(limits.maxInFlight);
      }),
    );
  });
});

describe("an endpoint becomes", () => {
  test.each<[Standing, Standing, string, Given]>([
    ["proven", "new", "a fast answer", {}],
    ["proven", "slow", "a fast answer", {}],
    ["proven", "slow", "a fast refusal", { verdict: "answered" }],
    ["slow", "proven", "a slow answer", { latencyMs: 1_000 }],
    ["slow", "new", "a slow answer", { latencyMs: 1_000 }],
    ["slow", "proven", "a time-out", { verdict: "timeout", latencyMs: 5_000 }],
    ["slow", "new", "a time-out", { verdict: "timeout", latencyMs: 5_000 }],
    ["proven", "proven", "a failure that comes at once", { verdict: "server" }],
    ["slow", "new", "a failure that comes at once", { verdict: "connection" }],
  ])("%s when it was %s, by %s", (standing, before, _what, attempt) => {
    expect(after(initialPace(before), attempt).standing).toBe(standing);
  });
});

describe("what an attempt says of its endpoint", () => {
  const timing = { latencyMs: 1, headMs: 1, tries: 1 } as const;
  const answered = (status: number): Outcome => {
    const response = { status, headers: {}, body: Buffer.alloc(0), truncated: false };
    return { kind: "response", response, ...timing };
  };

  test.each<[number, Verdict]>([
    [200, "success"],
    [204, "success"],
    [302, "answered"],
    [400, "answered"],
    [410, "answered"],
    [429, "busy"],
    [500, "server"],
    [503, "server"],
  ])("a %i: %s", (status, verdict) => {
    expect(verdictOf(answered(status))).toBe(verdict);
  });

  test.each<[FailureClass, Verdict]>([
    ["timeout", "timeout"],
    ["dns", "connection"],
    ["connect", "connection"],
    ["reset", "connection"],
    ["tls", "connection"],
    ["address", "answered"],
    ["http", "answered"],
  ])("a failure of class %s: %s", (failureClass, verdict) => {
    const failed = { class: failureClass, message: "…", response: undefined };
    expect(verdictOf({ kind: "failed", ...failed, ...timing })).toBe(verdict);
  });
});
