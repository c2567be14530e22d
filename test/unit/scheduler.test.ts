/**
 * Who gets the slots. Lanes are stand-ins that always have something to send, since what is asked
 * here is only in which order they are asked and how often.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { TenantId } from "../../src/log/event.ts";
import type { Delivery, Lane } from "../../src/push/lane.ts";
import type { Standing } from "../../src/push/pace.ts";
import { createScheduler } from "../../src/push/scheduler.ts";

const slots = 16;

// Those that are not proven begin a few at a time, with pauses.
beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }));
afterEach(() => void vi.useRealTimers());

/** Longer than it takes to begin as many as have room. */
function pass(): void {
  vi.advanceTimersByTime(100);
}

type Sent = { readonly name: string; finish: () => Promise<void> };

/** A scheduler, what it has started, and lanes to make. */
function open({ waits = false } = {}) {
  let isWaiting = waits;
  const underWay: Sent[] = [];
  const started: string[] = [];
  const scheduler = createScheduler({
    slots,
    mayStart: () => !isWaiting,
    deliver: ({ lane }, done) => {
      const { name } = lane.endpoint;
      started.push(name);
      const sent: Sent = {
        name,
        finish: async () => {
          underWay.splice(underWay.indexOf(sent), 1);
          done();
          await new Promise((turned) => setImmediate(turned));
        },
      };
      underWay.push(sent);
    },
  });
  return { scheduler, underWay, started, lane, of, start };

  function start(): void {
    isWaiting = false;
    scheduler.pump();
  }

  function lane(
    tenant: string,
    name: string,
    {
      standing = "proven",
      events = Infinity,
      bytes = 100,
    }: { standing?: Standing; events?: number; bytes?: number } = {},
  ): Lane {
    let left = events;
    const made = {
      endpoint: { tenant: tenant as TenantId, name },
      standing: () => standing,
      take: (): Delivery | undefined => {
        if (left === 0) return undefined;
        left -= 1;
        return { lane: made, event: { envelope: "x".repeat(bytes) } } as unknown as Delivery;
      },
    } as unknown as Lane;
    return made;
  }

  function of(prefix: string): number {
    return underWay.filter(({ name }) => name.startsWith(prefix)).length;
  }
}

describe("a tenant", () => {
  test("has a quarter of the slots while others wait, whatever it has to send", async () => {
    const { scheduler, underWay, lane, of } = open();
    for (let n = 0; n < 6; n += 1) scheduler.ready(lane("greedy", `greedy ${n}`));
    expect(of("greedy")).toBe(12); // alone: never all of them
    for (let n = 0; n < 4; n += 1) scheduler.ready(lane(`t${n}`, `other ${n}`));
    expect(of("other")).toBe(4); // the rest, at once
    for (let n = 0; n < 40; n += 1) await underWay[0]?.finish();
    expect(of("greedy")).toBeLessThanOrEqual(4);
    for (let n = 0; n < 4; n += 1) expect(of(`other ${n}`)).toBeGreaterThanOrEqual(3);
  });

  test("takes turns with its own lanes", () => {
    const { scheduler, started, lane, start } = open({ waits: true });
    const lanes = ["a", "b", "c"].map((name) => lane("t", name, { events: 4 }));
    for (const each of lanes) scheduler.ready(each);
    start();
    expect(started.join("")).toBe("abcabcabcabc");
  });

  test("that has used up its rate is left out, and the others go on", () => {
    const { scheduler, started, lane } = open();
    scheduler.limit("slow" as TenantId, 2);
    scheduler.ready(lane("slow", "slow"));
    scheduler.ready(lane("fast", "fast", { events: 3 }));
    expect(started).toEqual(["slow", "slow", "fast", "fast", "fast"]);
  });
});

describe("endpoints that are not proven", () => {
  test("have a quarter of the slots together, however many they are", () => {
    const { scheduler, lane, of } = open();
    for (let n = 0; n < 100; n += 1) {
      scheduler.ready(lane(`t${n}`, `hung ${n}`, { standing: "new" }));
    }
    pass();
    expect(of("hung")).toBe(4);
    for (let n = 0; n < 4; n += 1) scheduler.ready(lane(`h${n}`, `healthy ${n}`));
    expect(of("healthy")).toBe(12);
  });

  test("leave half of it to new ones, if they are slow", () => {
    const { scheduler, lane, of } = open();
    for (let n = 0; n < 100; n += 1) {
      scheduler.ready(lane(`t${n}`, `hung ${n}`, { standing: "slow" }));
    }
    pass();
    expect(of("hung")).toBe(2);
    for (let n = 0; n < 4; n += 1) {
      scheduler.ready(lane(`n${n}`, `new ${n}`, { standing: "new" }));
    }
    pass();
    expect(of("new")).toBe(2);
  });

  test("get their slots although those that are proven could use them all", async () => {
    const { scheduler, underWay, lane, of } = open();
    for (let n = 0; n < 8; n += 1) scheduler.ready(lane(`h${n}`, `healthy ${n}`));
    expect(of("healthy")).toBe(16);
    for (let n = 0; n < 8; n += 1) {
      scheduler.ready(lane(`n${n}`, `new ${n}`, { standing: "new" }));
    }
    for (let n = 0; n < 16; n += 1) {
      await underWay.find((sent) => sent.name.startsWith("healthy"))?.finish();
      pass();
    }
    pass();
    expect(of("new")).toBe(4);
  });

  test("stand in the right line when that changes while they wait", async () => {
    const { scheduler, underWay, lane, of } = open();
    let proven = false;
    const changing = {
      ...lane("c", "changing"),
      standing: () => (proven ? "proven" : "new") as Standing,
    };
    for (let n = 0; n < 4; n += 1) {
      scheduler.ready(lane(`t${n}`, `hung ${n}`, { standing: "new", events: 1 }));
    }
    scheduler.ready(changing);
    pass();
    expect([of("hung"), of("changing")]).toEqual([4, 0]);
    proven = true;
    scheduler.ready(changing);
    expect(of("changing")).toBe(12);
    expect(underWay).toHaveLength(16);
  });
});

describe("large events", () => {
  test("take more slots than one: as many bytes as there are slots are under way", () => {
    const { scheduler, lane, of } = open();
    for (let n = 0; n < 8; n += 1) {
      scheduler.ready(lane(`t${n}`, `large ${n}`, { bytes: 512 << 10 }));
    }
    expect(of("large")).toBe(4); // 4 slots each
  });

  test("do not get a tenant more of the bytes than others get", async () => {
    const { scheduler, underWay, started, lane } = open();
    scheduler.ready(lane("l", "large", { bytes: 256 << 10 }));
    scheduler.ready(lane("s", "small"));
    scheduler.ready(lane("t", "third"));
    for (let n = 0; n < 300; n += 1) await underWay[0]?.finish();
    const large = started.filter((name) => name === "large").length;
    const small = started.filter((name) => name === "small").length;
    expect(small / large).toBeGreaterThan(1.6);
    expect(small / large).toBeLessThan(2.4);
  });
});

test("a fault of ours reaches the process, not whoever is pumping, and the others get their turn", async () => {
  const started: string[] = [];
  const scheduler = createScheduler({
    slots,
    mayStart: () => true,
    deliver: ({ lane }) => {
      started.push(lane.endpoint.name);
      if (lane.endpoint.name === "bad") throw new Error("a fault of ours");
    },
  });
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  const uncaught = new Promise((resolve) => process.once("uncaughtException", resolve));
  try {
    const { lane } = open();
    scheduler.ready(lane("a", "bad", { events: 1 }));
    scheduler.ready(lane("b", "good", { events: 1 }));
    expect(started).toEqual(["bad", "good"]);
    expect(await uncaught).toEqual(new Error("a fault of ours"));
  } finally {
    for (const listener of others) process.on("uncaughtException", listener);
  }
});
