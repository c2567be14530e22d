/** Programs that tests need and npm does not bring. */
import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * What `find` gives; where that is nothing, on Debian and as root, the package is installed first.
 * Elsewhere it throws and says what to do.
 */
export async function ensureInstalled<T>(options: {
  find: () => Promise<T | undefined>;
  /** Of Debian. */
  package: string;
  howToInstall: string;
}): Promise<T> {
  const found = await options.find();
  if (found !== undefined) return found;
  if (process.getuid?.() !== 0 || (await which("apt-get")) === undefined) {
    throw new Error(options.howToInstall);
  }
  // Several test runs may come here at once.
  const quiet = ["-o", "DPkg::Lock::Timeout=120", "-qq"];
  await run("apt-get", [...quiet, "update"]);
  await run("apt-get", [...quiet, "install", "-y", "--no-install-recommends", options.package]);
  const installed = await options.find();
  if (installed === undefined) throw new Error(options.howToInstall);
  return installed;
}

/** The path of a program. */
export async function which(name: string): Promise<string | undefined> {
  // Debian installs some where only root looks.
  const folders = [...(process.env["PATH"] ?? "").split(":"), "/usr/sbin", "/usr/local/bin"];
  for (const folder of folders) {
    const path = join(folder, name);
    const usable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return path;
  }
  return undefined;
}
