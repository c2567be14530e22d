/**
 * Writes pages down. The stored envelopes go out as they are, one after the other: nothing here
 * parses or builds an event.
 */
import { sequenceText } from "../log/event.ts";
import type { Page } from "./pull.ts";

export const batchMediaType = "application/cloudevents-batch+json";

/** `page`: an object with the cursor. `batch`: the bare array of CloudEvents. */
export type PageForm = "page" | "batch";

/** A page that never changes is worth keeping; an hour bounds what a stolen disk may hold. */
const lastingSeconds = 3_600;

/** What its address stands for may change: to be asked for again each time. */
const checked = "private, no-cache";

export function pageText(page: Page, form: PageForm): string {
  if (form === "batch") return `[${page.events}]`;
  return `{"events":[${page.events}],"cursor":"${page.cursor}","has_more":${page.hasMore}}`;
}

/**
 * The headers of a page. `target` is the request's path and query, `/events?types=order.*`;
 * undefined where the next page is not found by a cursor. `isLasting`: it asks for the same page always.
 */
export function pageHeaders(
  page: Page,
  form: PageForm,
  target: string | undefined,
  { isLasting = true } = {},
): Record<string, string> {
  const shared = {
    ...(target !== undefined && { link: `<${nextTarget(target, page.cursor)}>; rel="next"` }),
    "tidegate-cursor": page.cursor,
    "tidegate-head": sequenceText(page.head),
    vary: "accept, authorization",
  };
  const etag = pageTag(page, form);
  if (etag === undefined) return shared;
  const caching = isLasting ? `private, max-age=${lastingSeconds}, immutable` : checked;
  return { ...shared, "cache-control": caching, etag };
}

/**
 * The strong validator of a page that never changes. Its two ends tell what is in it: the log
 * between two events is fixed, and the cursor stands for the last event, the filter, the tenant
 * and the key that signed it.
 */
export function pageTag(page: Page, form: PageForm): string | undefined {
  if (page.lastingFrom === undefined) return undefined;
  return `"${page.lastingFrom}.${page.cursor}.${form}"`;
}

/** The same request, from the cursor on. What only concerned this page's start is left out. */
function nextTarget(target: string, cursor: string): string {
  const [path = "", query = ""] = target.split("?", 2);
  const parameters = new URLSearchParams(query);
  for (const name of ["from", "rebase"]) parameters.delete(name);
  parameters.set("cursor", cursor);
  return `${path}?${parameters.toString()}`;
}
