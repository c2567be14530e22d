/** How the records of deliveries are shown, also those that older versions left. */
import { describe, expect, test } from "vitest";
import type { AttemptRow } from "../../src/deliveries/attempts.ts";
import type { Delivery, EndpointNow } from "../../src/deliveries/outcomes.ts";
import type { TenantId } from "../../src/log/event.ts";
import { showAttempts, showDelivery } from "../../src/push/show.ts";

const at = Date.parse("2026-11-23T12:00:00.104Z");
const tenant = "6f1c2a52-0b7e-4d7d-8b6c-7d8e9f0a1b2c" as TenantId;

const delivery: Delivery = {
  tenant,
  endpoint: "019ab1c2-d3e4-7f5a-8b6c-7d8e9f0a1b2c",
  day: "2026-11-23",
  sequence: 1_042,
  event: { id: "evt_1", type: "order.created" },
  status: "delivered",
  attempts: 2,
  previous: 1_041,
  ...{ firstAt: at, lastAt: at + 5_000, dueAt: null, queueMs: 3, latencyMs: 30 },
  ...{ statusCode: 200, error: null, receipt: null },
};

const failed: AttemptRow = {
  endpoint: delivery.endpoint,
  ...{
    attempt: 1,
    trigger: "event",
    replay: null,
    at,
    queueMs: 1,
    latencyMs: 20,
    statusCode: null,
  },
  ...{ errorClass: "timeout", error: "timeout: no response head in 5 s" },
  ...{ url: "https://example.com/then", responseHeaders: null, responseBody: null },
  truncated: false,
};

const endpoint: EndpointNow = {
  ...{ tenant, tenantName: "acme", erasing: false, url: "https://example.com/now" },
  ...{ format: "json", headerNames: ["x-own"] },
};

const requeued: AttemptRow = { ...failed, attempt: 2, trigger: "drain" };

describe("an attempt", () => {
  test("has the URL that it was made to", () => {
    const [first] = showAttempts(delivery, [failed, requeued], endpoint);
    expect(first).toMatchObject({ trigger: "event", request: { url: "https://example.com/then" } });
  });

  test("of a version that did not tell has the present URL, and the trigger that there was", () => {
    const old = { trigger: null, url: null };
    const shown = showAttempts(
      delivery,
      [failed, requeued].map((row) => ({ ...row, ...old })),
      endpoint,
    );
    expect(shown).toMatchObject([
      { trigger: "event", request: { url: "https://example.com/now" } },
      { trigger: "retry", request: { url: "https://example.com/now" } },
    ]);
  });

  test("that only the outcome tells of is told from it", () => {
    expect(showAttempts({ ...delivery, attempts: 1 }, [], endpoint)).toMatchObject([
      {
        ...{ attempt: 1, trigger: "event", queue_ms: 3, latency_ms: 30, status_code: 200 },
        ...{ at: "2026-11-23T12:00:05.104Z", error: null, response: null },
      },
    ]);
  });

  test("is not told twice", () => {
    const shown = showAttempts(delivery, [failed, requeued], endpoint);
    expect(shown.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  test("is not made up while more are to come, nor where none was made", () => {
    const waiting = { ...delivery, status: "retrying", queueMs: null, latencyMs: null } as const;
    expect(showAttempts(waiting, [failed], endpoint)).toHaveLength(1);
    const skipped = { ...delivery, status: "skipped", attempts: 0 } as const;
    expect(showAttempts(skipped, [], endpoint)).toEqual([]);
    expect(showDelivery(skipped)).toMatchObject({ first_attempt_at: null, last_attempt_at: null });
  });

  test("to an endpoint that is gone tells what is known without it", () => {
    const [first, second] = showAttempts(delivery, [failed, { ...requeued, url: null }], undefined);
    expect(first?.request?.headers).not.toHaveProperty("content-type");
    expect(first?.request).toMatchObject({
      url: "https://example.com/then",
      headers: { "webhook-id": "evt_1", "webhook-signature": "[redacted]" },
    });
    expect(second?.request).toBeNull();
  });

  test.each([
    ["timeout: no response head in 5 s", "timeout", "timeout", "no response head in 5 s"],
    [
      "http: status 500 (the schedule has ended)",
      null,
      "http",
      "status 500 (the schedule has ended)",
    ],
    ["the response could not be recorded", null, "http", "the response could not be recorded"],
  ])("failed with %s", (error, errorClass, shownClass, message) => {
    const [shown] = showAttempts(delivery, [{ ...failed, error, errorClass }], endpoint);
    expect(shown?.error).toEqual({ class: shownClass, message });
  });

  test.each([
    ["set-cookie", "[redacted]"],
    ["authorization", "[redacted]"],
    ["proxy-authentication-info", "[redacted]"],
    ["x-amz-security-token", "[redacted]"],
    ["apikey", "[redacted]"],
    ["www-authenticate", "a value"],
    ["content-type", "a value"],
  ])("shows of the response's header %s: %s", (name, value) => {
    const responseHeaders = JSON.stringify({ [name]: "a value" });
    const [shown] = showAttempts(delivery, [{ ...failed, responseHeaders }], endpoint);
    expect(shown?.response).toEqual({ headers: { [name]: value }, body: "", truncated: false });
  });
});
