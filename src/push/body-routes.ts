/** What the routes of deliveries show. */
import { z } from "zod";
import { deliveryStatuses } from "../deliveries/history.ts";
import { eventExample } from "../http/event-schema.ts";
import { timestamp } from "../http/schemas.ts";

export const deliveryExample = {
  id: "dlv_6f1c2a520b7e4d7d019ab1c2d3e47f5a8b6c7d8e9f0a1b2c512c412",
  endpoint: "ep_019ab1c2d3e47f5a8b6c7d8e9f0a1b2c",
  event: { id: eventExample.id, type: eventExample.type, sequence: eventExample.sequence },
  status: "retrying",
  attempts: 1,
  first_attempt_at: "2026-11-23T12:00:00.104Z",
  last_attempt_at: "2026-11-23T12:00:00.104Z",
  next_attempt_at: "2026-11-23T12:00:03.871Z",
  last_status_code: 503,
  last_error: "http: status 503",
  receipt: null,
};

const delivery = z.object({
  id: z.string(),
  endpoint: z.string().meta({ description: "Its id; the endpoint may have been removed" }),
  event: z.object({ id: z.string(), type: z.string(), sequence: z.string() }),
  status: z.enum(deliveryStatuses),
  attempts: z.int().min(0).meta({ description: "Made so far" }),
  first_attempt_at: timestamp.nullable(),
  last_attempt_at: timestamp.nullable(),
  next_attempt_at: timestamp.nullable().meta({
    description: "When it is due again, if it is; a paused endpoint keeps it waiting",
  }),
  last_status_code: z.int().nullable(),
  last_error: z.string().nullable(),
  receipt: z
    .object({ status: z.string(), detail: z.string().nullable(), at: timestamp })
    .nullable()
    .meta({ description: "What its consumer has said of the event last: `processed` or `failed`" }),
});

export const shownDelivery = delivery.meta({ id: "Delivery", example: deliveryExample });

const headers = z.record(z.string(), z.union([z.string(), z.array(z.string())]));

const attempt = z
  .object({
    attempt: z.int().min(1),
    trigger: z.enum(["event", "retry", "probe", "drain", "replay"]).meta({
      description:
        "Why it was made: the event came, it was due again, to see whether an endpoint that was " +
        "down is back, as a dead letter of such a time when it was over, or by a replay",
    }),
    replay: z.string().nullable().meta({ description: "The id of the replay that made it" }),
    at: timestamp,
    queue_ms: z.int().min(0).meta({ description: "From when it could be made to when it was" }),
    latency_ms: z.int().min(0).meta({ description: "From its start to its outcome" }),
    status_code: z.int().nullable(),
    error: z.object({ class: z.string(), message: z.string() }).nullable(),
    request: z
      .object({ url: z.string(), headers: z.record(z.string(), z.string()) })
      .nullable()
      .meta({
        description:
          "What was sent, as far as it is known. Secrets are redacted. The endpoint's own headers " +
          "and the media type are those of now, and after a first attempt that succeeded the URL " +
          "too; null when it is not known any more",
      }),
    response: z
      .object({ headers, body: z.string(), truncated: z.boolean() })
      .nullable()
      .meta({
        description:
          "What came back, if anything did, with the first 4 KiB of the body as text; not kept of " +
          "a first attempt that succeeded. Secrets are redacted",
      }),
  })
  .meta({ id: "Attempt" });

export const deliveryWithAttempts = z
  .object({
    ...delivery.shape,
    attempt_log: z.array(attempt).meta({ description: "Oldest first" }),
  })
  .meta({
    id: "DeliveryWithAttempts",
    example: {
      ...deliveryExample,
      attempt_log: [
        {
          attempt: 1,
          trigger: "event",
          replay: null,
          at: deliveryExample.first_attempt_at,
          queue_ms: 2,
          latency_ms: 31,
          status_code: 503,
          error: { class: "http", message: "status 503" },
          request: {
            url: "https://example.com/webhooks",
            headers: {
              "x-environment": "[redacted]",
              "content-type": "application/json",
              "webhook-id": eventExample.id,
              "webhook-timestamp": "1795435200",
              "webhook-signature": "[redacted]",
              "tidegate-sequence": eventExample.sequence,
              "tidegate-previous-sequence": "00000000000000001041",
              "tidegate-attempt": "1",
              "tidegate-endpoint": deliveryExample.endpoint,
              "tidegate-signature": "[redacted]",
            },
          },
          response: {
            headers: { "content-type": "text/plain" },
            body: "try again later",
            truncated: false,
          },
        },
      ],
    },
  });
