/** Readers of a gateway's feed by the library, in the background, for tests. */
import { expect } from "vitest";
import { createFeed, type FeedNotice, type FeedOptions } from "../../src/client/client.ts";
import type { TestGateway } from "./gateway.ts";
import { waitUntil } from "./wait.ts";

/** The machine may be busy. */
export const deadlineMs = 20_000;

/** The gateway is asked for late: it starts after this. */
export function createReaders(gateway: () => TestGateway) {
  let tenants = 0;
  return { newTenant, append, read };

  async function newTenant(events = 0): Promise<{ tenant: string; key: string }> {
    tenants += 1;
    const tenant = await gateway().createTenant(`feed-${tenants}`);
    if (events > 0) await append(tenant, events);
    return { tenant, key: await gateway().createKey(tenant, ["read"]) };
  }

  async function append(tenant: string, count: number, from = 1) {
    const events = Array.from({ length: count }, (_, n) => ({ data: { n: from + n } }));
    return await gateway().append(tenant, ...events);
  }

  /** Reads in the background and keeps what it was given. */
  function read(options: Omit<FeedOptions, "url"> & { url?: string }) {
    const controller = new AbortController();
    const sequences: number[] = [];
    const cursors: (string | undefined)[] = [];
    const notices: FeedNotice[] = [];
    const feed = createFeed({
      url: gateway().url,
      signal: controller.signal,
      onNotice: (notice) => void notices.push(notice),
      ...options,
    });
    const done = (async () => {
      for await (const { event, cursor } of feed) {
        sequences.push(Number(event.sequence));
        cursors.push(cursor);
      }
    })();
    // A failure is for who awaits it; until then it must not end the process.
    done.catch(() => {});
    return {
      ...{ feed, sequences, cursors, notices, done },
      until: (count: number) =>
        Promise.race([
          waitUntil(() => sequences.length >= count, { deadlineMs, what: `${count} events` }),
          done.then(() => expect.fail("the feed ended")),
        ]),
      noticed: (kind: FeedNotice["kind"]) =>
        waitUntil(() => notices.some((notice) => notice.kind === kind), { deadlineMs, what: kind }),
      async stop() {
        controller.abort();
        await done;
      },
    };
  }
}

export const range = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);
