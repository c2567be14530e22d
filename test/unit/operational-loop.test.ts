/**
 * Goal: operational events never keep themselves going, whatever a receiver does. Method: one endpoint
 * that is sent everything, with real circuits and real rules of telling, and a receiver that answers
 * at random, with other odds for our own events than for its producer's. What is told is appended and
 * sent to it too. Events of both kinds are there at the beginning; then the log has to come to an end.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DeliveryRecord } from "../../src/deliveries/ledger.ts";
import { isOperational, type Notice } from "../../src/deliveries/notice.ts";
import type { LogEvent, TenantId } from "../../src/log/event.ts";
import {
  afterAttempt,
  afterProbe,
  closedCircuit,
  halfOpened,
  type Circuit,
} from "../../src/push/circuit.ts";
import { createLaneNotices } from "../../src/push/notices.ts";
import { createChance, type Chance } from "../support/chance.ts";

const endpoint = {
  tenant: "8a3c5e0d-1f2b-4c6d-9e8f-0a1b2c3d4e5f" as TenantId,
  id: "1f9e2c4b-7a6d-4f3c-8b5a-9d0e1c2f3a4b",
  name: "ep_1f9e2c4b7a6d4f3c8b5a9d0e1c2f3a4b",
  url: "https://user:secret@hooks.example.com/T0/secret?token=secret",
};

/** As many as the default schedule allows. */
const attemptsMax = 12;

/** A log that has not grown for so many attempts is one that has come to its end. */
const quietMax = 200;

function eventOf(sequence: number, type: string): LogEvent {
  const envelope = `{"specversion":"1.0","id":"evt_${sequence}"}`;
  return { sequence, day: "2026-11-23", type, subject: null, appendedAt: 0, envelope };
}

function recordOf(kind: DeliveryRecord["kind"], sequence: number, requeued = false) {
  return {
    ...{ kind, day: "2026-11-23", sequence, previous: 0, attempts: 1, retried: true, requeued },
    ...{ firstAt: 0, at: 1_000, queueMs: 0, latencyMs: 0, statusCode: 500, error: "http: 500" },
    ...{ dueAt: null, detail: null },
  } satisfies DeliveryRecord;
}

/** Of our own events, and of those of producers. */
type Kinds = { ours: number; producers: number };

function simulate(appended: Kinds, accepted: Kinds, chance: Chance) {
  let sequence = 0;
  let attempts = 0;
  let now = 1_000_000;
  let circuit: Circuit = closedCircuit;
  const told: Notice[] = [];
  const pending: { event: LogEvent; attempts: number }[] = [];
  const notices = createLaneNotices((_tenant, notice) => {
    told.push(notice);
    append(notice.type);
  });
  for (let count = 0; count < appended.ours; count += 1) append("tidegate.endpoint.disabled");
  for (let count = 0; count < appended.producers; count += 1) append("order.created");

  let grewAt = 0;
  let length = sequence;
  for (let step = 0; step - grewAt < quietMax && pending.length > 0; step += 1) {
    attempt();
    if (sequence > length) [length, grewAt] = [sequence, step];
  }
  notices.stop();
  return { told, attempts };

  function fraction(): number {
    return chance.below(1_000) / 1_000;
  }

  function append(type: string): void {
    pending.push({ event: eventOf((sequence += 1), type), attempts: 0 });
  }

  function attempt(): void {
    const index = chance.below(pending.length);
    const sent = pending[index];
    if (sent === undefined) throw new Error("nothing to send");
    const { event } = sent;
    const isOurs = isOperational(event.type);
    const isTaken = fraction() < (isOurs ? accepted.ours : accepted.producers);
    const isProbe = circuit.kind === "open";
    if (circuit.kind === "open") {
      now = Math.max(now, circuit.probeAt);
      circuit = halfOpened(circuit);
    }
    const verdict = isTaken ? ("success" as const) : ("server" as const);
    const ended = { verdict, at: now, now: (now += 10), chance: fraction() };
    const outcome = isTaken ? "delivered" : isProbe ? "probe failed" : "retry";
    notices.observe({ delivery: { event, source: "log", lane: { endpoint } }, outcome });
    if (!isOurs && outcome !== "probe failed") attempts += 1;
    if (isTaken) pending.splice(index, 1);
    else if (!isProbe && (sent.attempts += 1) >= attemptsMax) {
      pending.splice(index, 1);
      notices.written(endpoint, recordOf("dead", event.sequence), event);
    }
    become(isProbe ? afterProbe(circuit, ended) : afterAttempt(circuit, ended));
  }

  function become(next: Circuit): void {
    const before = circuit;
    circuit = next;
    if (before.kind === "closed" && next.kind === "open") notices.opened(endpoint, next, "500");
    if (before.kind !== "closed" && next.kind === "closed") notices.closed(endpoint, before);
  }
}

describe("a receiver that answers at random", () => {
  const share = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1));
  const events = fc.record({ ours: fc.nat(30), producers: fc.nat(60) });
  const odds = fc.record({ ours: share, producers: share });

  test("is told of no more than its producer's events were attempted", () => {
    fc.assert(
      fc.property(events, odds, fc.nat(), (appended, accepted, seed) => {
        const { told, attempts } = simulate(appended, accepted, createChance(seed));
        const count = (type: string) => told.filter((each) => each.type.endsWith(type)).length;
        // One for each attempt, and one when nothing was told yet.
        expect(count(".circuit_opened")).toBeLessThanOrEqual(attempts + 1);
        expect(count(".circuit_closed")).toBeLessThanOrEqual(count(".circuit_opened"));
        const lost = told.filter(({ type }) => type.endsWith(".dead_lettered"));
        const dead = lost.reduce((sum, { data }) => sum + Number(data["count"]), 0);
        expect(dead).toBeLessThanOrEqual(appended.producers);
      }),
      { numRuns: 50 },
    );
  });

  test("but refuses most of ours is told of at most one outage when nothing else comes", () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const appended = { ours: 30, producers: 0 };
        const { told } = simulate(appended, { ours: 0.1, producers: 1 }, createChance(seed));
        expect(told.length).toBeLessThanOrEqual(2);
      }),
      { numRuns: 20 },
    );
  });
});

describe("what is told", () => {
  const event = eventOf(7, "order.created");

  function toldOf(tell: (notices: ReturnType<typeof createLaneNotices>) => void): Notice[] {
    const told: Notice[] = [];
    const notices = createLaneNotices((_tenant, notice) => void told.push(notice));
    tell(notices);
    notices.stop();
    return told;
  }

  test("is nothing of our own events, nor of what died a second time", () => {
    const told = toldOf((notices) => {
      for (const kind of ["dead", "expired"] as const) {
        notices.written(endpoint, recordOf(kind, 7), eventOf(7, "tidegate.endpoint.disabled"));
      }
      notices.written(endpoint, recordOf("dead", 7, true), event);
      for (const kind of ["delivered", "retrying", "awaiting_receipt"] as const) {
        notices.written(endpoint, recordOf(kind, 7), event);
      }
    });
    expect(told).toEqual([]);
  });

  test("of many deliveries is one notice that names a hundred and counts all", () => {
    const [notice, ...others] = toldOf((notices) => {
      for (let sequence = 1; sequence <= 100_000; sequence += 1) {
        notices.written(endpoint, recordOf("dead", sequence), event);
      }
    });
    expect(others).toEqual([]);
    expect(notice?.data).toMatchObject({ count: 100_000, endpoint: endpoint.name });
    expect(notice?.data["deliveries"]).toHaveLength(100);
  });

  test("has no more of a URL than its origin", () => {
    const outage = { since: 1_000, outageSince: 500 };
    const [notice] = toldOf((notices) => notices.opened(endpoint, outage, "timeout"));
    expect(notice?.data["url"]).toBe("https://hooks.example.com");
    expect(JSON.stringify(notice)).not.toContain("secret");
  });
});
