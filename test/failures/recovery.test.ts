/** Receivers that fall behind or go away, and what they have when they are back. */
import { Webhook } from "standardwebhooks";
import { expect, test } from "vitest";
import { failureStage } from "../support/failures.ts";
import { report, secondsText, sized } from "../support/failure-report.ts";
import { eventOf, header } from "../support/pushes.ts";
import type { Received } from "../support/receiver.ts";

const { pushTo, receiverThat, targetAt } = failureStage();

/** As many as an endpoint may have, a second apart: nothing dies while a test waits. */
const patient = Array<string>(22).fill("1s");

const backlogEvents = sized(2_000, 200_000);
const outageEvents = sized(300, 20_000);

/** Two hundred a second is a small part of what two cores do, even beside other work. */
const drainDeadlineMs = 30_000 + 5 * backlogEvents;

const testTimeoutMs = 2 * drainDeadlineMs;

test(
  `a backlog of ${backlogEvents.toLocaleString("en")} events builds up in the log and drains`,
  { timeout: testTimeoutMs },
  async () => {
    const released = Promise.withResolvers<void>();
    const target = await pushTo(
      async () => {
        await released.promise;
        return { kind: "answer" };
      },
      { timeout_ms: 30_000, retry_schedule: patient },
    );
    const events = await target.appendMany(backlogEvents);
    // The log is the queue: what is not under way waits there, and nothing of it is lost.
    await target.until(({ lag }) => lag.events > 0.9 * backlogEvents);

    const releasedAt = performance.now();
    released.resolve();
    await target.settled(events, drainDeadlineMs);
    const drainedMs = performance.now() - releasedAt;
    const measured = await target.measure(events, target.receiver);
    expect(measured).toMatchObject({ delivered: backlogEvents, dead: 0, lost: 0 });
    report("backlog build-up, and its drain", measured, `drained in ${secondsText(drainedMs)}`);
  },
);

test(
  "a receiver that was down through many events gets every one of them",
  { timeout: 60_000 + 10 * outageEvents },
  async () => {
    const before = await receiverThat();
    const target = await targetAt(before.url, { timeout_ms: 2_000, retry_schedule: patient });
    const early = await target.appendMany(10);
    await target.settled(early);
    await before.stop();

    const during = await target.appendMany(outageEvents);
    const down = await target.until(({ retrying }) => retrying > 0);
    expect(down.last_failure?.error).toMatch(/^(connect|reset): /);

    const back = await receiverThat(undefined, { port: before.port });
    const late = await target.appendMany(10);
    const events = [...early, ...during, ...late];
    const backAt = performance.now();
    await target.settled(events, 30_000 + 10 * outageEvents);
    const wholeMs = performance.now() - backAt;
    const measured = await target.measure(events, before, back);
    expect(measured).toMatchObject({ delivered: events.length, dead: 0, lost: 0 });
    const note = `whole again after ${secondsText(wholeMs)}`;
    report("receiver down through many events, then back", measured, note);
  },
);

test("one event has the same bytes and id over all attempts, and is signed anew each time", async () => {
  const attempts = 4;
  const target = await pushTo(
    ({ headers }) => ({
      kind: "answer",
      status: Number(headers["tidegate-attempt"]) < attempts ? 429 : 200,
    }),
    { retry_schedule: patient },
  );
  const event = await target.append({ text: "é 🎈", amount: 1.5 });
  await target.settled([event], 30_000);
  const { requests } = target.receiver;
  expect(requests.map(header("tidegate-attempt"))).toEqual(["1", "2", "3", "4"]);
  expect(new Set(requests.map(eventOf))).toEqual(new Set([event.id]));
  const bodies = new Set(requests.map(({ body }) => body.toString("hex")));
  const timestamps = new Set(requests.map(header("webhook-timestamp")));
  const signatures = new Set(requests.map(header("webhook-signature")));
  expect([bodies.size, timestamps.size, signatures.size]).toEqual([1, attempts, attempts]);
  const webhook = new Webhook(target.endpoint.secret);
  for (const request of requests) expect(() => verify(webhook, request)).not.toThrow();
  const measured = await target.measure([event], target.receiver);
  expect(measured).toMatchObject({ delivered: 1, attempts, duplicates: attempts - 1, lost: 0 });
  const notes = [`${bodies.size} body`, `${signatures.size} signatures`];
  report("one event over many attempts", measured, ...notes);
});

function verify(webhook: Webhook, { body, headers }: Received): unknown {
  return webhook.verify(body, headers as Record<string, string>);
}
