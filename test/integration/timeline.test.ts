/** The life of an event in one answer, of pushes that were really made. */
import { describe, expect, test } from "vitest";
import type { Json } from "../support/client.ts";
import { openPushSuite } from "../support/push-suite.ts";
import type { Behave, Behaviour } from "../support/receiver.ts";
import { waitUntil } from "../support/wait.ts";

type Entry = { readonly at: string; readonly kind: string; readonly endpoint?: string } & Json;

type Endpoint = {
  readonly id: string;
  readonly url: string | null;
  readonly status: string;
  readonly delivery: string | null;
  readonly attempts: number;
  readonly waits_for: string | null;
  readonly explanation: string;
};

type Timeline = {
  readonly event: Json;
  readonly entries: readonly Entry[];
  readonly endpoints: readonly Endpoint[];
  readonly not_matched: number;
  readonly cursor: string | null;
  readonly has_more: boolean;
};

const suite = openPushSuite();

async function timeline(id: string, query = ""): Promise<Timeline> {
  return (await suite.client.expectOk("GET", `/events/${id}/timeline${query}`)) as Timeline;
}

/** The timeline as soon as the event stands so at all of these endpoints. */
function timelineWhen(id: string, wanted: Readonly<Record<string, string>>): Promise<Timeline> {
  return waitUntil(
    async () => {
      const found = await timeline(id);
      const stages = new Map(found.endpoints.map((each) => [each.id, each.status]));
      return Object.entries(wanted).every(([name, status]) => stages.get(name) === status) && found;
    },
    { what: `an event that is ${JSON.stringify(wanted)}`, deadlineMs: 10_000 },
  );
}

/** Refuses the first so many requests. */
function failing(times: number): Behave {
  let count = 0;
  return () => ({ kind: "answer", status: (count += 1) > times ? 200 : 503 });
}

const aborting: Behaviour = {
  ...{ kind: "answer", status: 500 },
  headers: { "webhook-delivery": "abort-message" },
};

describe("the timeline of an event", () => {
  test("tells what happened at every endpoint, and who sent it again", async () => {
    const { client } = suite;
    const tenant = await suite.newTenant();
    const [slow, bad] = [await suite.receiverThat(failing(1)), await suite.receiverThat(aborting)];
    const make = (settings: Json) => client.createEndpoint(tenant, { url: bad.url, ...settings });
    const retried = await make({ url: slow.url, retry_schedule: ["1s"] });
    const dead = await make({});
    const paused = await make({});
    await client.act(paused.id, "pause");
    await make({ types: ["invoice.*"] });
    const { id } = await client.append(tenant, { n: 1 });
    const younger = await make({});

    const first = await timelineWhen(id, { [retried.id]: "delivered", [dead.id]: "dead" });
    expect(first.event).toMatchObject({ id, tenant, type: "order.created" });
    expect(first.not_matched).toBe(1);
    expect(first.endpoints.map((each) => [each.id, each.status, each.waits_for])).toEqual([
      [younger.id, "not_matched", null],
      [paused.id, "waiting", "paused"],
      [dead.id, "dead", null],
      [retried.id, "delivered", null],
    ]);
    expect(first.endpoints.map(({ explanation }) => explanation)).toEqual([
      "Not sent: the endpoint was made after this event and begins behind it.",
      "Waiting: the endpoint is paused. The endpoint is at 0, right before this one.",
      expect.stringMatching(/^Dead after 1 attempt, last: http: status 500 \(.+\)\.$/),
      "Delivered on attempt 2 after one failure: 503.",
    ]);
    const ofRetried = first.entries.filter(({ endpoint }) => endpoint === retried.id);
    expect(ofRetried).toMatchObject([
      { kind: "queued" },
      { kind: "attempt", attempt: 1, trigger: "event", status_code: 503 },
      { kind: "retry_scheduled", attempt: 2 },
      { kind: "attempt", attempt: 2, trigger: "retry", status_code: 200, error: null },
    ]);
    expect(first.entries[0]).toMatchObject({ kind: "appended", at: first.event["appended_at"] });
    expect(first.entries.map(({ at }) => at)).toEqual(first.entries.map(({ at }) => at).toSorted());

    const linked = first.endpoints.find((each) => each.id === dead.id)?.delivery;
    expect(await client.expectOk("GET", `/deliveries/${linked}`)).toMatchObject({ status: "dead" });

    bad.behave({ kind: "answer" });
    const job = await client.expectOk("POST", `/endpoints/${dead.id}/replays`, { status: "dead" });
    const second = await timelineWhen(id, { [dead.id]: "delivered" });
    const ofDead = second.entries.filter(({ endpoint }) => endpoint === dead.id);
    expect(ofDead).toMatchObject([
      ...[{ kind: "queued" }, { kind: "attempt", attempt: 1, trigger: "event" }],
      {
        kind: "replay",
        replay: job["id"],
        which: "dead",
        sent: true,
        requested_by: expect.any(String),
      },
      { kind: "attempt", attempt: 2, trigger: "replay", replay: job["id"], status_code: 200 },
    ]);
    expect(second.endpoints.find((each) => each.id === dead.id)?.explanation).toBe(
      `Delivered by the replay ${String(job["id"])} on attempt 2 after one failure: 500.`,
    );

    await client.expectOk("DELETE", `/endpoints/${dead.id}`);
    const pages = [await timeline(id, "?limit=1")];
    while (pages.at(-1)?.has_more) {
      pages.push(await timeline(id, `?limit=1&cursor=${pages.at(-1)?.cursor}`));
    }
    const walked = pages.flatMap(({ endpoints }) => endpoints);
    expect(walked.map((each) => each.id)).toEqual(second.endpoints.map((each) => each.id));
    expect(walked.find((each) => each.id === dead.id)?.url).toBeNull();
  });

  test("tells which event is in the way where the order is kept, and what a removed endpoint did", async () => {
    const { client } = suite;
    const tenant = await suite.newTenant();
    const { url } = await suite.receiverThat(failing(Infinity));
    const make = (ordering: string) =>
      client.createEndpoint(tenant, { url, ordering, retry_schedule: ["1h"] });
    const [fifo, bySubject] = [await make("fifo"), await make("subject")];
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    const event = { tenant, type: "order.created", subject: "order_1", data: 1, traceparent };
    const append = async () => String((await client.expectOk("POST", "/events", event))["id"]);
    const head = await append();
    const next = await append();
    await timelineWhen(head, { [fifo.id]: "retrying", [bySubject.id]: "retrying" });
    const { event: told, endpoints } = await timelineWhen(next, { [bySubject.id]: "waiting" });
    expect(endpoints.map((each) => [each.id, each.status, each.waits_for])).toEqual([
      [bySubject.id, "waiting", "subject"],
      [fifo.id, "waiting", "order"],
    ]);
    expect(told["trace"]).toBe(traceparent.split("-")[1]);
    for (const { explanation } of endpoints) {
      expect(explanation).toMatch(/^Waiting: event 1 (of its subject )?is not delivered yet, /);
    }

    await client.expectOk("DELETE", `/endpoints/${fifo.id}`);
    const after = await timelineWhen(head, { [fifo.id]: "skipped" });
    expect(after.endpoints.find(({ id }) => id === fifo.id)?.explanation).toBe(
      "Skipped after 1 attempt, last: http: status 503. The endpoint was removed since.",
    );
    const kinds = after.entries.filter(({ endpoint }) => endpoint === fifo.id);
    expect(kinds.map(({ kind }) => kind)).toEqual(["queued", "attempt", "skipped"]);
  });

  test("tells of receipts, of those that come before the push too", async () => {
    const { client } = suite;
    const { tenant, id: pushed } = await suite.pushTo(undefined, { require_receipt: true });
    const polled = await client.createEndpoint(tenant, { url: "http://127.0.0.1:9/none" });
    await client.act(polled.id, "poll");
    const { id, cursor } = await client.append(tenant, { n: 1 });
    const awaiting = await timelineWhen(id, {
      [pushed]: "awaiting_receipt",
      [polled.id]: "waiting",
    });
    expect(awaiting.endpoints.map(({ explanation }) => explanation)).toEqual([
      expect.stringMatching(/^Waiting: the endpoint is polled by its consumer, nothing is pushed/),
      expect.stringMatching(/^Accepted on attempt 1 \(200\), waiting for its consumer's receipt; /),
    ]);

    const processed = { status: "processed", detail: "seen" };
    await client.expectOk("POST", "/receipts", { endpoint: pushed, events: [id], ...processed });
    await client.expectOk("POST", "/receipts", {
      endpoint: polled.id,
      through: cursor,
      ...processed,
    });
    const done = await timelineWhen(id, { [pushed]: "delivered", [polled.id]: "settled" });
    expect(done.entries.map(({ kind, endpoint }) => [kind, endpoint])).toEqual([
      ["appended", undefined],
      ...[["queued", pushed] as const, ["attempt", pushed] as const, ["receipt", pushed] as const],
      ...[["receipt", polled.id] as const, ["settled", polled.id] as const],
    ]);
    expect(done.entries.find(({ kind }) => kind === "receipt")).toMatchObject(processed);
    expect(done.endpoints.map(({ explanation }) => explanation)).toEqual([
      expect.stringMatching(/^Settled by a receipt: .* before it was sent\.$/),
      expect.stringMatching(
        /^Delivered on the first attempt \(200\).* that it has processed it\.$/,
      ),
    ]);
  });
});
