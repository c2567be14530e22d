/** Versions of Tidegate that are measured: directories with a checkout and its packages. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The one that this file belongs to. */
export const thisCheckout = fileURLToPath(new URL("..", import.meta.url));

/** Its version, its commit, and whether it was changed since. */
export async function describeCheckout(root: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    version: string;
  };
  return `${manifest.version} (${await describeCommit(root)})`;
}

async function describeCommit(root: string): Promise<string> {
  try {
    const commit = await git(root, "rev-parse", "--short=10", "HEAD");
    const changes = await git(root, "status", "--porcelain", "--untracked-files=no");
    return changes === "" ? commit : `${commit}, with changes`;
  } catch {
    return "no commit known";
  }
}

async function git(root: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)("git", ["-C", root, ...args]);
  return stdout.trim();
}
