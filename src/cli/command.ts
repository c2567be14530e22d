/** What all commands have in common: how they are made, and what they are given when they run. */
import type { Command } from "commander";
import { createApi, type Api } from "./api.ts";
import { readConnection, withConnection, type ConnectionOptions } from "./connection.ts";
import type { Terminal } from "./terminal.ts";

/** Adds a command that speaks to a gateway. `examples` are lines to be typed. */
export function addCommand(
  parent: Command,
  usage: string,
  texts: { readonly summary: string; readonly about?: string; readonly examples: string[] },
  options: { readonly isDefault?: boolean } = {},
): Command {
  const command = parent.command(usage, options);
  describe(command, texts);
  return withConnection(command);
}

/** The help of a command: what it does, and lines that show it. */
export function describe(
  command: Command,
  texts: { readonly summary: string; readonly about?: string; readonly examples: string[] },
): void {
  const { summary, about, examples } = texts;
  command.summary(summary);
  command.description(about === undefined ? `${summary}.` : `${summary}.\n\n${about}`);
  const lines = examples.map((line) => `  ${line}`).join("\n");
  command.addHelpText("after", `\nExamples:\n${lines}\n`);
}

export async function openApi(terminal: Terminal, options: ConnectionOptions): Promise<Api> {
  return createApi(await readConnection(options), terminal.interrupt);
}
