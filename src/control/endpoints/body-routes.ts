/** What `/endpoints` takes and shows. */
import { z } from "zod";
import { secretFault } from "../../deliveries/secrets.ts";
import { instant, tenantMember, timestamp } from "../../http/schemas.ts";
import { typePatternForm } from "../../log/filter.ts";
import { parseDelayMs, parseSpanMs } from "./durations.ts";
import { headerFault } from "./headers.ts";
import type { SettingsPatch } from "./settings.ts";

/** Filters are kept in memory for each endpoint that is served. Readers may name as many. */
const typesMax = 200;
const subjectsMax = 500;
const typeMaxLength = 256;
const subjectMaxLength = 1_024;

const descriptionMaxLength = 1_024;
const metadataNameMaxLength = 64;
const metadataValueMaxLength = 512;

/** Slower than one in 100 s is an endpoint to poll; faster, one process sends no more. */
const rateMinPerSecond = 0.01;
const rateMaxPerSecond = 10_000;

/** Twice the default schedule's 11 delays, for those who retry evenly. */
const retriesMax = 22;

const text = z
  .string()
  .regex(/^[^\0]*$/, "must not contain the character U+0000")
  .refine((value) => value.isWellFormed(), "must be well-formed Unicode");

/** No `format: uri`: like browsers we take names and paths in any script, which RFC 3986 does not. */
const url = z.string().meta({
  description: "http or https, without credentials and fragment",
  example: "https://example.com/webhooks",
});

export const types = z
  .array(z.string().max(typeMaxLength).regex(typePatternForm, "expected order.created or order.*"))
  .min(1)
  .max(typesMax);

export const subjects = z.array(text.min(1).max(subjectMaxLength)).min(1).max(subjectsMax);

export const description = text.max(descriptionMaxLength);

const metadata = z.record(
  text.min(1).max(metadataNameMaxLength),
  text.max(metadataValueMaxLength).nullable(),
);

const headers = z
  .record(z.string(), z.string().nullable())
  .superRefine((given, context) => {
    const names = new Set<string>();
    for (const [name, value] of Object.entries(given)) {
      const again = names.has(name.toLowerCase());
      const fault = again ? "this header is given twice" : headerFault(name, value ?? "-");
      if (fault !== undefined) context.addIssue({ code: "custom", path: [name], message: fault });
      names.add(name.toLowerCase());
    }
  })
  .transform((given) =>
    Object.fromEntries(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value])),
  );

const retryDelay = z.string().transform((delay, context) => {
  const delayMs = parseDelayMs(delay);
  if (delayMs !== undefined) return delayMs;
  context.addIssue("expected a duration from 1s to 24h, such as 90s, 5m or 2h");
  return z.NEVER;
});

const span = z.string().transform((text, context) => {
  const spanMs = parseSpanMs(text);
  if (spanMs !== undefined) return spanMs;
  context.addIssue("expected a duration of 1s or more, such as 90s, 45m or 36h");
  return z.NEVER;
});

const timeoutMs = z.int().min(1_000).max(30_000);
/** A day: what takes longer says so by a receipt that it has failed, and gets it again. */
const receiptTimeoutMs = z.int().min(1_000).max(86_400_000);
const maxInFlight = z.int().min(1).max(1_000);
const ratePerSecond = z.number().min(rateMinPerSecond).max(rateMaxPerSecond);
const ordering = z.enum(["parallel", "fifo", "subject"]);
const format = z.enum(["json", "cloudevents"]);

export const signature = z.enum(["v1", "v1a"]);

const secretExample = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";

export const secret = z.string().meta({
  description: "`whsec_…` for v1; for v1a the public key, `whpk_…`",
  example: secretExample,
});

/** What a caller brings. Whether it fits depends on the kind of signature. */
export const newSecret = z.string().meta({
  description:
    "Standard Webhooks: `whsec_…` for v1, the private `whsk_…` for v1a; generated unless given",
  example: secretExample,
});

/** What can be set at any time. */
const settings = {
  types: types.nullish().meta({ description: "Exact types, or `order.*`; null: all" }),
  subjects: subjects.nullish().meta({ description: "Exact subjects; null: all" }),
  description: description.nullish(),
  metadata: metadata.nullish().meta({ description: "Notes of yours; a null member goes away" }),
  headers: headers.nullish().meta({
    description: "Added to every push; only the names are shown; a null member goes away",
  }),
  // No `default` for the document: some generators then ask for the member in every request.
  timeout_ms: timeoutMs.nullish().meta({
    description: "From the connection to the end of the response; 5,000 unless given",
  }),
  max_in_flight: maxInFlight.nullish().meta({
    description: "Pushes that may be under way at once; 50 unless given",
  }),
  retry_schedule: z
    .array(retryDelay)
    .max(retriesMax)
    .nullish()
    .meta({
      description: "The delay before each retry; null: the gateway's schedule",
      example: ["5s", "1m", "2h"],
    }),
  rate_per_second: ratePerSecond.nullish().meta({ description: "Attempts; null: no limit" }),
  give_up_after: span.nullish().meta({
    description:
      "From the first attempt on: no retry is made later, whatever the schedule has left. At most a " +
      "day less than events are kept; null: the schedule alone decides",
    example: "36h",
  }),
  drain_dead_letters: z
    .boolean()
    .nullish()
    .meta({
      description:
        "Whether events that died of an outage are tried once more when it is over; true unless " +
        "given. Never where the order is kept",
    }),
  require_receipt: z
    .boolean()
    .nullish()
    .meta({
      description:
        "Whether an event that was accepted waits for a receipt (`POST /receipts`), and is pushed " +
        "again by the next attempt when none comes; false unless given. Where the order is kept " +
        "the events behind it wait too. What waits when it is set to false counts as delivered " +
        "when its time is up",
    }),
  receipt_timeout_ms: receiptTimeoutMs.nullish().meta({
    description: "How long an accepted event waits for its receipt; 300,000 unless given",
  }),
  ordering: ordering.nullish().meta({
    description:
      "parallel unless given. fifo: each event waits until the one before it is settled; subject: " +
      "until the one of its subject before it is",
  }),
  format: format.nullish().meta({ description: "The media type of pushes; json unless given" }),
};

export const start = z.union([
  z.enum(["latest", "earliest"]).transform((kind) => ({ kind })),
  z
    .strictObject({ cursor: z.string() })
    .transform(({ cursor }) => ({ kind: "cursor", cursor }) as const),
  z.strictObject({ time: instant }).transform(({ time }) => ({ kind: "time", at: time }) as const),
]);

export const newEndpoint = z
  .strictObject({
    ...tenantMember,
    url,
    ...settings,
    signature: signature.optional().meta({
      description: "v1 (HMAC-SHA256) unless given, or v1a (Ed25519), with a public key to verify",
    }),
    secret: newSecret.optional(),
    start: start.optional().meta({
      description:
        "After all there is (the default), with the oldest event there is, after a cursor, or " +
        "with the first event that was appended at a time or later",
    }),
  })
  .superRefine((body, context) => {
    if (body.secret === undefined) return;
    const message = secretFault(body.secret, body.signature ?? "v1");
    if (message !== undefined) context.addIssue({ code: "custom", path: ["secret"], message });
  })
  .meta({
    id: "NewEndpoint",
    example: {
      tenant: "acme",
      url: "https://example.com/webhooks",
      types: ["order.*", "invoice.paid"],
      description: "The warehouse",
      metadata: { team: "logistics" },
      headers: { "x-environment": "production" },
      retry_schedule: ["5s", "1m", "2h"],
      start: "earliest",
    },
  });

export const endpointPatch = z.strictObject({ url: url.optional(), ...settings }).meta({
  id: "EndpointPatch",
  example: { types: ["order.*"], metadata: { team: null }, max_in_flight: 10, subjects: null },
});

const endpointExample = {
  id: "ep_019ab1c2d3e47f5a8b6c7d8e9f0a1b2c",
  tenant: "acme",
  url: "https://example.com/webhooks",
  types: ["order.*", "invoice.paid"],
  subjects: null,
  description: "The warehouse",
  metadata: { team: "logistics" },
  header_names: ["x-environment"],
  timeout_ms: 5_000,
  max_in_flight: 50,
  rate_per_second: null,
  retry_schedule: ["5s", "1m", "2h"],
  give_up_after: null,
  drain_dead_letters: true,
  require_receipt: false,
  receipt_timeout_ms: 300_000,
  ordering: "parallel",
  signature: "v1",
  format: "json",
  status: "active",
  status_reason: null,
  circuit: { state: "closed", since: null, next_probe_at: null },
  position: "00000000000000001042",
  lag: { events: 3, seconds: 0.8 },
  in_flight: 2,
  retrying: 1,
  dead: 0,
  last_success_at: "2026-11-23T12:00:00.000Z",
  last_failure: { at: "2026-11-23T11:42:07.310Z", error: "timeout" },
  created_at: "2026-11-01T08:00:00.000Z",
  updated_at: "2026-11-01T08:00:00.000Z",
};

const endpoint = z.object({
  id: z.string().meta({ description: "The endpoint's id", example: endpointExample.id }),
  tenant: z.string(),
  url,
  types: types.nullable(),
  subjects: subjects.nullable(),
  description: description.nullable(),
  metadata: z.record(z.string(), z.string()),
  header_names: z.array(z.string()).meta({ description: "Of the headers added to every push" }),
  timeout_ms: timeoutMs,
  max_in_flight: maxInFlight,
  rate_per_second: ratePerSecond.nullable(),
  retry_schedule: z.array(z.string()).nullable(),
  give_up_after: z.string().nullable(),
  drain_dead_letters: z.boolean(),
  require_receipt: z.boolean(),
  receipt_timeout_ms: receiptTimeoutMs,
  ordering,
  signature: signature.meta({ description: "The kind of the newest secret" }),
  format,
  status: z.enum(["active", "paused", "polling", "disabled"]),
  status_reason: z.string().nullable(),
  circuit: z
    .object({
      state: z.enum(["closed", "open", "half_open"]),
      since: timestamp.nullable(),
      next_probe_at: timestamp.nullable(),
    })
    .meta({ description: "While it is open only probes are sent, and no event loses an attempt" }),
  position: z.string().meta({ description: "The sequence up to which all is settled" }),
  lag: z
    .object({ events: z.int().min(0), seconds: z.number().min(0) })
    .meta({ description: "What follows the position: how much, and how old the first of it is" }),
  in_flight: z.int().min(0).meta({ description: "Attempts under way, as of the last outcome" }),
  retrying: z.int().min(0),
  dead: z.int().min(0),
  last_success_at: timestamp.nullable(),
  last_failure: z.object({ at: timestamp, error: z.string() }).nullable(),
  created_at: timestamp,
  updated_at: timestamp,
});

export const shownEndpoint = endpoint.meta({ id: "Endpoint", example: endpointExample });

export const createdEndpoint = z
  .object({ ...endpoint.shape, secret })
  .meta({ id: "CreatedEndpoint", example: { ...endpointExample, secret: secretExample } });

export const endpointSecret = z
  .object({
    secret,
    previous_expires_at: timestamp.nullable().meta({
      description: "Until then a secret before it signs too; null when it signs alone",
    }),
  })
  .meta({
    id: "EndpointSecret",
    example: { secret: secretExample, previous_expires_at: null },
  });

/** What routes that act on one endpoint have in common. */
export const oneEndpoint = {
  tag: "endpoints",
  access: "manage",
  // The id names the tenant too, so operators may leave it out.
  tenant: "optional",
  params: z.object({ id: endpoint.shape.id }),
  problems: ["not-found"],
} as const;

/** The settings of a body under the names they have inside. */
export function toPatch(body: z.output<typeof endpointPatch>): SettingsPatch {
  const { url, types, subjects, description, metadata, headers, format } = body;
  return {
    ...{ url, types, subjects, description, metadata, headers, format },
    timeoutMs: body.timeout_ms,
    maxInFlight: body.max_in_flight,
    retryScheduleMs: body.retry_schedule,
    ratePerSecond: body.rate_per_second,
    ordering: body.ordering,
    giveUpAfterMs: body.give_up_after,
    drainDeadLetters: body.drain_dead_letters,
    requireReceipt: body.require_receipt,
    receiptTimeoutMs: body.receipt_timeout_ms,
  };
}
