/**
 * The mutations: patches that each break one guarantee on purpose. Each says in its head what it
 * breaks and how, the checks of which one has to notice (records.ts), and the run in which it does:
 *
 *     Breaks: an acknowledged append is never lost
 *     Caught-by: acknowledged, resumable
 *     Run: chaos --minutes 0.4 --seed 1 --brokers 1
 */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { checks, type Check } from "./records.ts";

export type Mutation = {
  readonly name: string;
  /** Of the patch. */
  readonly path: string;
  readonly guarantee: string;
  readonly caughtBy: readonly Check[];
  /** Arguments of simulate.ts. */
  readonly run: readonly string[];
};

const folder = fileURLToPath(new URL("mutations", import.meta.url));

const run = promisify(execFile);

/** In the order of their names. Throws when one does not say what it has to. */
export async function loadMutations(): Promise<Mutation[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".patch")).toSorted();
  return Promise.all(
    files.map(async (file) => {
      const path = join(folder, file);
      return toMutation(path, await readFile(path, "utf8"));
    }),
  );
}

function toMutation(path: string, text: string): Mutation {
  const head = text.slice(0, text.search(/^diff /m));
  const caughtBy = field("Caught-by").split(/,\s*/).map(toCheck);
  const args = field("Run").split(/\s+/);
  const name = basename(path, ".patch");
  return { name, path, guarantee: field("Breaks"), caughtBy, run: args };

  function field(wanted: string): string {
    const value = new RegExp(`^${wanted}: (.+)$`, "m").exec(head)?.[1];
    if (value === undefined) throw new Error(`${path} has no line ${wanted}: before its diff`);
    return value.trim();
  }

  function toCheck(given: string): Check {
    if (!(given in checks)) throw new Error(`${path}: there is no check ${given}`);
    return given as Check;
  }
}

/** Applies the patch to what is in `directory`, or with `check` only finds out whether it would. */
export async function applyPatch(
  { path }: Mutation,
  directory: string,
  { check = false } = {},
): Promise<void> {
  await run("git", ["apply", ...(check ? ["--check"] : []), path], {
    cwd: directory,
    // In a repository above, git would leave out in silence what is not below its root.
    env: { ...process.env, GIT_CEILING_DIRECTORIES: dirname(directory) },
  });
}
