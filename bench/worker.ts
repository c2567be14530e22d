/**
 * Processes beside the benchmark's own: what generates load, receives it or runs the bare
 * operation must not share an event loop with anything. A worker's module offers operations
 * (workers/serve.ts) and this side calls them by name.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What a worker's module offers; the inputs and outputs cross the process by structured clone. */
export type Operations = Record<string, (input: never) => unknown>;

export type Worker<Offered extends Operations> = {
  call<Name extends keyof Offered & string>(
    name: Name,
    ...input: Parameters<Offered[Name]>
  ): Promise<Awaited<ReturnType<Offered[Name]>>>;
  /** The busiest its event loop was since this was last asked, from 0 to 1. */
  busiest(): number;
  stop(): Promise<void>;
  /** SIGKILL: nothing of it goes on, and calls under way are rejected. */
  kill(): Promise<void>;
};

export type Call = { readonly id: number; readonly name: string; readonly input: unknown };
export type Answer = { readonly id: number; readonly busy: number } & (
  | { readonly output: unknown }
  | { readonly error: string }
);

/** No call of a run with sensible options takes this long; a stuck one must not hang the run. */
const callTimeoutMs = 600_000;

/** A worker asked to stop has nothing to finish. */
const stopTimeoutMs = 2_000;

type Pending = { resolve: (output: unknown) => void; reject: (error: Error) => void };

export function startWorker<Offered extends Operations>(
  name: string,
  environment: Readonly<Record<string, string>> = {},
): Worker<Offered> {
  const path = fileURLToPath(new URL(`./workers/${name}.ts`, import.meta.url));
  const child = fork(path, {
    env: { PATH: process.env["PATH"], ...environment },
    execArgv: [],
    serialization: "advanced",
  });
  const pending = new Map<number, Pending>();
  let calls = 0;
  let busiest = 0;
  child.on("message", (message) => settle(message as Answer));
  child.on("error", (error) => rejectAll(error));
  child.on("exit", (code, signal) => {
    rejectAll(new Error(`the ${name} worker ended (${signal ?? `exit code ${code}`})`));
  });
  return { call: call as Worker<Offered>["call"], busiest: takeBusiest, stop, kill };

  function call(operation: string, input?: unknown): Promise<unknown> {
    calls += 1;
    const id = calls;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => {
      reject(new Error(`${name}.${operation} gave no answer within ${callTimeoutMs} ms`));
    }, callTimeoutMs);
    pending.set(id, { resolve, reject });
    if (!child.connected) reject(new Error(`the ${name} worker has ended`));
    else child.send({ id, name: operation, input } satisfies Call);
    return promise.finally(() => {
      clearTimeout(timer);
      pending.delete(id);
    });
  }

  function settle(answer: Answer): void {
    const waiting = pending.get(answer.id);
    busiest = Math.max(busiest, answer.busy);
    if ("error" in answer) waiting?.reject(new Error(`${name}: ${answer.error}`));
    else waiting?.resolve(answer.output);
  }

  function rejectAll(error: Error): void {
    for (const { reject } of pending.values()) reject(error);
  }

  function takeBusiest(): number {
    const taken = busiest;
    busiest = 0;
    return taken;
  }

  async function stop(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    const timer = setTimeout(() => child.kill("SIGKILL"), stopTimeoutMs);
    child.kill("SIGTERM");
    await ended;
    clearTimeout(timer);
  }

  async function kill(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }
}
