/** What all routes that hand out pages of events take and answer. */
import { z } from "zod";
import { eventExample, eventSchema } from "../http/event-schema.ts";
import { acceptQuality, preference } from "../http/preferences.ts";
import type { ApiRequest } from "../http/request.ts";
import { cursorExample, integerParameter, pageQuery } from "../http/schemas.ts";
import { batchMediaType, pageHeaders, pageText, type PageForm } from "./page.ts";
import type { Page } from "./pull.ts";

/** Below the minute after which common proxies give up on a silent response. */
const waitMaxSeconds = 60;

const pageSchema = z
  .object({
    events: z.array(eventSchema),
    cursor: z.string().meta({ description: "Continues after all that was scanned" }),
    has_more: z.boolean(),
  })
  .meta({
    id: "EventPage",
    example: { events: [eventExample], cursor: cursorExample, has_more: true },
  });

export const pageHeaderTexts = {
  link: "The next page, as `rel=next`",
  "tidegate-cursor": "The page's cursor",
  "tidegate-head": "The sequence of the tenant's last event",
};

export const pageResponse = {
  body: pageSchema,
  content: { [batchMediaType]: z.array(eventSchema).meta({ example: [eventExample] }) },
  headers: pageHeaderTexts,
} as const;

/** How much, and for how long it may take. */
export const pageParameters = {
  limit: pageQuery.limit,
  wait: integerParameter(0, waitMaxSeconds).optional().meta({
    description: "Seconds to wait for the first event that matches; `Prefer: wait=` does too",
  }),
};

export function waitMsOf({ wait }: { wait?: number | undefined }, request: ApiRequest): number {
  return (wait ?? preferredWait(request)) * 1_000;
}

/** The page in the form that the client asks for, with a link to the next one if that has one. */
export function pageReply(
  page: Page,
  request: ApiRequest,
  { linked = true, isLasting = true } = {},
) {
  const form = formOf(request);
  const target = linked ? (request.incoming.url ?? "") : undefined;
  const headers = pageHeaders(page, form, target, { isLasting });
  const contentType = form === "batch" ? batchMediaType : "application/json";
  return { status: 200, text: pageText(page, form), contentType, headers } as const;
}

/** `Prefer: wait=30`. A preference that cannot be met is met as far as it can. */
function preferredWait(request: ApiRequest): number {
  const seconds = Number(preference(request.header("prefer"), "wait") ?? 0);
  return Number.isInteger(seconds) && seconds > 0 ? Math.min(seconds, waitMaxSeconds) : 0;
}

function formOf(request: ApiRequest): PageForm {
  const accept = request.header("accept");
  const batch = acceptQuality(accept, batchMediaType);
  return batch > 0 && batch >= acceptQuality(accept, "application/json") ? "batch" : "page";
}
