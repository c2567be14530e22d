/** `/endpoints/{id}/…`: what can be done with an endpoint besides changing its settings. */
import { z } from "zod";
import { route, type Route } from "../../http/route.ts";
import { timestamp } from "../../http/schemas.ts";
import type { EndpointActions } from "./actions.ts";
import {
  description,
  newSecret,
  oneEndpoint,
  secret,
  shownEndpoint,
  signature,
} from "./body-routes.ts";

const overlapDefaultSeconds = 86_400;

/** A week: whoever has not taken the new secret by then is not going to. */
const overlapMaxSeconds = 604_800;

const rotation = z
  .strictObject({
    overlap_seconds: z.int().min(0).max(overlapMaxSeconds).optional().meta({
      description: "How long the secrets before it sign too; a day unless given",
    }),
    secret: newSecret.optional(),
    signature: signature.optional().meta({ description: "Another kind; the same unless given" }),
  })
  .meta({ id: "SecretRotation", example: { overlap_seconds: 3_600 } });

const rotatedSecret = z
  .object({
    secret,
    signature,
    previous_expires_at: timestamp.meta({
      description: "From then on no secret before the new one signs",
    }),
  })
  .meta({
    id: "RotatedSecret",
    example: {
      secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=",
      signature: "v1",
      previous_expires_at: "2026-11-24T12:00:00.000Z",
    },
  });

const pause = z
  .strictObject({
    reason: description.optional().meta({ description: "Shown as its `status_reason`" }),
  })
  .meta({ id: "EndpointPause", example: { reason: "The warehouse moves until Monday" } });

const resumption = z
  .strictObject({
    from: z
      .union([z.enum(["position", "latest"]), z.strictObject({ cursor: z.string() })])
      .optional()
      .meta({ description: "Where it goes on; its position unless given" }),
  })
  .meta({ id: "EndpointResumption", example: { from: "latest" } });

const testedPush = z
  .object({
    delivered: z.boolean(),
    attempt: z.object({
      at: timestamp,
      latency_ms: z.int().min(0),
      status_code: z.int().nullable(),
      error: z
        .object({ class: z.string(), message: z.string() })
        .nullable()
        .meta({ description: "Why it was not delivered" }),
      request: z.object({
        url: z.string(),
        headers: z
          .record(z.string(), z.string())
          .meta({ description: "Values of your own, and signatures, are left out" }),
        body: z.string(),
      }),
      response: z
        .object({
          headers: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
          body: z.string().meta({ description: "Its first 4 KiB" }),
          truncated: z.boolean(),
        })
        .nullable(),
    }),
  })
  .meta({
    id: "TestedPush",
    example: {
      delivered: false,
      attempt: {
        at: "2026-11-23T12:00:00.000Z",
        latency_ms: 42,
        status_code: 401,
        error: { class: "http", message: "status 401" },
        request: {
          url: "https://example.com/webhooks",
          headers: {
            "content-type": "application/json",
            "webhook-signature": "[redacted]",
            "x-environment": "[redacted]",
          },
          body: '{"specversion":"1.0","type":"tidegate.test"}',
        },
        response: {
          headers: { "content-type": "text/plain" },
          body: "signature does not match",
          truncated: false,
        },
      },
    },
  });

export function createActionRoutes(actions: EndpointActions): Route[] {
  return [rotateSecret(actions), ...stops(actions), resume(actions), test(actions)];
}

function test(actions: EndpointActions): Route {
  return route({
    ...oneEndpoint,
    method: "post",
    path: "/endpoints/{id}/test",
    id: "testEndpoint",
    summary: "Push a test event to an endpoint",
    description:
      "One signed push of type `tidegate.test` that stands in no log: its sequence is zero, and no " +
      "cursor comes with it. Whatever the endpoint's status is, it is sent once and changes " +
      "nothing. The answer is 200 however the receiver takes it, and says how.",
    responses: { 200: testedPush },
    handle: async ({ params, tenant }) => {
      return { status: 200, body: await actions.test(params.id, tenant) };
    },
  });
}

function stops(actions: EndpointActions): Route[] {
  return [
    route({
      ...oneEndpoint,
      method: "post",
      path: "/endpoints/{id}/pause",
      id: "pauseEndpoint",
      summary: "Stop pushing to an endpoint for a while",
      description:
        "Its position stays, so that it continues there when it is resumed. What has been sent " +
        "already is still recorded.",
      body: pause.prefault({}),
      responses: { 200: shownEndpoint },
      handle: async ({ params, body: { reason = null }, tenant }) => {
        const paused = await actions.stop(params.id, tenant, { status: "paused", reason });
        return { status: 200, body: paused };
      },
    }),
    route({
      ...oneEndpoint,
      method: "post",
      path: "/endpoints/{id}/poll",
      id: "pollEndpoint",
      summary: "Stop pushing to an endpoint because its consumer polls",
      description:
        "The same as a pause, for whoever reads `…/missed`, or `GET /events`, instead. To be pushed " +
        "to again after what was read, resume from its cursor.",
      responses: { 200: shownEndpoint },
      handle: async ({ params, tenant }) => {
        const polling = await actions.stop(params.id, tenant, { status: "polling", reason: null });
        return { status: 200, body: polling };
      },
    }),
  ];
}

function resume(actions: EndpointActions): Route {
  return route({
    ...oneEndpoint,
    method: "post",
    path: "/endpoints/{id}/resume",
    id: "resumeEndpoint",
    summary: "Push to an endpoint again",
    description:
      "Whatever its status was: it is active, and an open circuit is probed at once. From its `position` nothing " +
      "is lost. From `latest` or a cursor everything after that place is pushed, also what was " +
      "pushed before; of what lies before, deliveries that were to be retried are `skipped`, and " +
      "nothing is pushed any more. Attempts under way may be repeated.",
    body: resumption.prefault({}),
    responses: { 200: shownEndpoint },
    problems: [
      ...oneEndpoint.problems,
      "cursor-invalid",
      "cursor-expired",
      "cursor-ahead",
      "feed-reset",
    ],
    handle: async ({ params, body: { from = "position" }, tenant }) => {
      return { status: 200, body: await actions.resume(params.id, tenant, from) };
    },
  });
}

function rotateSecret(actions: EndpointActions): Route {
  return route({
    ...oneEndpoint,
    method: "post",
    path: "/endpoints/{id}/rotate-secret",
    id: "rotateEndpointSecret",
    summary: "Give an endpoint a new secret",
    description:
      "The new one signs at once. During the overlap pushes carry a signature by each secret that " +
      "is in force, at most five: receivers accept a push if any of them is right, so the new " +
      "secret can be put into place without losing one. Attempts under way may be repeated.",
    body: rotation.prefault({}),
    responses: { 200: rotatedSecret },
    handle: async ({ params, body, tenant }) => {
      const { overlap_seconds = overlapDefaultSeconds, ...wanted } = body;
      const overlapMs = overlap_seconds * 1_000;
      const rotated = await actions.rotateSecret(params.id, tenant, { ...wanted, overlapMs });
      return { status: 200, body: rotated };
    },
  });
}
