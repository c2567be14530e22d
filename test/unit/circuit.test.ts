import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  afterAttempt,
  afterProbe,
  closedCircuit,
  halfOpened,
  withoutProbe,
  type Circuit,
  type Open,
} from "../../src/push/circuit.ts";
import type { Verdict } from "../../src/push/health.ts";

const start = 1_000_000;
const faults: readonly Verdict[] = ["timeout", "connection", "server"];
const answers: readonly Verdict[] = ["success", "answered", "busy"];

/** `s` success, `a` answered, `b` busy, `t` time-out, `c` connection, `5` a 5xx; one a second. */
function after(attempts: string, circuit: Circuit = closedCircuit, everyMs = 1_000): Circuit {
  const verdicts: Record<string, Verdict> = {
    ...{ s: "success", a: "answered", b: "busy", t: "timeout", c: "connection", "5": "server" },
  };
  return attempts.split("").reduce((state, letter, index) => {
    const verdict = verdicts[letter];
    if (verdict === undefined) throw new Error(letter);
    const at = start + index * everyMs;
    return afterAttempt(state, { verdict, at, now: at + 100, chance: 0.5 });
  }, circuit);
}

function opened(attempts = "55555555"): Open {
  const circuit = after(attempts);
  if (circuit.kind !== "open") throw new Error("it did not open");
  return circuit;
}

describe("a closed circuit", () => {
  test.each([
    ["eight faults in a row", "55555555"],
    ["eight connections in a row that broke", "cccccccc"],
    ["faults of several kinds in a row", "5c5c5c5c"],
    ["three time-outs in a row", "ttt"],
    ["three time-outs among faults, without an answer between them", "t5tct"],
    ["thirty faults of the last fifty", "s55".repeat(15)],
  ])("opens after %s", (_what, attempts) => {
    expect(after(attempts.slice(0, -1)).kind).toBe("closed");
    expect(after(attempts).kind).toBe("open");
  });

  test.each([
    ["seven faults in a row", "s5555555s5555555s"],
    ["time-outs with answers between them", "ttsttsttstts"],
    ["a run that a refusal of an event ends", "5555555a5555555"],
    ["refusals, however many", "a".repeat(200)],
    ["being asked for less, however often", "b".repeat(200)],
    ["every second attempt that fails", "s5".repeat(100)],
    ["successes", "s".repeat(50)],
  ])("stays closed after %s", (_what, attempts) => {
    expect(after(attempts).kind).toBe("closed");
  });

  test("does not open for a rate of faults that are far apart", () => {
    expect(after("s55".repeat(40), closedCircuit, 10_000).kind).toBe("closed");
  });

  test("forgets what was before fifty attempts, and keeps no more than those", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("s", "a", "b", "5"), { maxLength: 200 }), (attempts) => {
        const circuit = after(attempts.join(""));
        if (circuit.kind === "closed") expect(circuit.recent.length).toBeLessThanOrEqual(50);
      }),
    );
    expect(after("5s".repeat(3) + "s".repeat(50))).toEqual(after("s".repeat(50)));
  });

  test("knows when the outage began that opened it: with the first attempt that failed of it", () => {
    expect(opened("ss5c5c5c5c").outageSince).toBe(start + 2_000);
  });
});

describe("an open circuit", () => {
  test("is moved by nothing that was under way when it opened", () => {
    for (const verdict of [...faults, ...answers]) {
      const circuit = opened();
      const late = { verdict, at: start, now: start + 60_000, chance: 0.5 };
      expect(afterAttempt(circuit, late)).toBe(circuit);
    }
  });

  test("is probed soon, then less and less often, and at most five times in the first minute", () => {
    let circuit: Circuit = opened();
    const first = circuit.since;
    const probes: number[] = [];
    while (circuit.kind === "open" && probes.length < 20) {
      const now = circuit.probeAt;
      probes.push(now - first);
      const ended = { verdict: "server", at: now, now, chance: 0.5 } as const;
      circuit = afterProbe(halfOpened(circuit), ended);
    }
    expect(probes.slice(0, 6)).toEqual([2_000, 6_000, 14_000, 30_000, 62_000, 122_000]);
    expect((probes.at(-1) ?? 0) - (probes.at(-2) ?? 0)).toBe(60_000);
  });

  test.each(answers)("closes when its probe is answered: %s", (verdict) => {
    const ended = { verdict, at: start, now: start, chance: 0.5 };
    expect(afterProbe(halfOpened(opened()), ended)).toEqual(closedCircuit);
  });

  test.each(faults)("stays open when its probe fails, since when it has been: %s", (verdict) => {
    const { since, outageSince } = opened();
    const ended = { verdict, at: start + 9_000, now: start + 9_500, chance: 0 };
    const circuit = afterProbe(halfOpened(opened()), ended);
    const probeAt = start + 9_500 + 3_000;
    expect(circuit).toEqual({ kind: "open", since, outageSince, probes: 1, probeAt });
  });

  test("is probed again at once when a probe was cut short by us", () => {
    const circuit = withoutProbe(halfOpened(opened()), start + 1);
    expect(circuit).toMatchObject({ kind: "open", probes: 0, probeAt: start + 1 });
  });
});
