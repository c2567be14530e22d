/**
 * `tidegate doctor`: looks at everything that a gateway started in this environment needs, and at
 * the one that commands speak to, and says of each whether it is right and what to do. It changes
 * nothing.
 */
import type { Command } from "commander";
import { addCommand } from "./command.ts";
import type { ConnectionOptions } from "./connection.ts";
import { Failure } from "./failure.ts";
import type { Finding } from "./doctor/finding.ts";
import { printJson } from "./table.ts";
import type { Style, Terminal } from "./terminal.ts";

type Options = ConnectionOptions & { readonly json?: boolean };

const styles: Readonly<Record<Finding["verdict"], Style>> = {
  ok: "green",
  warn: "yellow",
  fail: "red",
};

export function addDoctor(program: Command, terminal: Terminal): void {
  const doctor = addCommand(program, "doctor", {
    summary: "Check configuration, database, NATS, clocks, addresses and the gateway",
    about:
      "Run it with the environment that the gateway has. Exit code 1 when something fails; what is\n" +
      "only a warning does not count. It changes nothing.",
    examples: [
      "npx tidegate doctor",
      "DATABASE_URL=postgres://… NATS_URL=nats://… npx tidegate doctor",
      "npx tidegate doctor --url https://events.example.com --json",
    ],
  });
  doctor.option("--json", "one finding a line, as JSON").action(async (options: Options) => {
    const expected = doctor.getOptionValueSource("url") !== "default";
    let failures = 0;
    for await (const finding of examine(options, expected, terminal.interrupt)) {
      if (finding.verdict === "fail") failures += 1;
      if (options.json === true) await printJson(terminal, finding);
      else await printFinding(terminal, finding);
    }
    if (failures > 0)
      throw new Failure(failures === 1 ? "1 check fails" : `${failures} checks fail`);
  });
}

/** The server is loaded here and nowhere else: most commands never need it. */
async function* examine(
  options: Options,
  expected: boolean,
  interrupt: AbortSignal,
): AsyncGenerator<Finding> {
  const { ok } = await import("./doctor/finding.ts");
  yield ok("Node", `${process.version} on ${process.platform} ${process.arch}`);
  const { readConfiguration, checkSecrets } = await import("./doctor/configuration.ts");
  const { config, finding } = readConfiguration();
  yield finding;
  if (config !== undefined) {
    yield* await checkSecrets(config);
    if (config.databaseUrl !== undefined) {
      const { checkDatabase } = await import("./doctor/database.ts");
      yield* await checkDatabase(config.databaseUrl);
    }
    if (config.nats !== undefined) {
      const { checkBroker } = await import("./doctor/broker.ts");
      yield await checkBroker(config.nats);
    }
    const { checkAddresses } = await import("./doctor/addresses.ts");
    yield* await checkAddresses(config);
  }
  const { checkGateway } = await import("./doctor/gateway.ts");
  yield* await checkGateway(options, expected, interrupt);
}

async function printFinding(terminal: Terminal, finding: Finding): Promise<void> {
  const { verdict, what, text, advice } = finding;
  const [first = "", ...more] = text.split("\n");
  const word = terminal.paint(styles[verdict], verdict.padEnd(4));
  await terminal.print(`${word}  ${what.padEnd(16)}  ${first}`);
  const indent = " ".repeat(24);
  for (const line of more) await terminal.print(`${indent}${line}`);
  if (advice !== undefined && verdict !== "ok") {
    for (const line of advice.split("\n")) {
      await terminal.print(`${indent}${terminal.paint("dim", `→ ${line}`)}`);
    }
  }
}
