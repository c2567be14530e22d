import { z } from "zod";
import type { EndpointFilterOf } from "../deliveries/endpoint-filter.ts";
import type { Principal, Ticket } from "../http/auth.ts";
import { eventExample } from "../http/event-schema.ts";
import type { ApiRequest } from "../http/request.ts";
import { alreadySent, route, type Route } from "../http/route.ts";
import { cursorExample } from "../http/schemas.ts";
import { selectionOf, selectionQuery, type Selection } from "../http/selection.ts";
import { Problem } from "../problem.ts";
import type { Streams } from "./streams.ts";

const streamText = z.string().meta({
  example: `retry: 2000\ndata: ${JSON.stringify(eventExample)}\nid: ${cursorExample}\n\n:\n\n`,
});

/** What a ticket was made with, and nobody who holds it may choose. */
const boundByTicket = ["types", "subjects", "endpoint", "rebase"] as const;

const query = z.object({
  ...selectionQuery,
  ticket: z
    .string()
    .optional()
    .meta({
      description:
        "From `POST /tickets`, in place of a key; its `types` and `subjects` hold, so the query " +
        "names none",
    }),
});

export function createStreamRoutes({
  streams,
  filterOfEndpoint,
  findTicket,
}: {
  streams: Streams;
  filterOfEndpoint: EndpointFilterOf;
  findTicket: (ticket: string) => Promise<Ticket | undefined>;
}): Route[] {
  return [
    route({
      method: "get",
      path: "/events/stream",
      id: "streamEvents",
      tag: "events",
      summary: "Receive events as they are appended, as server-sent events",
      description:
        "Blocks of `data: <event>` and `id: <cursor>`. Every 15 s comes a comment or, when events " +
        "were passed over that do not match, `event: cursor`. After about 5 minutes the stream " +
        "ends, and the client connects again with `Last-Event-ID`, which wins over `cursor` and " +
        "`from`. Once it has begun, an error is told as `event: problem`, and the stream ends. " +
        "A ticket opens one stream within 60 s, and reconnects it with a `Last-Event-ID` that the " +
        "stream has told, which has to be a later one than a `cursor` of the query.",
      access: "read",
      ticket: async (ticket) => (await findTicket(ticket))?.authenticate(),
      tenant: "named",
      limit: "reads",
      query,
      responses: { 200: { content: { "text/event-stream": streamText } } },
      problems: [
        "cursor-invalid",
        "cursor-filter-mismatch",
        "not-found",
        "cursor-expired",
        "cursor-ahead",
        "feed-reset",
      ],
      async handle({ query: asked, principal, tenant, request }) {
        const last = lastEventId(request);
        const ticket = ticketOf(principal, asked);
        const wanted = startAt(last, await selectionOf(asked, tenant.id, filterOfEndpoint));
        const selection = ticket === undefined ? wanted : { ...wanted, filter: ticket.filter };
        await streams.open(request, {
          tenant,
          selection,
          again: last !== undefined,
          ticket,
          key: principal.keyId,
        });
        return alreadySent;
      },
    }),
  ];
}

/** Throws 400 for what does not go together with a ticket. */
function ticketOf(principal: Principal, asked: z.output<typeof query>): Ticket | undefined {
  if (asked.ticket === undefined) return undefined;
  const ticket = principal.kind === "tenant" ? principal.ticket : undefined;
  if (ticket === undefined) {
    throw refused("ticket", "the request has a key too; leave out one or the other");
  }
  const bound = boundByTicket.find((name) => asked[name] !== undefined);
  if (bound !== undefined) throw refused(bound, "the ticket says what its stream has");
  return ticket;
}

function refused(parameter: string, why: string): Problem {
  return new Problem("invalid-parameter", `"${parameter}": ${why}`, { members: { parameter } });
}

/** What the client received last. It sends an empty one when it has received nothing. */
function lastEventId(request: ApiRequest): string | undefined {
  return request.header("last-event-id") || undefined;
}

function startAt(cursor: string | undefined, selection: Selection): Selection {
  return cursor === undefined ? selection : { ...selection, start: { kind: "cursor", cursor } };
}
