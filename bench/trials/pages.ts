/** A tenant's log, read over HTTP as its owner would: from its beginning, or from a place in it. */
import type { Client } from "./client.ts";

export type ReadEvent<Data> = {
  readonly id: string;
  readonly sequence: string;
  readonly type: string;
  readonly data: Data;
};

const pageEvents = 1_000;

export async function readLog<Data>(
  client: Client,
  tenant: string,
  from = "from=earliest",
): Promise<ReadEvent<Data>[]> {
  const events: ReadEvent<Data>[] = [];
  for (let start = from, more = true; more;) {
    const target = `/events?tenant=${tenant}&limit=${pageEvents}&${start}`;
    const page = (await client.expect("GET", target)) as {
      events: ReadEvent<Data>[];
      cursor: string;
      has_more: boolean;
    };
    // One by one: as arguments a whole log would be too many.
    for (const event of page.events) events.push(event);
    more = page.has_more;
    start = `cursor=${page.cursor}`;
  }
  return events;
}
