/** What support is told of an event at an endpoint: the sentences and the states, as a table. */
import { describe, expect, test } from "vitest";
import type { AttemptRow } from "../../src/deliveries/attempts.ts";
import type { Delivery, RecordedStatus } from "../../src/deliveries/outcomes.ts";
import type { Replay } from "../../src/deliveries/replays.ts";
import type { Party, Standing } from "../../src/deliveries/timeline.ts";
import type { TenantId } from "../../src/log/event.ts";
import { explain, obstacleOf, stageOf } from "../../src/stats/explain.ts";
import { entriesOf } from "../../src/stats/timeline.ts";

const appendedAt = Date.parse("2026-11-23T12:00:00.000Z");
const now = appendedAt + 60_000;
const event = { sequence: 1_053, appendedAt };
const full = {
  ...{ ...event, day: "2026-11-23", type: "order.created", subject: null, envelope: "" },
};
const endpoint = "019ab1c2-d3e4-7f5a-8b6c-7d8e9f0a1b2c";
const job = "019ab1c2-d3e4-7f5a-8b6c-7d8e9f0a1b2d";
const jobName = "rpl_019ab1c2d3e47f5a8b6c7d8e9f0a1b2d";

const standing: Standing = {
  ...{ url: "https://example.com", createdAt: appendedAt - 1_000, status: "active" },
  ...{ statusReason: null, position: 1_060, inFlight: 0, circuit: "closed", circuitSince: null },
  ...{ circuitProbeAt: null, resumedAt: null, blockedAt: null, behind: null },
};

const party: Party = {
  ...{ endpoint, standing, delivery: undefined, attempts: [], receipt: undefined, replays: [] },
};

function at(seconds: number): string {
  return new Date(appendedAt + seconds * 1_000).toISOString();
}

function attempt(number: number, error: string | null, others: Partial<AttemptRow> = {}) {
  const status = /status (\d+)/.exec(error ?? "status 200")?.[1];
  const row: AttemptRow = {
    ...{ endpoint, attempt: number, trigger: number === 1 ? "event" : "retry", replay: null },
    ...{ at: appendedAt + number * 1_000, queueMs: 2, latencyMs: 30, url: null, error },
    ...{ statusCode: status === undefined ? null : Number(status), responseHeaders: null },
    errorClass: status === undefined ? (error?.split(":")[0] ?? null) : null,
    ...{ responseBody: null, truncated: false },
  };
  return { ...row, ...others };
}

/** A recorded delivery with the attempts that came to these errors. */
function recorded(
  status: RecordedStatus,
  errors: (string | null)[],
  { party: others = {}, ...of }: Partial<Delivery> & { party?: Partial<Party> } = {},
): Party {
  const delivery: Delivery = {
    ...{ tenant: "t" as TenantId, endpoint, day: "2026-11-23", sequence: event.sequence, status },
    ...{ event: { id: "evt_1", type: "order.created" }, attempts: errors.length, previous: null },
    ...{ firstAt: appendedAt, lastAt: appendedAt + errors.length * 1_000, dueAt: null },
    ...{ queueMs: null, latencyMs: null, statusCode: null, error: errors.at(-1) ?? null },
    ...{ receipt: null, ...of },
  };
  const attempts = errors.map((error, index) => attempt(index + 1, error));
  return { ...party, delivery, attempts, ...others };
}

function waiting(of: Partial<Standing>): Party {
  return { ...party, standing: { ...standing, position: 1_041, ...of } };
}

const replay: Replay = {
  ...{ tenant: "t" as TenantId, id: job, endpoint, kind: "dead", types: null, after: 0 },
  ...{ through: 2_000, sequence: 1_000, status: "running", total: null, sent: 0, failed: 0 },
  ...{ since: null, until: null, createdAt: appendedAt + 5_000, finishedAt: null },
  ...{ waitingFor: null, requestedBy: null },
};

const status503 = "http: status 503";
const timeout = "timeout: no response head in 5 s";
const processed = { status: "processed", detail: null, at: appendedAt + 4_000 } as const;

const table: [string, Party, string, string | undefined, string][] = [
  [
    ...(["at once", recorded("delivered", [null]), "delivered", undefined] as const),
    "Delivered on the first attempt (200), 1030 ms after it was appended.",
  ],
  [
    ...(["after failures", recorded("delivered", [status503, timeout, null])] as const),
    ...(["delivered", undefined] as const),
    "Delivered on attempt 3 after two failures: 503, then a time-out.",
  ],
  [
    "after many",
    recorded("delivered", [...Array.from({ length: 11 }, () => status503), null]),
    ...(["delivered", undefined] as const),
    "Delivered on attempt 12 after 11 failures, the last: 503.",
  ],
  [
    "and replayed",
    recorded("delivered", [null], {
      party: {
        attempts: [attempt(1, null), attempt(2, timeout, { trigger: "replay", replay: job })],
      },
    }),
    ...(["delivered", undefined] as const),
    "Delivered on the first attempt (200), 1030 ms after it was appended. " +
      `Sent once more by replays, the last ${jobName}: a time-out.`,
  ],
  [
    ...([
      "dead",
      recorded(
        "dead",
        Array.from({ length: 12 }, () => "http: status 500"),
      ),
    ] as const),
    ...(["dead", undefined, "Dead after 12 attempts, last: http: status 500."] as const),
  ],
  [
    ...(["dead soon", recorded("dead", [status503, timeout, "http: status 500"])] as const),
    ...(["dead", undefined] as const),
    "Dead after 3 attempts: 503, then a time-out, last: http: status 500.",
  ],
  [
    "dead by its schedule, and to be replayed",
    recorded("dead", [status503], {
      error: "http: status 503 (1 attempt failed)",
      party: { replays: [replay] },
    }),
    ...(["dead", undefined] as const),
    `Dead after 1 attempt, last: http: status 503. The replay ${jobName} has not come to it yet.`,
  ],
  [
    "retried later",
    recorded("retrying", [status503], { dueAt: now + 5_000 }),
    ...(["retrying", undefined] as const),
    `Retrying: attempt 1 failed: 503; attempt 2 is due at ${at(65)}.`,
  ],
  [
    "retried when the circuit closes",
    recorded("retrying", [timeout], {
      dueAt: appendedAt + 9_000,
      party: {
        standing: {
          ...{ ...standing, circuit: "open", circuitSince: appendedAt + 3_000 },
          circuitProbeAt: appendedAt + 70_000,
        },
      },
    }),
    ...(["retrying", "circuit"] as const),
    `Retrying: attempt 1 failed: a time-out; attempt 2 has been due since ${at(9)}, and waits: ` +
      `the endpoint's circuit has been open since ${at(3)}; next probe at ${at(70)}.`,
  ],
  [
    "accepted",
    recorded("awaiting_receipt", [null], { dueAt: now + 1_000 }),
    ...(["awaiting_receipt", undefined] as const),
    `Accepted on attempt 1 (200), waiting for its consumer's receipt; without one by ${at(61)} ` +
      "it is tried again.",
  ],
  [
    "settled before",
    { ...party, receipt: processed },
    ...(["settled", undefined] as const),
    `Settled by a receipt: its consumer reported it processed at ${at(4)}, before it was sent.`,
  ],
  [
    "settled after a failure",
    recorded("settled", [status503], { party: { receipt: processed } }),
    ...(["settled", undefined] as const),
    `Settled by a receipt: its consumer reported it processed at ${at(4)} after 1 attempt, last: ` +
      "http: status 503.",
  ],
  [
    "delivered, then refused by its consumer",
    recorded("delivered", [null], { party: { receipt: { ...processed, status: "failed" } } }),
    ...(["delivered", undefined] as const),
    "Delivered on the first attempt (200), 1030 ms after it was appended. " +
      `Its consumer reported at ${at(4)} that it has failed with it.`,
  ],
  [
    ...(["skipped", recorded("skipped", [status503]), "skipped", undefined] as const),
    "Skipped: the endpoint was resumed from a later position after 1 attempt, last: " +
      "http: status 503.",
  ],
  [
    ...(["expired", recorded("expired", []), "expired", undefined] as const),
    "Expired: retention took the event before it was delivered.",
  ],
  [
    ...(["behind others", waiting({ inFlight: 3 }), "waiting", "order"] as const),
    "Waiting: the endpoint is at 1041, 12 events before this one, with 3 attempts under way.",
  ],
  [
    ...(["next", waiting({ position: 1_052 }), "waiting", undefined] as const),
    "Waiting: the endpoint is at 1052, right before this one.",
  ],
  [
    "paused",
    waiting({ status: "paused", statusReason: "maintenance" }),
    ...(["waiting", "paused"] as const),
    "Waiting: the endpoint is paused (maintenance). " +
      "The endpoint is at 1041, 12 events before this one.",
  ],
  [
    ...(["polled", waiting({ status: "polling" }), "waiting", "polling"] as const),
    "Waiting: the endpoint is polled by its consumer, nothing is pushed. " +
      "The endpoint is at 1041, 12 events before this one.",
  ],
  [
    "behind an open circuit",
    waiting({ circuit: "open", circuitSince: appendedAt, circuitProbeAt: now + 1_000 }),
    ...(["waiting", "circuit"] as const),
    `Waiting: the endpoint's circuit has been open since ${at(0)}; next probe at ${at(61)}. ` +
      "The endpoint is at 1041, 12 events before this one.",
  ],
  [
    "of a blocked subject",
    waiting({ position: 1_060, blockedAt: 1_044, behind: 1_045 }),
    ...(["waiting", "subject"] as const),
    "Waiting: event 1045 of its subject is not delivered yet, and the endpoint keeps their order.",
  ],
  [
    ...(["next of its subject", waiting({ position: 1_060, blockedAt: 1_044 })] as const),
    ...(["waiting", undefined, "Waiting: the endpoint is at 1044 with its subject."] as const),
  ],
  [
    "right behind one that fails, in order",
    waiting({ position: 1_052, behind: 1_052 }),
    ...(["waiting", "order"] as const),
    "Waiting: event 1052 is not delivered yet, and the endpoint keeps their order. " +
      "The endpoint is at 1052, right before this one.",
  ],
  [
    "sent again for its consumer",
    recorded("delivered", [null, null], { party: { attempts: [attempt(2, null)] } }),
    ...(["delivered", undefined] as const),
    "Delivered on attempt 2, since its consumer had reported that it failed with it before.",
  ],
  [
    "of an endpoint that is younger",
    { ...party, standing: { ...standing, createdAt: now } },
    ...(["not_matched", undefined] as const),
    "Not sent: the endpoint was made after this event and begins behind it.",
  ],
  [
    "passed over on purpose",
    { ...party, standing: { ...standing, resumedAt: now } },
    ...(["not_matched", undefined] as const),
    `Not sent: the endpoint was put behind it when it was resumed elsewhere at ${at(60)}.`,
  ],
  [
    ...(["of another filter", party, "not_matched", undefined] as const),
    "Not sent: the endpoint's filter did not match it when the endpoint came to it.",
  ],
  [
    "of an endpoint that is gone",
    recorded("dead", [status503], { party: { standing: undefined } }),
    ...(["dead", undefined] as const),
    "Dead after 1 attempt, last: http: status 503. The endpoint was removed since.",
  ],
];

describe("an event at an endpoint is explained", () => {
  test.each(table)("%s", (_, one, stage, obstacle, sentence) => {
    expect([stageOf(one, event), obstacleOf(one, event, now)]).toEqual([stage, obstacle]);
    expect(explain(one, event, now)).toBe(sentence);
  });
});

test("what a consumer asked for once more is due after its receipt", () => {
  const receipt = { ...processed, status: "failed" } as const;
  const of = { dueAt: now, party: { receipt } };
  const entries = entriesOf(full, [recorded("retrying", [null], of)]);
  expect(entries.map(({ kind }) => kind)).toEqual([
    ...["appended", "queued", "attempt", "receipt", "retry_scheduled"],
  ]);
  expect(entries.at(-1)).toMatchObject({ at: at(4), attempt: 2, due_at: at(60) });
});

test("what happened stands in the order of time, with what was planned after each failure", () => {
  const one = recorded("retrying", [status503, timeout], {
    ...{ dueAt: now, receipt: { ...processed, status: "failed", detail: "no such order" } },
    party: { receipt: { ...processed, status: "failed", detail: "no such order" } },
  });
  expect(
    entriesOf(full, [one]).map(({ at: when, kind, ...others }) => [when, kind, others]),
  ).toMatchObject([
    [at(0), "appended", { sequence: "00000000000000001053" }],
    [at(0.998), "queued", { after_append_ms: 998 }],
    [at(1), "attempt", { attempt: 1, error: { class: "http", message: "status 503" } }],
    [at(1.03), "retry_scheduled", { attempt: 2, due_at: at(1.998) }],
    [at(2), "attempt", { attempt: 2, error: { class: "timeout" } }],
    [at(2.03), "retry_scheduled", { attempt: 3, due_at: at(60) }],
    [at(4), "receipt", { status: "failed", detail: "no such order" }],
  ]);
});
