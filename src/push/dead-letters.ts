/**
 * What happens after an outage to the dead letters that died of it: each gets one further attempt
 * (`drain_dead_letters`). Not where order is kept, which they would break. When nothing else is
 * left to find out whether the endpoint is back, one of them is the probe.
 */
import type { Circuits } from "../deliveries/circuits.ts";
import type { Fence } from "../deliveries/ledger.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Endpoint } from "./endpoints.ts";

/** Pause after the database did not answer. */
const pauseMs = 1_000;

export function createDeadLetters(options: {
  endpoint: Pick<Endpoint, "drainDeadLetters" | "ordering">;
  fence: Fence;
  circuits: Circuits;
  log: Logger;
  /** There are retries that nobody told of. */
  found: () => void;
}) {
  const { endpoint, fence, circuits, log, found } = options;
  const drains = endpoint.drainDeadLetters && endpoint.ordering === "parallel";
  let exhausted = false;
  let asking = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  return { drain, takeOne, isExhausted: () => exhausted, stop };

  /** Makes retries of all of them, then calls `done`. */
  async function drain(outageSince: number, done: () => void): Promise<void> {
    exhausted = false;
    if (!drains) return done();
    try {
      const requeued = await circuits.requeue(fence, outageSince, { moved: found });
      if (requeued > 0) log.info({ requeued }, "dead letters of the outage are tried once more");
      done();
    } catch (error) {
      log.warn({ err: error }, "dead letters not requeued, trying again");
      if (!stopped) timer = setTimeout(() => void drain(outageSince, done), pauseMs);
    }
  }

  /** Makes a retry of one of them, if there is one. */
  async function takeOne(outageSince: number): Promise<void> {
    if (!drains) exhausted = true;
    if (exhausted || asking || stopped) return;
    asking = true;
    try {
      exhausted = (await circuits.requeue(fence, outageSince, { limit: 1 })) === 0;
      asking = false;
      if (!exhausted) found();
    } catch (error) {
      log.warn({ err: error }, "no dead letter to probe with, trying again");
      timer = setTimeout(() => {
        asking = false;
        void takeOne(outageSince);
      }, pauseMs);
    }
  }

  function stop(): void {
    stopped = true;
    clearTimeout(timer);
  }
}
