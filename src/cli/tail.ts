/** `tidegate tail`: a tenant's events as they come. */
import type { Command } from "commander";
import { addCommand, openApi } from "./command.ts";
import type { ConnectionOptions } from "./connection.ts";
import { eventLine } from "./event-line.ts";
import { openReading, withSelection, type SelectionOptions } from "./reading.ts";
import type { Terminal } from "./terminal.ts";

type Options = ConnectionOptions & SelectionOptions & { readonly json?: boolean };

export function addTail(program: Command, terminal: Terminal): void {
  const tail = addCommand(program, "tail", {
    summary: "Follow a tenant's events live",
    about:
      "Breaks are waited out: it goes on where it was, and nothing is missed or repeated. With --json\n" +
      "each line is an event, in the very bytes that were appended. Ctrl-C ends it, and tells the\n" +
      "cursor to go on with.",
    examples: [
      "npx tidegate tail",
      "npx tidegate tail --types 'order.*,invoice.paid' --from 2h",
      "npx tidegate tail --from earliest --limit 100 --json > events.ndjson",
      "npx tidegate tail --json | jq .data",
    ],
  });
  withSelection(tail, "latest")
    .option("--json", "one event a line, as JSON")
    .action(async (options: Options) => {
      const api = await openApi(terminal, options);
      const reading = await openReading(api, terminal, options);
      if (options.json !== true) {
        terminal.note(`Following ${reading.tenant ?? "the tenant of the key"}; Ctrl-C ends it.`);
      }
      for await (const { event, text } of reading.events()) {
        await terminal.print(options.json === true ? text : eventLine(terminal, event, text));
      }
      if (options.json !== true) tellCursor(terminal, reading.cursor());
    });
}

/** How to go on later. */
export function tellCursor(terminal: Terminal, cursor: string | undefined): void {
  if (cursor !== undefined) terminal.note(`To go on after this: --cursor ${cursor}`);
}
