/** `/endpoints/{id}/…`: what can be done with an endpoint besides changing its settings. */
import { z } from "zod";
import { route, type Route } from "../../http/route.ts";
import { timestamp } from "../../http/schemas.ts";
import type { EndpointActions } from "./actions.ts";
import { newSecret, oneEndpoint, secret, signature } from "./body-routes.ts";

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

export function createActionRoutes(actions: EndpointActions): Route[] {
  return [rotateSecret(actions)];
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
