/** What the command line of `npm run bench` asks for. */
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import type { Row } from "./rows/row.ts";
import { allRows } from "./rows/rows.ts";
import type { Turns } from "./turns.ts";

export type Options = {
  readonly rows: readonly Row[];
  readonly turns: Turns;
  readonly json: string | undefined;
  readonly dir: string;
  /** Another version's checkout. */
  readonly against: string | undefined;
  /** A Postgres of this machine to make databases on, instead of starting one. */
  readonly server: string | undefined;
};

const defaultRounds = "5";
const defaultSeconds = "2.5";

export function readOptions(args: string[]): Options {
  const { values, positionals } = parseOptions(args);
  const turns = { rounds: Number(values.rounds), seconds: Number(values.seconds) };
  if (!(turns.seconds > 0)) refuse("--seconds must be a number above 0");
  if (!Number.isInteger(turns.rounds) || turns.rounds < 1) refuse("--rounds must be 1 or more");
  const against = values.against === undefined ? undefined : resolve(values.against);
  if (against !== undefined && !existsSync(join(against, "src", "main.ts"))) {
    refuse(`${against} is no checkout of Tidegate`);
  }
  const rows = values.all ? allRows : chooseRows(positionals);
  const { json, dir, server } = values;
  return { rows, turns, json, dir, against, server };
}

/** In the order of the list, however they are named; the core rows when none is. */
function chooseRows(names: readonly string[]): readonly Row[] {
  if (names.length === 0) return allRows.filter(({ core }) => core === true);
  const chosen = new Set(names.flatMap(rowsCalled));
  return allRows.filter((row) => chosen.has(row));
}

/** The row of that name, or else all whose names begin so. */
function rowsCalled(name: string): readonly Row[] {
  const exact = allRows.filter((row) => row.name === name);
  const called = exact.length > 0 ? exact : allRows.filter((row) => row.name.startsWith(name));
  return called.length > 0 ? called : refuse(`no such row: ${name}`);
}

function parseOptions(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        all: { type: "boolean", default: false },
        against: { type: "string" },
        server: { type: "string" },
        seconds: { type: "string", default: defaultSeconds },
        rounds: { type: "string", default: defaultRounds },
        json: { type: "string" },
        dir: { type: "string", default: tmpdir() },
      },
    });
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
}

function refuse(fault: string): never {
  console.error(`${fault}\n\nusage: npm run bench -- [--all | row …] [--seconds n] [--rounds n]`);
  console.error("         [--against checkout of another version] [--json file]");
  console.error(
    "         [--dir directory for the database] [--server url of one to use instead]\n\nrows (* without --all, too):",
  );
  const width = Math.max(...allRows.map(({ name }) => name.length)) + 2;
  for (const { name, core, what } of allRows) {
    console.error(`${core === true ? "*" : " "} ${name.padEnd(width)}${what}`);
  }
  process.exit(2);
}
