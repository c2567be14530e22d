/**
 * A real nats-server with JetStream on a free port, with a store of its own. It can be killed,
 * frozen and started again on the same port and store.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ensureInstalled, which } from "./installed.ts";

export type NatsServer = {
  readonly url: string;
  readonly port: number;
  readonly storeDir: string;
  /** As if the power went: SIGKILL. */
  kill(): Promise<void>;
  /** As its operator ends it: it says goodbye, so that its cluster knows at once. */
  shutDown(): Promise<void>;
  /** Empties the store of a server that is down. */
  wipe(): Promise<void>;
  /** Holds the process without closing its sockets, and lets it go on. */
  freeze(): void;
  thaw(): void;
  /** Starts it again on the same port with what is left in the store; kills it first if it runs. */
  restart(): Promise<void>;
  /** Ends it and removes the store. */
  stop(): Promise<void>;
};

const howToInstall =
  "nats-server is not installed. Debian and Ubuntu: apt-get install nats-server; macOS: brew install " +
  "nats-server; elsewhere: https://github.com/nats-io/nats-server/releases. Or set NATS_URL.";

const startTimeoutMs = 15_000;
const stopTimeoutMs = 5_000;
/** Enough for what it says at its start. */
const logKeptMax = 100_000;

let found: Promise<string> | undefined;

/** The path of a nats-server. On Debian, as root, it installs one if there is none. */
export function ensureNatsServer(): Promise<string> {
  return (found ??= ensureInstalled({
    find: () => which("nats-server"),
    package: "nats-server",
    howToInstall,
  }));
}

/** `NATS_URL` if it is set, else a server of its own. */
export async function natsUrl(): Promise<{ url: string; stop(): Promise<void> }> {
  const url = process.env["NATS_URL"];
  return url ? { url, stop: async () => {} } : startNats();
}

export async function startNats(options: { args?: readonly string[] } = {}): Promise<NatsServer> {
  const program = await ensureNatsServer();
  const storeDir = await mkdtemp(join(tmpdir(), "nats-"));
  // -1: the server takes a free port by itself, so nobody can take it in between.
  let { child, port } = await launch(-1).catch(async (error: unknown) => {
    await rm(storeDir, { recursive: true, force: true });
    throw error;
  });
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    storeDir,
    kill: () => end("SIGKILL"),
    shutDown: () => end("SIGTERM"),
    wipe,
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
    restart,
    async stop() {
      await end("SIGTERM");
      await rm(storeDir, { recursive: true, force: true });
    },
  };

  async function wipe(): Promise<void> {
    for (const name of await readdir(storeDir)) await rm(join(storeDir, name), { recursive: true });
  }

  async function restart(): Promise<void> {
    await end("SIGKILL");
    const deadline = Date.now() + startTimeoutMs;
    for (;;) {
      try {
        ({ child } = await launch(port));
        return;
      } catch (error) {
        // An outgoing connection of somebody may hold the port for a moment.
        if (Date.now() > deadline) throw error;
        await delay(100);
      }
    }
  }

  async function end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    child.kill("SIGCONT"); // a frozen process would not see the signal
    const killer = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
    await exited;
    clearTimeout(killer);
  }

  async function launch(wanted: number): Promise<{ child: ChildProcess; port: number }> {
    const args = ["-a", "127.0.0.1", "-p", String(wanted), "-js", "-sd", storeDir];
    const started = spawn(program, [...args, ...(options.args ?? [])], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    endWithThisProcess(started);
    let said = "";
    // Read to the end of its life: the server dies of a log line that it cannot write.
    started.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      if (said.length < logKeptMax) said += chunk;
    });
    const deadline = Date.now() + startTimeoutMs;
    while (!said.includes("Server is ready") && Date.now() < deadline) {
      if (started.exitCode !== null || started.signalCode !== null) break;
      await delay(10);
    }
    const listening = /Listening for client connections on \S+:(\d+)/.exec(said);
    if (!listening?.[1] || !said.includes("Server is ready")) {
      started.kill("SIGKILL");
      throw new Error(`nats-server did not start:\n${said}`);
    }
    return { child: started, port: Number(listening[1]) };
  }
}

/**
 * Three servers that keep the stream in three replicas and name one another to their clients, unless
 * told otherwise.
 */
export async function startNatsCluster(
  options: { args?: readonly string[] } = {},
): Promise<NatsServer[]> {
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  const routes = ports.map((port) => `nats://127.0.0.1:${port}`);
  const common = ["--cluster_name", "test", "--routes", routes.join(","), ...(options.args ?? [])];
  return Promise.all(
    routes.map((route, index) =>
      startNats({ args: [...common, "--cluster", route, "--name", `server-${index}`] }),
    ),
  );
}

/** The routes must be known before any server starts, so these ports cannot be the servers' choice. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** A test that is aborted leaves no server behind. */
function endWithThisProcess(child: ChildProcess): void {
  const kill = (): void => void child.kill("SIGKILL");
  // Before whoever removes the folders that it writes to.
  process.prependOnceListener("exit", kill);
  child.once("exit", () => process.off("exit", kill));
}
