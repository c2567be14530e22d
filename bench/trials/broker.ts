/** A NATS server with JetStream for a trial: the one that `NATS_URL` names, or one of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, constants, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { until } from "./endpoints.ts";
import type { Stage } from "./stage.ts";

export type Broker = {
  readonly url: string;
  /** Of a server of its own. */
  readonly pid: number | undefined;
};

/** Debian installs it where only root looks. */
const furtherFolders = ["/usr/sbin", "/usr/local/bin"];

const startPatienceSeconds = 15;

/** Undefined where there is none to be had. */
export async function openBroker(stage: Stage): Promise<Broker | undefined> {
  const given = process.env["NATS_URL"];
  if (given !== undefined && given !== "") return { url: given, pid: undefined };
  return await stage.open(() => openOwnBroker(stage));
}

/** Its files are in `dir`; `defer` is told how to stop it. Undefined where none is installed. */
export async function openOwnBroker(
  place: Pick<Stage, "dir" | "defer">,
): Promise<Broker | undefined> {
  const program = await findProgram();
  return program === undefined ? undefined : await start(place, program);
}

async function findProgram(): Promise<string | undefined> {
  const folders = [...(process.env["PATH"] ?? "").split(":"), ...furtherFolders];
  for (const folder of folders) {
    const path = join(folder, "nats-server");
    const usable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (usable) return path;
  }
  return undefined;
}

async function start(place: Pick<Stage, "dir" | "defer">, program: string): Promise<Broker> {
  const dir = join(place.dir, "nats");
  await mkdir(dir);
  const logPath = join(dir, "log");
  // -1: the server takes a free port by itself, so nobody can take it in between.
  const args = ["-a", "127.0.0.1", "-p", "-1", "-js", "-sd", dir, "-l", logPath];
  const child = spawn(program, args, { stdio: "ignore", detached: true });
  const killAtExit = () => child.kill("SIGKILL");
  process.once("exit", killAtExit);
  const ended = once(child, "exit");
  place.defer(async () => {
    process.off("exit", killAtExit);
    child.kill("SIGKILL");
    await ended;
  });
  let said = "";
  await until("nats-server ready", startPatienceSeconds, async () => {
    said = await readFile(logPath, "utf8").catch(() => "");
    return said.includes("Server is ready");
  });
  const port = /Listening for client connections on \S+:(\d+)/.exec(said)?.[1];
  if (port === undefined) throw new Error(`nats-server does not say where it listens:\n${said}`);
  return { url: `nats://127.0.0.1:${port}`, pid: child.pid };
}
