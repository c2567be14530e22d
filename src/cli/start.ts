/** `tidegate start`: the gateway itself, as `npm start` runs it in a clone. */
import type { Command } from "commander";
import { describe } from "./command.ts";
import { Failure } from "./failure.ts";
import { whole } from "./options.ts";
import type { Terminal } from "./terminal.ts";

type Options = { readonly host?: string; readonly port?: number; readonly dataDir?: string };

/** The first Node with all that the server is written in. */
const nodeMajorMin = 24;

export function addStart(program: Command, terminal: Terminal): void {
  const start = program.command("start");
  describe(start, {
    summary: "Run a gateway, with an embedded database unless DATABASE_URL names one",
    about:
      "It is configured by environment variables, see README.md; the options here stand for\n" +
      "HOST, PORT and TIDEGATE_DATA_DIR. The embedded database and the operator's key are kept in\n" +
      ".tidegate of this directory, and commands that run here find the key by themselves.",
    examples: [
      "npx tidegate start",
      "PORT=9090 npx tidegate start",
      "DATABASE_URL=postgres://… TIDEGATE_OPERATOR_KEY=… TIDEGATE_SECRETS=… npx tidegate start",
    ],
  });
  start
    .option("--host <address>", "where to listen (127.0.0.1 unless given)")
    .option("--port <port>", "8080 unless given; 0 takes a free one", whole(0, 65_535))
    .option("--data-dir <directory>", "for the embedded database (.tidegate unless given)")
    .action(async ({ host, port, dataDir }: Options) => {
      if (Number(process.versions.node.split(".")[0]) < nodeMajorMin) {
        throw new Failure(`A gateway needs Node ${nodeMajorMin}, and this is ${process.version}`, {
          hint: "`npm rebuild node` brings one along, where install scripts may run.",
        });
      }
      if (host !== undefined) process.env["HOST"] = host;
      if (port !== undefined) process.env["PORT"] = String(port);
      if (dataDir !== undefined) process.env["TIDEGATE_DATA_DIR"] = dataDir;
      // It has an own way to end on signals.
      terminal.close();
      await import("../main.ts");
    });
}
