/**
 * A worker's side of `worker.ts`: answers calls until the channel closes, which it does however
 * the benchmark's process ends, so no worker outlives it. A Ctrl-C reaches every process of the
 * terminal; it is the benchmark's to act on.
 */
import type { EventLoopUtilization } from "node:perf_hooks";
import type { Answer, Call, Operations } from "../worker.ts";

/** Shorter times tell nothing about how busy the process is under load. */
const busyMinMs = 300;

type Moment = { readonly at: number; readonly loop: EventLoopUtilization };

export function serve(operations: Operations): void {
  let answered = now();
  process.on("SIGINT", () => {});
  process.on("disconnect", () => process.exit(0));
  process.on("message", (message) => void answer(message as Call));

  async function answer({ id, name, input }: Call): Promise<void> {
    const called = now();
    const outcome = await perform(name, input);
    // Receiving goes on between two calls, generating load only during one.
    const busy = Math.max(busySince(called), busySince(answered));
    answered = now();
    process.send?.({ id, busy, ...outcome } satisfies Answer);
  }

  async function perform(name: string, input: unknown) {
    try {
      const operation = operations[name];
      if (operation === undefined) throw new Error(`there is no operation ${name}`);
      return { output: await operation(input as never) };
    } catch (error) {
      return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  }
}

function now(): Moment {
  return { at: performance.now(), loop: performance.eventLoopUtilization() };
}

function busySince({ at, loop }: Moment): number {
  const lasting = performance.now() - at >= busyMinMs;
  return lasting ? performance.eventLoopUtilization(loop).utilization : 0;
}
