/**
 * Reads a tenant's feed for a command: options into a feed of the library, what happens on the way
 * into notes for people. A break is waited out, and reading goes on from the cursor.
 */
import { type Command, Option } from "commander";
import { createFeed, type FeedNotice } from "../client/feed.ts";
import type { TidegateEvent } from "../client/event.ts";
import { selectionQuery } from "../client/page.ts";
import { toFailure, type Api } from "./api.ts";
import { createExactText } from "./exact-text.ts";
import { list, repeated, startPlace, whole } from "./options.ts";
import { tenantOf } from "./tenant.ts";
import type { Terminal } from "./terminal.ts";

export type SelectionOptions = {
  readonly types?: readonly string[];
  readonly subjects?: readonly string[];
  readonly from: string;
  readonly cursor?: string;
  readonly limit?: number;
};

export type ReadEvent = {
  readonly event: TidegateEvent;
  /** As the gateway sent it. */
  readonly text: string;
  /** Continues after it; undefined inside a page. */
  readonly cursor: string | undefined;
};

export type Reading = {
  readonly tenant: string | undefined;
  /** Until the limit, or Ctrl-C. */
  events(): AsyncGenerator<ReadEvent, void>;
  /** After all that was read; undefined where that is within a page, which has none there. */
  cursor(): string | undefined;
};

/** As long as the pages of the library; see there. */
const pageSizeDefault = 200;

export function withSelection(command: Command, fromDefault: string): Command {
  return command
    .option("--types <types>", "only these types: order.created, order.*", list)
    .option("--subjects <subject>", "only of this subject; may be repeated", repeated)
    .addOption(
      new Option("--from <place>", "earliest, latest, a time, or 2h for two hours ago")
        .argParser(startPlace)
        .default(fromDefault),
    )
    .option("--cursor <cursor>", "go on after this cursor instead")
    .option("-n, --limit <count>", "end after as many events", whole(1));
}

/**
 * Throws at once what would not get better: an unknown tenant, a key that may not read, a gateway
 * that is not there.
 */
export async function openReading(
  api: Api,
  terminal: Terminal,
  options: SelectionOptions,
  pageSize = pageSizeDefault,
): Promise<Reading> {
  const { types, subjects, from, limit = Infinity } = options;
  const tenant = await tenantOf(api);
  const start = await findStart(api, tenant, options);
  const exact = createExactText();
  const feed = createFeed({
    ...{ url: api.connection.url, key: api.connection.key, tenant },
    // A page that ends with the limit has a cursor there.
    pageSize: Math.min(pageSize, limit),
    ...(types !== undefined && { types }),
    ...(subjects !== undefined && { subjects }),
    ...(start !== undefined && { cursor: start }),
    ...(from === "earliest" ? { from } : { from: new Date(from) }),
    fetch: exact.fetch,
    signal: api.interrupt,
    onNotice: (notice) => tellNotice(terminal, notice),
  });
  let last: { readonly cursor: string | undefined } = { cursor: start };
  return { tenant, events, cursor: () => last.cursor };

  async function* events(): AsyncGenerator<ReadEvent, void> {
    let count = 0;
    try {
      for await (const { event, cursor } of feed) {
        yield { event, cursor, text: exact.take(event) };
        last = { cursor };
        count += 1;
        if (count >= limit) return;
      }
    } catch (error) {
      throw toFailure(error, api.connection.url, api.interrupt);
    }
  }
}

/** The cursor to begin with, where it is one; `latest` is fixed here, before anybody is told. */
async function findStart(
  api: Api,
  tenant: string | undefined,
  { types, subjects, from, cursor }: SelectionOptions,
): Promise<string | undefined> {
  const query = {
    ...selectionQuery({ types, subjects }),
    ...{ tenant, limit: 1 },
    ...(cursor === undefined ? { from } : { cursor, rebase: "true" }),
  };
  const page = await api.call<{ cursor: string }>("GET", "/events", { query });
  return cursor === undefined && from === "latest" ? page.cursor : cursor;
}

function tellNotice(terminal: Terminal, notice: FeedNotice): void {
  switch (notice.kind) {
    case "retrying": {
      const why = notice.error?.message ?? "the stream ended";
      const seconds = (notice.delayMs / 1_000).toFixed(1);
      terminal.note(terminal.paintNote("yellow", `${why}; again in ${seconds} s`));
      break;
    }
    case "polling":
      terminal.note(terminal.paintNote("yellow", `${notice.reason}; polling instead`));
      break;
    case "streaming":
    case "filter-changed":
  }
}
