/** A process with a clock of its own, by `faketime`; its monotonic clock stays what it is. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);

const howToInstall =
  "faketime is not installed. Debian and Ubuntu: apt-get install faketime; macOS: brew install " +
  "libfaketime; elsewhere: https://github.com/wolfcw/libfaketime";

let found: Promise<void> | undefined;

/**
 * The environment of a process whose clock is off by so many seconds. The program itself is not put
 * before the command: it would stay between, and take the signals.
 */
export async function environmentOfClock(offsetSeconds: number): Promise<Record<string, string>> {
  await (found ??= find());
  const offset = `${offsetSeconds < 0 ? "" : "+"}${offsetSeconds}s`;
  // The multi-threaded library: Node has threads.
  const options = ["-m", "--exclude-monotonic", "-f", offset];
  const { stdout } = await run("faketime", [...options, "env"]);
  // Not FAKETIME_SHARED, which names memory that goes with the program.
  const variables = stdout.matchAll(/^(LD_PRELOAD|DYLD_\w+|FAKETIME|\w+_MONOTONIC)=(.*)$/gm);
  return Object.fromEntries(Array.from(variables, ([, name = "", value = ""]) => [name, value]));
}

/** On Debian, as root, it installs the program if there is none. */
async function find(): Promise<void> {
  if (await works()) return;
  const isDebian = await run("apt-get", ["--version"]).then(
    () => true,
    () => false,
  );
  if (process.getuid?.() !== 0 || !isDebian) throw new Error(howToInstall);
  const options = ["-o", "DPkg::Lock::Timeout=120", "-qq"];
  await run("apt-get", [...options, "update"]);
  await run("apt-get", [...options, "install", "-y", "--no-install-recommends", "faketime"]);
  if (!(await works())) throw new Error(howToInstall);
}

async function works(): Promise<boolean> {
  return run("faketime", ["-f", "+1s", "true"]).then(
    () => true,
    () => false,
  );
}
