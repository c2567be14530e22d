/**
 * One Postgres cluster in the data directory, and the server that may be running on it. The
 * directory `postgres` appears only when it is whole, password included, so a cluster whose
 * making was interrupted is never used. Nothing here knows who may use the cluster: that is
 * decided by the lock in `embedded.ts`.
 */

import { randomBytes } from "node:crypto";
import {
  access,
  appendFile,
  constants,
  copyFile,
  mkdtemp,
  mkdir,
  open,
  readFile,
  readdir,
  realpath,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import type { BaseLogger as Logger } from "pino";
import { findPrograms, type Programs } from "./programs.ts";

export type Server = { readonly pid: number; readonly port: number };

export type Cluster = {
  readonly dataDir: string;
  readonly directory: string;
  readonly password: string;
  /** The server that is alive on the directory, perhaps not ready yet, or still stopping. */
  server(): Promise<Server | undefined>;
  /** Starts a server and waits until it is ready. Of several at once, one succeeds. */
  start(port: number): Promise<void>;
  /** Ends all sessions, writes everything out and waits for the end. */
  stop(): Promise<void>;
  /** Keeps the server's log within its limit. */
  trimLog(): Promise<void>;
};

export const superuser = "tidegate";

/** Inside the cluster, so that the two cannot come apart: one rename brings both. */
const passwordFile = "tidegate-password";
const scratchPrefix = "initdb-";
/** initdb takes seconds; what is older was left behind by a process that was killed. */
const scratchAgeMaxMs = 10 * 60_000;
/** Enough for weeks of errors. One older file of this size is kept beside it. */
const logBytesMax = 8 * 1024 * 1024;
/** What an error about a failed start quotes from the log. */
const logTailBytes = 2_000;
/** Recovery after a crash replays at most max_wal_size, 1 GB, even on a slow disk. */
const startSecondsMax = 600;
/** A fast shutdown is one checkpoint. */
const stopSecondsMax = 60;

/** On the command line, where they are the same at every start and no file can drift from them. */
const settings = [
  "listen_addresses=127.0.0.1",
  "unix_socket_directories=",
  "max_connections=100",
  "shared_buffers=128MB",
  "fsync=on",
  "synchronous_commit=on",
  "timezone=UTC",
  "log_min_messages=warning",
  "log_checkpoints=off",
];

/** For tests: what was committed outlives every process, but not the machine. */
const volatileSettings = ["fsync=off", "full_page_writes=off"];

export async function openCluster(options: {
  dataDir: string;
  durable: boolean;
  log: Logger;
}): Promise<Cluster> {
  // In two steps, since the mode of the last directory is not for those above it.
  await mkdir(dirname(options.dataDir), { recursive: true });
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  // Servers are recognised by their directory, so it needs one name whatever links lead to it.
  const dataDir = await realpath(options.dataDir);
  const directory = join(dataDir, "postgres");
  await refuseOthers(dataDir);
  const programs = await findPrograms({ dataDir, clusterDir: directory, log: options.log });
  await removeOldScratch(dataDir);
  if ((await clusterVersion(directory)) === undefined) {
    options.log.info({ directory }, "creating the embedded database");
    await createCluster(dataDir, directory, programs, options.durable);
  }
  await refuseOtherVersion(directory, programs);
  const logFile = join(dataDir, "postgres.log");
  await appendFile(logFile, "", { mode: 0o600 });
  await programs.give(logFile);
  const password = (await readFile(join(directory, passwordFile), "utf8")).trim();
  const server = () => findServer(directory, programs);
  return {
    dataDir,
    directory,
    password,
    server,
    async start(port) {
      const flags = [...settings, ...(options.durable ? [] : volatileSettings)];
      const serverOptions = [`-p ${port}`, ...flags.map((flag) => `-c ${flag}`)].join(" ");
      const { size } = await stat(logFile);
      try {
        await control("start", [`--log=${logFile}`, `--options=${serverOptions}`], startSecondsMax);
      } catch (cause) {
        const reason = (await readTail(logFile, size)) || String(cause);
        throw new Error(`Postgres did not start in ${directory}: ${reason}`, { cause });
      }
    },
    async stop() {
      if ((await server()) !== undefined) await control("stop", ["--mode=fast"], stopSecondsMax);
    },
    async trimLog() {
      if ((await stat(logFile)).size <= logBytesMax) return;
      // The server appends to this very file, so it is emptied, not replaced. Lines written
      // between the two steps are lost, which a log of warnings can bear.
      await copyFile(logFile, `${logFile}.1`);
      await truncate(logFile);
    },
  };

  async function control(action: string, args: readonly string[], seconds: number) {
    const common = [`--pgdata=${directory}`, "--wait", `--timeout=${seconds}`];
    await programs.run("pg_ctl", [action, ...common, ...args]);
  }
}

async function refuseOthers(dataDir: string): Promise<void> {
  try {
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    const { uid } = await stat(dataDir);
    throw new Error(
      `${dataDir} belongs to another user (uid ${uid}), perhaps since Tidegate was once started ` +
        "as that one: start it so again, or choose another TIDEGATE_DATA_DIR",
      { cause },
    );
  }
}

async function createCluster(
  dataDir: string,
  directory: string,
  programs: Programs,
  durable: boolean,
): Promise<void> {
  const scratch = await mkdtemp(join(dataDir, scratchPrefix));
  try {
    const made = join(scratch, "cluster");
    const password = join(scratch, "password");
    await writeFile(password, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600 });
    await programs.give(password);
    await programs.give(scratch);
    await programs.run("initdb", [
      `--pgdata=${made}`,
      `--username=${superuser}`,
      `--pwfile=${password}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      // Text is compared byte by byte, the same on every machine, and letters are Unicode's.
      "--locale=C",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
      ...(durable ? [] : ["--no-sync"]),
    ]);
    await rename(password, join(made, passwordFile));
    if (durable) await Promise.all([sync(join(made, passwordFile)), sync(made)]);
    await rename(made, directory);
    if (durable) await sync(dataDir);
  } catch (error) {
    // Another gateway was faster, and the lock decides which of us may use its cluster.
    if (!hasCode(error, "ENOTEMPTY") && !hasCode(error, "EEXIST")) throw error;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function removeOldScratch(dataDir: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    if (!name.startsWith(scratchPrefix)) continue;
    const path = join(dataDir, name);
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }));
    if (Date.now() - mtimeMs > scratchAgeMaxMs) await rm(path, { recursive: true, force: true });
  }
}

async function clusterVersion(directory: string): Promise<string | undefined> {
  return (await readIfThere(join(directory, "PG_VERSION")))?.trim();
}

async function refuseOtherVersion(directory: string, programs: Programs): Promise<void> {
  const found = await clusterVersion(directory);
  if (found === undefined) {
    throw new Error(`${directory} is not empty but holds no Postgres cluster; move it away`);
  }
  const ours = /(\d+)[.\w]*$/.exec(await programs.run("pg_ctl", ["--version"]))?.[1];
  if (found === ours) return;
  throw new Error(
    `${directory} was made by Postgres ${found}, but this Tidegate brings Postgres ${ours}: go ` +
      "back to the Tidegate that made it, move its data over with pg_dump, or choose another " +
      "TIDEGATE_DATA_DIR",
  );
}

async function findServer(directory: string, programs: Programs): Promise<Server | undefined> {
  const path = join(directory, "postmaster.pid");
  const lines = (await readIfThere(path))?.split("\n");
  // A server in single-user mode writes its number negated.
  const [pid, port] = [Math.abs(Number(lines?.[0])), Number(lines?.[3])];
  if (!pid || !isAlive(pid)) return undefined;
  if (await worksIn(pid, directory, programs)) return { pid, port };
  // After a crash, above all in a container that is started again, another process may have the
  // old server's number, and Postgres would refuse to start because of it. Should a server have
  // come up just now, Postgres still sees its shared memory, named after the directory's inode.
  await rm(path, { force: true });
  return undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A server's working directory is its cluster. Not told outside Linux, where it is assumed. */
async function worksIn(pid: number, directory: string, programs: Programs): Promise<boolean> {
  if (process.platform !== "linux") return true;
  // Asked as the server's own user, since even root may not look in a container. Fails for a
  // process that is dead and waits for its parent to notice.
  const found = await programs.run("readlink", [`/proc/${pid}/cwd`]).catch(() => undefined);
  return found === directory;
}

async function readTail(path: string, from: number): Promise<string> {
  await using file = await open(path);
  const { size } = await file.stat();
  const start = Math.max(from, size - logTailBytes);
  const { buffer, bytesRead } = await file.read({ position: start, length: logTailBytes });
  return buffer.toString("utf8", 0, bytesRead).trim();
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

/** Makes a file's content, or a directory's list of names, survive a power failure. */
async function sync(path: string): Promise<void> {
  await using file = await open(path);
  await file.sync();
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
