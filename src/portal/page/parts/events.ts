/** Pages of the feed. */
import { api, read, type Schemas } from "../api.ts";

export type FeedEvent = Schemas["Event"];

export type EventQuery = {
  readonly tenant: string;
  readonly limit: number;
  readonly cursor?: string;
  readonly from?: string;
  readonly types?: string;
  readonly subjects?: string;
};

export async function readEvents(query: EventQuery, signal: AbortSignal) {
  const page = await read(api.GET("/events", { params: { query }, signal }));
  // The other form of a page, which comes only to those who ask for it.
  if (Array.isArray(page)) throw new Error("the page of events came without its cursor");
  return page;
}
