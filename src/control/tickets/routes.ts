/** `/tickets`: what browsers open streams with. */
import { z } from "zod";
import type { Orm } from "../../db/database.ts";
import { bearerToken } from "../../http/auth.ts";
import { route, type Route } from "../../http/route.ts";
import { tenantMember, timestamp } from "../../http/schemas.ts";
import { subjects, types } from "../endpoints/body-routes.ts";
import { makeTicket } from "./tickets.ts";

const defaultTtlSeconds = 3_600;

/** A day: who looks on for longer can get another one. */
const maxTtlSeconds = 86_400;

/** In characters: as much as a query could name, where other streams have their filter. */
const filterMax = 16_384;

const newTicket = z
  .strictObject({
    ...tenantMember,
    types: types.nullish().meta({ description: "Exact types, or `order.*`; null: all" }),
    subjects: subjects.nullish().meta({ description: "Exact subjects; null: all" }),
    ttl_seconds: z.int().min(1).max(maxTtlSeconds).default(defaultTtlSeconds).meta({
      description: "Until then its stream can be reconnected; the key's own end may come before",
    }),
  })
  .refine((given) => sizeOf(given) <= filterMax, {
    error: `types and subjects together have more than ${filterMax} characters`,
  })
  .meta({
    id: "NewTicket",
    example: { tenant: "acme", types: ["order.*"], subjects: ["order_1042"], ttl_seconds: 3_600 },
  });

const madeTicket = z
  .object({
    ticket: z.string().meta({ description: "For `GET /events/stream?ticket=`; shown this once" }),
    expires_at: timestamp,
  })
  .meta({
    id: "Ticket",
    example: {
      ticket: "tg_tk_Zk3yQ0c7mVt2Ls9xWb4nRd8eHj5uPa1g",
      expires_at: "2026-11-23T13:00:00.000Z",
    },
  });

export function createTicketRoutes({ orm }: { orm: Orm }): Route[] {
  return [
    route({
      method: "post",
      path: "/tickets",
      id: "createTicket",
      tag: "events",
      summary: "Make a ticket, with which a browser opens a stream",
      description:
        "A browser can send no key with an `EventSource`, and should have none. The ticket opens " +
        "one stream of these events within 60 s; with a `Last-Event-ID` of that stream it " +
        "reconnects it until it expires. Revoking the key ends its tickets and their streams.",
      access: "read",
      tenant: "named",
      limit: "reads",
      body: newTicket.prefault({}),
      responses: { 201: madeTicket },
      handle: async ({ body, tenant, request }) => {
        const made = await makeTicket(orm, {
          tenant: tenant.id,
          key: bearerToken(request.header("authorization")),
          filter: { types: body.types ?? null, subjects: body.subjects ?? null },
          ttlSeconds: body.ttl_seconds,
        });
        return {
          status: 201,
          body: { ticket: made.ticket, expires_at: made.expiresAt.toISOString() },
        };
      },
    }),
  ];
}

type NamedInFilter = {
  readonly types?: readonly string[] | null | undefined;
  readonly subjects?: readonly string[] | null | undefined;
};

function sizeOf({ types: some, subjects: others }: NamedInFilter): number {
  return [...(some ?? []), ...(others ?? [])].reduce((sum, { length }) => sum + length, 0);
}
