/** The fixtures of test/golden: rows as some version stored them, and what must come out of them. */
import { readdirSync, readFileSync } from "node:fs";

export type Golden = {
  /** The folder: the newest migration of that version, with `.2` and so on behind a further one. */
  readonly name: string;
  readonly migration: string;
  /** The rows as SQL statements. */
  readonly rows: string;
  /** By tenant, in order. */
  readonly envelopes: ReadonlyMap<string, readonly string[]>;
};

const folder = new URL("../golden/", import.meta.url);

/** The oldest first. */
export function readGolden(): Golden[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => readOne(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function readOne(name: string): Golden {
  const read = (file: string) => readFileSync(new URL(`${name}/${file}`, folder), "utf8");
  const lines = read("envelopes.txt").split("\n").slice(0, -1);
  return {
    name,
    migration: name.split(".")[0] ?? "",
    rows: read("rows.sql"),
    envelopes: Map.groupBy(lines, (line) => (JSON.parse(line) as { tenant: string }).tenant),
  };
}
