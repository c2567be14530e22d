/** A process with a clock of its own, by `faketime`; its monotonic clock stays what it is. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { ensureInstalled } from "./installed.ts";

const run = promisify(execFile);

const howToInstall =
  "faketime is not installed. Debian and Ubuntu: apt-get install faketime; macOS: brew install " +
  "libfaketime; elsewhere: https://github.com/wolfcw/libfaketime";

let found: Promise<true> | undefined;

/**
 * The environment of a process whose clock is off by so many seconds. The program itself is not put
 * before the command: it would stay between, and take the signals.
 */
export async function environmentOfClock(offsetSeconds: number): Promise<Record<string, string>> {
  await (found ??= ensureInstalled({ find: works, package: "faketime", howToInstall }));
  const offset = `${offsetSeconds < 0 ? "" : "+"}${offsetSeconds}s`;
  // The multi-threaded library: Node has threads.
  const options = ["-m", "--exclude-monotonic", "-f", offset];
  const { stdout } = await run("faketime", [...options, "env"]);
  // Not FAKETIME_SHARED, which names memory that goes with the program.
  const variables = stdout.matchAll(/^(LD_PRELOAD|DYLD_\w+|FAKETIME|\w+_MONOTONIC)=(.*)$/gm);
  return Object.fromEntries(Array.from(variables, ([, name = "", value = ""]) => [name, value]));
}

async function works(): Promise<true | undefined> {
  return run("faketime", ["-f", "+1s", "true"]).then(
    () => true as const,
    () => undefined,
  );
}
