import { z } from "zod";
import type { EndpointFilterOf } from "../deliveries/endpoint-filter.ts";
import { eventExample } from "../http/event-schema.ts";
import type { ApiRequest } from "../http/request.ts";
import { alreadySent, route, type Route } from "../http/route.ts";
import { cursorExample } from "../http/schemas.ts";
import { selectionOf, selectionQuery, type Selection } from "../http/selection.ts";
import type { Streams } from "./streams.ts";

const streamText = z.string().meta({
  example: `retry: 2000\ndata: ${JSON.stringify(eventExample)}\nid: ${cursorExample}\n\n:\n\n`,
});

export function createStreamRoutes({
  streams,
  filterOfEndpoint,
}: {
  streams: Streams;
  filterOfEndpoint: EndpointFilterOf;
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
        "`from`. Once it has begun, an error is told as `event: problem`, and the stream ends.",
      access: "read",
      tenant: "named",
      limit: "reads",
      query: z.object(selectionQuery),
      responses: { 200: { content: { "text/event-stream": streamText } } },
      problems: [
        "cursor-invalid",
        "cursor-filter-mismatch",
        "not-found",
        "cursor-expired",
        "cursor-ahead",
        "feed-reset",
      ],
      async handle({ query, tenant, request }) {
        const last = lastEventId(request);
        const selection = startAt(last, await selectionOf(query, tenant.id, filterOfEndpoint));
        await streams.open(request, { tenant, selection, again: last !== undefined });
        return alreadySent;
      },
    }),
  ];
}

/** What the client received last. It sends an empty one when it has received nothing. */
function lastEventId(request: ApiRequest): string | undefined {
  return request.header("last-event-id") || undefined;
}

function startAt(cursor: string | undefined, selection: Selection): Selection {
  return cursor === undefined ? selection : { ...selection, start: { kind: "cursor", cursor } };
}
