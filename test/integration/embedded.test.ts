/**
 * The embedded database under everything that happens to a program on somebody's machine: killed,
 * started twice, interrupted half-way, run by root. Each test has a directory of its own; other
 * gateways are real processes.
 */

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openEmbeddedPostgres } from "../../src/db/embedded.ts";
import { createLogger } from "../../src/telemetry/logger.ts";

const program = fileURLToPath(new URL("../support/embedded-process.ts", import.meta.url));
const log = createLogger({ level: "silent" });
/** Debian's and most other systems' `nobody`. */
const nobody = 65_534;

let parent: string;
let dataDir: string;
let cleanup: AsyncDisposableStack;

beforeEach(async () => {
  cleanup = new AsyncDisposableStack();
  parent = await mkdtemp(join(tmpdir(), "tidegate-embedded-"));
  cleanup.defer(() => rm(parent, { recursive: true, force: true }));
  await chmod(parent, 0o755);
  dataDir = join(parent, "data");
  cleanup.defer(killServer);
});

afterEach(() => cleanup.disposeAsync());

describe("one gateway", () => {
  test("gets a durable database that compares bytes and listens on loopback only", async () => {
    const database = await openEmbeddedPostgres({ dataDir, log });
    cleanup.use(database);
    const [settings] = await query(
      database.url,
      `select current_setting('fsync') as fsync,
        current_setting('synchronous_commit') as commits,
        current_setting('listen_addresses') as addresses,
        current_setting('unix_socket_directories') as sockets,
        current_setting('password_encryption') as passwords,
        current_setting('server_encoding') as encoding,
        'Z' < 'a' and 'z' < 'é' as bytewise,
        lower('É') as lower`,
    );
    expect(settings).toEqual({
      fsync: "on",
      commits: "on",
      addresses: "127.0.0.1",
      sockets: "",
      passwords: "scram-sha-256",
      encoding: "UTF8",
      bytewise: true,
      lower: "é",
    });
    const withoutPassword = database.url.replace(/:[^:@]+@/, ":wrong@");
    await expect(query(withoutPassword, "select 1")).rejects.toThrow(/password authentication/);
    expect((await stat(dataDir)).mode & 0o007).toBe(0);
    expect((await stat(join(dataDir, "postgres", "tidegate-password"))).mode & 0o077).toBe(0);
  });

  test("finds its data again after a stop, and stops the server", async () => {
    const first = await openQuick();
    await query(first.url, "create table kept as select 42 as answer");
    const { pid } = await serverOf(dataDir);
    await first.stop();
    await first.stop();
    expect(isAlive(pid)).toBe(false);
    const second = await openQuick();
    expect(await query(second.url, "select answer from kept")).toEqual([{ answer: 42 }]);
  });

  test("keeps the server's log within its limit, with the older part beside it", async () => {
    await (await openQuick()).stop();
    const path = join(dataDir, "postgres.log");
    await truncate(path, 9 * 1024 * 1024);
    await openQuick();
    await expect.poll(async () => (await stat(path)).size).toBeLessThan(1024 * 1024);
    expect((await stat(`${path}.1`)).size).toBeGreaterThan(8 * 1024 * 1024);
  });
});

describe("a directory that cannot be used", () => {
  test("with a cluster of another Postgres is refused and left alone", async () => {
    await (await openQuick()).stop();
    await writeFile(join(dataDir, "postgres", "PG_VERSION"), "15\n");
    await expect(openQuick()).rejects.toThrow(/postgres was made by Postgres 15.*Postgres 18/);
  });

  test("with something else under the cluster's name is refused and left alone", async () => {
    const file = join(dataDir, "postgres", "notes.txt");
    await mkdir(join(dataDir, "postgres"), { recursive: true });
    await writeFile(file, "mine");
    await expect(openQuick()).rejects.toThrow(/not empty but holds no Postgres cluster/);
    expect(await readFile(file, "utf8")).toBe("mine");
  });

  test("whose server cannot start tells what Postgres said", async () => {
    await (await openQuick()).stop();
    await rm(join(dataDir, "postgres", "global", "pg_control"));
    await expect(openQuick()).rejects.toThrow(/did not start in .*pg_control/s);
  });
});

describe("two gateways", () => {
  test("the second is told the directory and the process of the first, and changes nothing", async () => {
    const first = startGateway();
    const url = await first.url();
    await expect(openQuick()).rejects.toThrow(
      `${dataDir} is in use by process ${first.process.pid}:`,
    );
    expect(await query(url, "select 1 as one")).toEqual([{ one: 1 }]);
    await first.stop();
  });

  test("that start at the same moment on an empty directory get one database", async () => {
    const gateways = [startGateway(), startGateway(), startGateway()];
    const lines = await Promise.all(gateways.map((gateway) => gateway.answer()));
    const [winner] = gateways.filter((_, index) => "url" in (lines[index] ?? {}));
    expect(lines.filter((line) => "url" in line)).toHaveLength(1);
    const refusal = `${dataDir} is in use by process ${winner?.process.pid}:`;
    expect(lines.filter((line) => line["error"]?.startsWith(refusal))).toHaveLength(2);
    expect(await readdir(dataDir)).toEqual(["postgres", "postgres.log"]);
    await winner?.stop();
  });

  test("the second takes over as soon as the first has stopped", async () => {
    const first = startGateway();
    await first.url();
    const second = startGateway();
    await second.logs(/^waiting/);
    await first.stop();
    await query(await second.url(), "select 1");
    await second.stop();
  });
});

describe("after a kill -9", () => {
  test("of the gateway alone the next one adopts the server as it is", async () => {
    const first = startGateway();
    await query(await first.url(), "create table kept as select 42 as answer");
    const { pid } = await serverOf(dataDir);
    await first.kill();
    const second = await openQuick();
    expect((await serverOf(dataDir)).pid).toBe(pid);
    expect(await query(second.url, "select answer from kept")).toEqual([{ answer: 42 }]);
    await second.stop();
    expect(isAlive(pid)).toBe(false);
  });

  test("of everything the next one starts from the log", async () => {
    const first = startGateway();
    await query(await first.url(), "create table kept as select 42 as answer");
    await first.kill();
    await killServer();
    const second = await openQuick();
    expect(await query(second.url, "select answer from kept")).toEqual([{ answer: 42 }]);
  });

  test("a process that got the dead server's number is not taken for it", async () => {
    const first = startGateway();
    await first.url();
    await first.kill();
    const path = join(dataDir, "postgres", "postmaster.pid");
    const lines = (await readFile(path, "utf8")).split("\n");
    await killServer();
    // Of the server's own user: Postgres itself tells others apart.
    const { uid, gid } = await stat(path);
    const bystander = spawn("sleep", ["60"], { cwd: "/", uid, gid });
    cleanup.defer(() => void bystander.kill());
    await writeFile(path, [bystander.pid, ...lines.slice(1)].join("\n"));
    const second = await openQuick();
    expect(await query(second.url, "select 1 as one")).toEqual([{ one: 1 }]);
    expect(isAlive(bystander.pid)).toBe(true);
  });

  test("in the middle of initdb nothing half-made is used", async () => {
    const first = startGateway();
    await expect.poll(() => readdir(dataDir).catch(() => []), { interval: 5 }).toHaveLength(1);
    await first.kill();
    const [scratch = ""] = await readdir(dataDir);
    expect(scratch).toMatch(/^initdb-/);
    const second = await openQuick();
    expect(await query(second.url, "select 1 as one")).toEqual([{ one: 1 }]);
    await second.stop();
    // Kept while its maker may be alive, and removed once that is out of the question.
    expect(await readdir(dataDir)).toContain(scratch);
    await utimes(join(dataDir, scratch), 0, 0);
    await openQuick();
    expect(await readdir(dataDir)).toEqual(["postgres", "postgres.log"]);
  });
});

describe("while running", () => {
  test("a Ctrl-C reaches the gateway, which drains with its database still there", async () => {
    const gateway = startGateway();
    await gateway.url();
    const { pid } = await serverOf(dataDir);
    // What a terminal does: the signal goes to the whole process group.
    signal(-(gateway.process.pid ?? 0), "SIGINT");
    expect(await gateway.answer()).toEqual({ state: "drained" });
    expect(await once(gateway.process, "exit")).toEqual([0, null]);
    expect(isAlive(pid)).toBe(false);
  });

  test("a server that dies is started again on the same port", async () => {
    const onLost = vi.fn();
    const database = await openQuick(onLost);
    await query(database.url, "create table kept as select 42 as answer");
    await killServer();
    await expect
      .poll(() => query(database.url, "select answer from kept").catch(String), { timeout: 10_000 })
      .toEqual([{ answer: 42 }]);
    await expectLocked(database.url);
    expect(onLost).not.toHaveBeenCalled();
  });

  test("a server that recovers by itself is locked again", async () => {
    const onLost = vi.fn();
    const database = await openQuick(onLost);
    const { pid } = await serverOf(dataDir);
    const [session] = await lockSessionPids(database.url);
    signal(session, "SIGKILL");
    await expect
      .poll(() => lockSessionPids(database.url).catch(() => []), { timeout: 10_000 })
      .toSatisfy((found: number[]) => found.length === 1 && found[0] !== session);
    expect((await serverOf(dataDir)).pid).toBe(pid);
    await expectLocked(database.url);
    expect(onLost).not.toHaveBeenCalled();
  });

  test("a stop during the recovery waits for it and leaves nothing behind", async () => {
    const write = vi.fn();
    const heard = createLogger({ level: "error", destination: { write } });
    const database = await openEmbeddedPostgres({ dataDir, log: heard, durable: false });
    await killServer();
    await expect.poll(() => write.mock.calls, { interval: 5 }).toHaveLength(1);
    await database.stop();
    await expect(serverOf(dataDir)).rejects.toThrow();
  });

  test("a lock that another process got is lost for good", async () => {
    const onLost = vi.fn();
    const database = await openQuick(onLost);
    const rival = postgres(database.url, {
      max: 1,
      connection: { application_name: "tidegate lock 4711" },
    });
    cleanup.defer(() => rival.end({ timeout: 0 }));
    const [held] = await query(
      database.url,
      "select pid, classid::int, objid::int from pg_locks where locktype = 'advisory'",
    );
    // Queued behind the holder, so that it has the lock the moment the session ends.
    const taken = rival.unsafe(
      `select pg_advisory_lock(${Number(held?.["classid"])}, ${Number(held?.["objid"])})`,
    );
    void taken.execute();
    await expect
      .poll(() => query(database.url, "select 1 as one from pg_locks where not granted"))
      .toHaveLength(1);
    await query(database.url, `select pg_terminate_backend(${Number(held?.["pid"])})`);
    await taken;
    await expect.poll(() => onLost.mock.calls, { timeout: 10_000 }).toHaveLength(1);
    expect(onLost.mock.calls[0]?.[0].message).toMatch(/is lost: .* in use by process 4711/);
    await database.stop();
    expect(await rival`select 1 as one`).toEqual([{ one: 1 }]);
  });
});

describe.skipIf(process.getuid?.() !== 0)("as root", () => {
  test("the server runs as another user, who sees nothing else of the directory", async () => {
    const database = await openQuick();
    expect((await stat(join(dataDir, "postgres"))).uid).not.toBe(0);
    const { uid, mode } = await stat(dataDir);
    expect([uid, mode & 0o777]).toEqual([0, 0o710]);
    await query(database.url, "select 1");
  });

  test("a directory below one that is closed to others works, and that one stays closed", async () => {
    await chmod(parent, 0o700);
    const first = await openQuick();
    await query(first.url, "create table kept as select 42 as answer");
    await killServer();
    await expect
      .poll(() => query(first.url, "select answer from kept").catch(String), { timeout: 10_000 })
      .toEqual([{ answer: 42 }]);
    expect((await stat(parent)).mode & 0o777).toBe(0o700);
  });

  test("an ordinary user is told whose the directory is", async () => {
    await (await openQuick()).stop();
    const asUser = startGateway({ uid: nobody, gid: nobody });
    expect(await asUser.answer()).toEqual({
      error: expect.stringContaining(`${dataDir} belongs to another user (uid 0)`),
    });
  });

  test("an ordinary user's database stays theirs when root uses it once", async () => {
    await chown(parent, nobody, nobody);
    const asUser = startGateway({ uid: nobody, gid: nobody });
    await query(await asUser.url(), "create table kept as select 42 as answer");
    await asUser.stop();
    const asRoot = await openQuick();
    expect((await stat(join(dataDir, "postgres"))).uid).toBe(nobody);
    await asRoot.stop();
    const again = startGateway({ uid: nobody, gid: nobody });
    expect(await query(await again.url(), "select answer from kept")).toEqual([{ answer: 42 }]);
    await again.stop();
  });
});

async function openQuick(onLost: (error: Error) => void = () => {}) {
  const database = await openEmbeddedPostgres({ dataDir, log, onLost, durable: false });
  cleanup.use(database);
  return database;
}

type Line = Record<string, string>;

function startGateway(user: { uid?: number; gid?: number } = {}) {
  const child = spawn(process.execPath, [program, dataDir], {
    ...user,
    // A process group of its own, as a shell would give it.
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  cleanup.defer(() => kill(child));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const until = async (found: (line: Line) => boolean): Promise<Line> => {
    for (;;) {
      const line: Line = JSON.parse(String((await lines.next()).value));
      if (found(line)) return line;
    }
  };
  const answer = () => until((line) => !("level" in line));
  return {
    process: child,
    answer,
    logs: (message: RegExp) => until((line) => message.test(line["msg"] ?? "")),
    async url(): Promise<string> {
      const told = await answer();
      if (told["url"] === undefined) throw new Error(told["error"]);
      return told["url"];
    },
    async stop() {
      child.kill("SIGTERM");
      await once(child, "exit");
    },
    kill: () => kill(child),
  };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

async function serverOf(directory: string): Promise<{ pid: number; port: number }> {
  const text = await readFile(join(directory, "postgres", "postmaster.pid"), "utf8");
  const [pid = 0, , , port = 0] = text.split("\n").map(Number);
  return { pid, port };
}

/** Kills the test's server and all of its processes at once, if there is one. */
async function killServer(): Promise<void> {
  const server = await serverOf(dataDir).catch(() => undefined);
  if (server === undefined || !isAlive(server.pid)) return;
  const children = await readFile(`/proc/${server.pid}/task/${server.pid}/children`, "utf8");
  for (const pid of [server.pid, ...(children.match(/\d+/g) ?? []).map(Number)]) {
    try {
      signal(pid, "SIGKILL");
    } catch {
      // It ended by itself, having lost its parent a moment ago.
    }
  }
  await expect.poll(() => isAlive(server.pid)).toBe(false);
}

function isAlive(pid: number | undefined): boolean {
  try {
    signal(pid, 0);
    // In a container whose first process does not collect the dead, they keep their number.
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}

function signal(pid: number | undefined, name: NodeJS.Signals | 0): boolean {
  // Process 0 would be our own group: this test, and whoever runs it.
  if (!pid) throw new Error("there is no process to signal");
  return process.kill(pid, name);
}

async function query(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const sql = postgres(url, { max: 1, connect_timeout: 2, onnotice: () => {} });
  try {
    return [...(await sql.unsafe(statement))];
  } finally {
    await sql.end({ timeout: 1 });
  }
}

async function lockSessionPids(url: string): Promise<number[]> {
  const rows = await query(
    url,
    "select pid from pg_stat_activity where application_name like 'tidegate lock %'",
  );
  return rows.map((row) => Number(row["pid"]));
}

async function expectLocked(url: string): Promise<void> {
  await expect.poll(() => lockSessionPids(url)).toHaveLength(1);
}
