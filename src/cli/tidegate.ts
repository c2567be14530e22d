/**
 * The command line: `tidegate <command>`. It speaks to a gateway over its API like any other client
 * and knows nothing that the API does not tell; only `start` and `doctor` know the server, and load
 * it when they are called.
 */
import { Command, CommanderError, Help } from "commander";
import { connectionGroup } from "./connection.ts";
import { addDeliveries } from "./deliveries.ts";
import { addDoctor } from "./doctor.ts";
import { addEndpoints } from "./endpoints.ts";
import { exitCodes, Failure } from "./failure.ts";
import { addKeys } from "./keys.ts";
import { addListen } from "./listen.ts";
import { addMissed } from "./missed.ts";
import { addReplay } from "./replay.ts";
import { addSend } from "./send.ts";
import { addStart } from "./start.ts";
import { addTail } from "./tail.ts";
import { addTenants } from "./tenants.ts";
import { openTerminal, type Terminal } from "./terminal.ts";
import { version } from "./version.ts";

const about = `A feed of events for each of your customers: pushed as webhooks, polled or streamed.

To try it: \`npx tidegate start\` in one terminal, and in another one, in the same directory,
\`npx tidegate tenants create acme\` and \`npx tidegate tail\`; then \`npx tidegate send\` in a third.`;

const closing = `
Which gateway, and as whom: --url or TIDEGATE_URL (http://127.0.0.1:8080 unless given), and --key or
TIDEGATE_KEY. Where a gateway with an embedded database was started, its key is found by itself.

Results go to stdout, all else to stderr; --json is for programs. NO_COLOR is heard.

Exit codes: 0 done; 1 refused or failed; 2 wrong usage; 3 the gateway cannot be reached or refuses
the key; 130 interrupted; 141 whoever read the output has gone.
`;

/** Runs a command and sets the exit code of the process. */
export async function run(args: readonly string[]): Promise<void> {
  const terminal = openTerminal();
  try {
    await createProgram(terminal).parseAsync(args, { from: "user" });
  } catch (error) {
    process.exitCode = tell(terminal, error);
  } finally {
    terminal.close();
  }
}

function createProgram(terminal: Terminal): Command {
  const program = new Command("tidegate")
    .description(about)
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print help; after a command, that of the command")
    .addHelpText("after", closing)
    // Everything is told by `tell`, in one form.
    .exitOverride()
    .configureOutput({ outputError: () => {} })
    .helpCommand("help [command]", "print the help of a command")
    .configureHelp({
      // What all commands share stands after what is their own.
      groupItems(unsorted, visible, groupOf) {
        const groups = new Help().groupItems(unsorted, visible, groupOf);
        const shared = groups.get(connectionGroup);
        if (shared !== undefined && groups.delete(connectionGroup)) {
          groups.set(connectionGroup, shared);
        }
        return groups;
      },
    });
  addStart(program, terminal);
  addSend(program, terminal);
  addTail(program, terminal);
  addListen(program, terminal);
  addTenants(program, terminal);
  addEndpoints(program, terminal);
  addDeliveries(program, terminal);
  addReplay(program, terminal);
  addMissed(program, terminal);
  addKeys(program, terminal);
  addDoctor(program, terminal);
  return program;
}

/** Says what went wrong and returns the exit code. */
function tell(terminal: Terminal, error: unknown): number {
  if (error instanceof CommanderError) {
    // Help and the version were asked for and are no failure.
    if (error.exitCode === 0) return 0;
    if (error.code === "commander.help") return exitCodes.usage;
    const text = error.message.replace(/^error: /, "");
    terminal.note(`${terminal.paintNote("red", "tidegate:")} ${text}`);
    terminal.note("`--help` after the command tells its options and shows examples.");
    return exitCodes.usage;
  }
  if (error instanceof Failure) {
    terminal.note(`${terminal.paintNote("red", "tidegate:")} ${error.message}`);
    if (error.hint !== undefined) terminal.note(error.hint);
    return error.exitCode;
  }
  // Ours: whoever reports it needs to know where it was.
  terminal.note(`tidegate: ${error instanceof Error ? error.stack : String(error)}`);
  return exitCodes.failed;
}
