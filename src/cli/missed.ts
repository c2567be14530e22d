/** `tidegate missed`: what an endpoint matches and has not received. */
import type { Command } from "commander";
import type { TidegateEvent } from "../client/event.ts";
import { addCommand, openApi } from "./command.ts";
import type { ConnectionOptions } from "./connection.ts";
import { endpointPath, ownerQuery } from "./endpoint.ts";
import { eventLine } from "./event-line.ts";
import { elementsOf } from "./exact-text.ts";
import { whole } from "./options.ts";
import { countText } from "./table.ts";
import type { Terminal } from "./terminal.ts";

type Options = ConnectionOptions & {
  readonly cursor?: string;
  readonly limit?: number;
  readonly receipt?: boolean;
  readonly json?: boolean;
};

type Page = { readonly events: readonly unknown[]; cursor: string; has_more: boolean };

/** What has been printed is acknowledged page by page; a smaller one repeats less. */
const pageSize = 200;

const about = `In order: what is being retried, dead letters, receipts that have not come in time, and what waits
while nothing is pushed. With --receipt everything up to the end of each page counts as processed
once it is printed: it is not pushed any more.`;

export function addMissed(program: Command, terminal: Terminal): void {
  addCommand(program, "missed <endpoint>", {
    summary: "Read what an endpoint should have received and has not",
    about,
    examples: [
      "npx tidegate missed ep_…",
      "npx tidegate missed ep_… --json | wc -l",
      "npx tidegate missed ep_… --receipt --json > missed.ndjson",
    ],
  })
    .option("--cursor <cursor>", "go on after this cursor (the oldest unless given)")
    .option("-n, --limit <count>", "end after as many events", whole(1))
    .option("--receipt", "acknowledge what was printed")
    .option("--json", "one event a line, as JSON, in the bytes that were appended")
    .action((id: string, options: Options) => walk(terminal, id, options));
}

async function walk(terminal: Terminal, id: string, options: Options): Promise<void> {
  const { limit = Infinity, json = false } = options;
  const api = await openApi(terminal, options);
  let { cursor } = options;
  let count = 0;
  let hasMore = true;
  while (hasMore && count < limit) {
    const query = { ...ownerQuery(api), cursor, limit: Math.min(pageSize, limit - count) };
    const text = await api.text(endpointPath(id, "/missed"), query);
    const page = JSON.parse(text) as Page;
    const events = elementsOf(text);
    for (const each of events) {
      const line = json ? each : eventLine(terminal, JSON.parse(each) as TidegateEvent, each);
      await terminal.print(line);
    }
    ({ cursor, has_more: hasMore } = page);
    count += events.length;
    if (options.receipt === true && events.length > 0) {
      const body = { endpoint: id, through: cursor, status: "processed" };
      await api.call("POST", "/receipts", { body });
    }
  }
  if (json) return;
  const acknowledged = options.receipt === true && count > 0 ? ", and acknowledged" : "";
  terminal.note(`${countText(count)} missed${acknowledged}`);
}
