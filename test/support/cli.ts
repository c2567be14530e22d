/** The command line as its users run it: the program of `bin`, with pipes for its ends. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { waitUntil } from "./wait.ts";

export const bin = fileURLToPath(new URL("../../bin/tidegate.js", import.meta.url));

export type CliOptions = {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What comes on stdin; nothing, and its end, unless given. */
  readonly input?: string;
};

export type CliExit = {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
};

/** The machine may be busy with everything else. */
const deadlineMs = 60_000;

/** Runs a command to its end. */
export async function runCli(args: readonly string[], options?: CliOptions): Promise<CliExit> {
  const running = startCli(args, options);
  try {
    return await running.end();
  } finally {
    running.kill();
  }
}

/** Starts a command that goes on until it is interrupted. */
export function startCli(args: readonly string[], { cwd, env, input }: CliOptions = {}) {
  const { PATH, HOME } = process.env;
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: cwd ?? "/",
    env: { PATH, HOME, ...env },
    stdio: "pipe",
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (chunk: string) => {
      output[name] += chunk;
    });
  }
  child.stdin.on("error", () => {}); // It may end before it has read all.
  child.stdin.end(input ?? "");
  const exited = once(child, "close").then(([code]): CliExit => ({
    code: code as number | null,
    ...output,
  }));
  return {
    child,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    lines: () => output.stdout.split("\n").slice(0, -1),
    /** Waits until it has printed what is looked for, on either of its ends. */
    says: (pattern: RegExp) =>
      waitUntil(() => pattern.exec(output.stdout + output.stderr), {
        ...{ deadlineMs, what: `${pattern}` },
      }).catch((cause: unknown) => {
        throw new Error(`it said ${JSON.stringify(output)}`, { cause });
      }),
    async interrupt(): Promise<CliExit> {
      child.kill("SIGINT");
      return exited;
    },
    end: () => exited,
    kill: () => void child.kill("SIGKILL"),
    [Symbol.dispose]: () => void child.kill("SIGKILL"),
  };
}

/** The objects of the lines that `--json` prints. */
export function jsonLines<Line>(stdout: string): Line[] {
  const lines = stdout.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Line);
}
