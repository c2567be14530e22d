/** Receivers whose answers go wrong, and what their endpoints are told. */
import { describe, expect, test } from "vitest";
import { failureStage } from "../support/failures.ts";
import { report, secondsText, type Measured } from "../support/failure-report.ts";
import type { FailureMode } from "../support/failure-modes.ts";
import { eventOf } from "../support/pushes.ts";
import type { Behaviour } from "../support/receiver.ts";

const { pushTo, receiverThat } = failureStage();

/** Two attempts, and then the event is dead: what is to be seen here is each attempt's end. */
const twice = { retry_schedule: ["1s"] };

const dead = ({ dead: count }: { dead: number }) => count === 1;

/** One event at a receiver that goes wrong each time. */
async function deadLetterAt(behaviour: Behaviour, settings: Record<string, unknown> = {}) {
  const target = await pushTo(behaviour, { ...twice, ...settings });
  const event = await target.append();
  await target.until(dead, 30_000);
  return { ...target, measured: await target.measure([event], target.receiver) };
}

function lastTook({ latencyMs }: Measured): string {
  return `its last attempt took ${secondsText(latencyMs)}`;
}

describe.concurrent("a slow consumer", () => {
  test("just inside its time-out is delivered to, at the first attempt", async () => {
    const target = await pushTo({ kind: "answer", afterMs: 2_000 }, { timeout_ms: 4_000 });
    const event = await target.append();
    await target.settled([event]);
    const measured = await target.measure([event], target.receiver);
    expect(measured).toMatchObject({ delivered: 1, attempts: 1, told: null, lost: 0 });
    report("slow consumer, just inside the time-out", measured, lastTook(measured));
  });

  test("just outside its time-out is told which time that is", async () => {
    const late = { kind: "answer", afterMs: 3_000 } as const;
    const { measured } = await deadLetterAt(late, { timeout_ms: 2_000 });
    expect(measured).toMatchObject({ dead: 1, attempts: 2, lost: 0 });
    expect(measured.told).toBe("timeout: no response head in 2 s (2 attempts failed)");
    report("slow consumer, just outside the time-out", measured, lastTook(measured));
  });

  test("that answers 200 after its deadline gets the event again under the same id", async () => {
    const target = await pushTo(
      ({ headers }) => ({
        kind: "answer",
        afterMs: headers["tidegate-attempt"] === "1" ? 2_000 : 0,
      }),
      { timeout_ms: 1_000, ...twice },
    );
    const event = await target.append();
    await target.settled([event]);
    const measured = await target.measure([event], target.receiver);
    expect(measured).toMatchObject({ delivered: 1, attempts: 2, duplicates: 1, lost: 0 });
    expect(target.receiver.requests.map(eventOf)).toEqual([event.id, event.id]);
    report("200 after the deadline", measured);
  });
});

describe.concurrent("an endpoint is told in words", () => {
  const malformed = "HTTP/1.1 200 OK\r\n";

  test.each<[FailureMode, Behaviour, string]>([
    ["5XX", { kind: "answer", status: 500 }, "http: status 500"],
    [
      "2XX head, then a body that never comes to its end",
      { kind: "half" },
      "timeout: body not finished in 1 s",
    ],
    ["drip-fed body", { kind: "drip", everyMs: 50 }, "timeout: body not finished in 1 s"],
    ["endless body", { kind: "endless" }, "http: response body longer than 2 MiB"],
    [
      "malformed HTTP: garbage",
      { kind: "raw", bytes: "\x16\x03\x01 no HTTP at all\r\n\r\n" },
      "http: malformed response",
    ],
    [
      "malformed HTTP: bad chunk",
      { kind: "raw", bytes: `${malformed}transfer-encoding: chunked\r\n\r\nxyz\r\nok\r\n` },
      "http: malformed body",
    ],
    [
      "malformed HTTP: two content-lengths",
      { kind: "raw", bytes: `${malformed}content-length: 2\r\ncontent-length: 3\r\n\r\nokk` },
      "http: malformed response",
    ],
    [
      "malformed HTTP: header bomb",
      { kind: "raw", bytes: `${malformed}${"x-filler: 0123456789\r\n".repeat(5_000)}\r\n` },
      "http: response head too large",
    ],
  ])("that it met this: %s", async (mode, behaviour, words) => {
    const { measured, receiver } = await deadLetterAt(behaviour, { timeout_ms: 1_000 });
    expect(measured).toMatchObject({ dead: 1, attempts: 2, lost: 0 });
    expect(measured.told).toBe(`${words} (2 attempts failed)`);
    expect(receiver.requests).toHaveLength(2);
    report(mode, measured);
  });

  test("that it takes requests and never answers, after 5 s unless it says otherwise", async () => {
    const { measured, receiver } = await deadLetterAt({ kind: "hang" });
    expect(measured).toMatchObject({ dead: 1, attempts: 2, lost: 0 });
    expect(measured.told).toBe("timeout: no response head in 5 s (2 attempts failed)");
    expect(receiver.connections.open).toBe(0);
    report("accepts and never answers", measured, lastTook(measured));
  });
});

test.concurrent.each([301, 302, 307] as const)(
  "a %i is a failure, and nobody follows it",
  async (status) => {
    const elsewhere = await receiverThat();
    const redirect = { kind: "answer", status, headers: { location: elsewhere.url } } as const;
    const { measured } = await deadLetterAt(redirect);
    expect(measured).toMatchObject({ dead: 1, attempts: 2, lost: 0 });
    expect(measured.told).toBe(`http: status ${status} (2 attempts failed)`);
    expect(elsewhere.connections.accepted).toBe(0);
    report(`${status}`, measured, `${elsewhere.connections.accepted} connections to its location`);
  },
);

test("a 410 disables the endpoint, and what it did not take is held", async () => {
  const target = await pushTo({ kind: "answer", status: 410 }, twice);
  const event = await target.append();
  await target.until(({ status, retrying }) => status === "disabled" && retrying === 1);
  const measured = await target.measure([event], target.receiver);
  expect(measured).toMatchObject({ retrying: 1, attempts: 1, lost: 0 });
  expect(measured.told).toBe("http: status 410 (410 Gone)");
  expect(measured.endpoint.status_reason).toBe("410 Gone");
  report("410", measured);
});

describe.concurrent("Retry-After", () => {
  /** An HTTP date has whole seconds, so this is between two and three of them ahead. */
  const aheadMs = 3_000;

  /** The schedule alone would try again after one second: full jitter has no less. */
  test.each([
    { status: 429, form: "in seconds" },
    { status: 429, form: "as a date" },
    { status: 503, form: "in seconds" },
    { status: 503, form: "as a date" },
  ] as const)("of a $status, $form, is waited for", async ({ status, form }) => {
    let notBefore = 0;
    const target = await pushTo(({ at, headers }) => {
      if (headers["tidegate-attempt"] !== "1") return { kind: "answer" };
      const date = new Date(Date.now() + aheadMs).toUTCString();
      notBefore = form === "in seconds" ? at + 2_000 : Date.parse(date);
      const value = form === "in seconds" ? "2" : date;
      return { kind: "answer", status, headers: { "retry-after": value } };
    }, twice);
    const event = await target.append();
    await target.settled([event]);
    const measured = await target.measure([event], target.receiver);
    expect(measured).toMatchObject({ delivered: 1, attempts: 2, lost: 0 });
    expect(measured.told).toBe(`http: status ${status}`);
    const [first, second] = target.receiver.requests;
    // Timers may be a few milliseconds early; what would come by schedule is a second early.
    expect(second?.at).toBeGreaterThan(notBefore - 50);
    const waitedMs = (second?.at ?? 0) - (first?.at ?? 0);
    const note = `tried again after ${secondsText(waitedMs)}`;
    report(`${status} with Retry-After ${form}`, measured, note);
  });
});
