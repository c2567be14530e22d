/** The examples where users have them: in a project beside the library, compiled. */
import { execFile, spawn } from "node:child_process";
import { cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { waitUntil } from "./wait.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

const deadlineMs = 20_000;

/** A folder with the examples, and `tidegate` and `postgres` beside them. */
export async function createExamples(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "tidegate-examples-"));
  const library = join(path, "node_modules/tidegate");
  await cp(join(root, "examples"), path, { recursive: true });
  await cp(join(root, "package.json"), join(library, "package.json"));
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const project = ["-p", join(root, "tsconfig.client.json"), "--outDir", join(library, "dist")];
  await promisify(execFile)(process.execPath, [compiler, ...project]);
  await symlink(join(root, "node_modules/postgres"), join(path, "node_modules/postgres"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Starts a program in a process group of its own. */
export function startProgram(
  program: string,
  args: readonly string[],
  { cwd, env }: { cwd: string; env: Readonly<Record<string, string>> },
) {
  const { PATH, HOME } = process.env;
  const child = spawn(program, args, {
    ...{ cwd, env: { PATH, HOME, ...env }, detached: true, stdio: ["ignore", "pipe", "pipe"] },
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      output[name] += chunk;
    });
  }
  const exited = once(child, "close").then(([code]) => code as number | null);
  return {
    exited,
    stdout: () => output.stdout,
    lines: () => output.stdout.split("\n").slice(0, -1),
    says: (pattern: RegExp) =>
      waitUntil(() => pattern.exec(output.stdout + output.stderr), { deadlineMs }).catch(
        (cause: unknown) => {
          throw new Error(`it said ${JSON.stringify(output)}`, { cause });
        },
      ),
    async terminate(): Promise<number | null> {
      child.kill("SIGTERM");
      return exited;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        process.kill(-(child.pid ?? 0), "SIGKILL");
      }
      await exited;
    },
  };
}

export async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return String(port);
}

/** Waits until something answers there. */
export async function answers(url: string): Promise<Response> {
  return waitUntil(() => fetch(url).catch(() => false as const), { deadlineMs, what: url });
}
