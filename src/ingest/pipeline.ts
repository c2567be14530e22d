/**
 * Takes the windows of an upload one after the other: prepares their events, lets them pass their
 * tenants' limits, hands them in and has their results written, all in the order of the lines.
 * While one window commits the next waits at the door, so that the database is never idle; whoever
 * has more has to wait.
 */
import { setTimeout as delay } from "node:timers/promises";
import { isUnavailable } from "../db/database.ts";
import { authenticate, authorize, type Directory } from "../http/auth.ts";
import type { ApiRequest } from "../http/request.ts";
import type { Appender } from "../log/append.ts";
import type { AppendResult, NewEvent } from "../log/new-event.ts";
import { Problem } from "../problem.ts";
import type { Item } from "./event.ts";
import type { LineResults } from "./line-results.ts";
import type { Preparation, Prepared } from "./prepare.ts";
import { unavailable } from "./results.ts";
import { cutToPace, type Slice } from "./slices.ts";
import type { Arrival, EventTrace, RequestTracing } from "./tracing.ts";

const windowsInFlightMax = 2;

/** How long a window waits for room in a queue that others have filled. */
const queueFullMaxMs = 10_000;
const queueFullPauseMs = 20;

export type PipelineServices = {
  readonly appender: Appender;
  readonly directory: Directory;
  readonly preparation: Preparation;
  readonly requests: RequestTracing;
};

export function createPipeline(
  { appender, directory, preparation, requests }: PipelineServices,
  request: ApiRequest,
  results: LineResults,
  arrived: Arrival,
) {
  /** Each ends when its results are written, the oldest first. None rejects. */
  const inFlight: Promise<void>[] = [];
  let failure: { error: unknown } | undefined;
  let handingIn = false;

  return { handIn, idle, settled, isBusy: () => handingIn || inFlight.length > 0 };

  /** Resolves when the window was handed in, not when it is committed. */
  async function handIn(lines: readonly number[], items: readonly (Item | Problem)[]) {
    handingIn = true;
    // An upload may have no end, and a trace of all of it would be of no use to anybody.
    const window = { ...arrived, at: performance.now() };
    const trace = requests.begin(window, { count: items.length });
    const settling: Promise<void>[] = [];
    try {
      const prepared = await prepare(items, trace);
      for (const slice of cutToPace(prepared, lines)) {
        while (inFlight.length >= windowsInFlightMax) await inFlight[0];
        if (failure !== undefined) throw failure.error;
        await pace(slice, request.signal());
        const { answer } = await offer(slice, request.signal());
        const written = settle(slice, answer, inFlight.at(-1));
        inFlight.push(written);
        settling.push(written);
      }
      const answered = { status: 200, body: { results: undefined } };
      void Promise.all(settling).then(() => trace.end(answered, prepared.tenants));
    } catch (error) {
      trace.fail(error);
      throw error;
    } finally {
      handingIn = false;
    }
  }

  /** Resolves when nothing is under way. */
  async function idle(): Promise<undefined> {
    await inFlight.at(-1);
  }

  /** Like `idle`, but throws what has gone wrong. */
  async function settled(): Promise<void> {
    await idle();
    if (failure !== undefined) throw failure.error;
  }

  async function settle(
    slice: Slice,
    answer: Promise<AppendResult[]>,
    before: Promise<void> | undefined,
  ): Promise<void> {
    try {
      const appended = await answer;
      await before;
      await results.write(slice, appended);
    } catch (error) {
      failure ??= { error };
    } finally {
      void inFlight.shift();
    }
  }

  /** What stands against all of a window stands against each of its lines. */
  async function prepare(items: readonly (Item | Problem)[], trace: EventTrace): Promise<Prepared> {
    try {
      // Again, as an upload may outlive its key.
      const principal = await authenticate(directory, request.header("authorization"));
      authorize(principal, "append");
      return await preparation.prepare(principal, items, trace);
    } catch (error) {
      const problem = isUnavailable(error) ? unavailable() : error;
      if (!(problem instanceof Problem)) throw error;
      const events = items.map((item) => (item instanceof Problem ? item : problem));
      return { events, tenants: new Map() };
    }
  }

  /** Waits until the limits of all its tenants have let the slice pass. */
  async function pace({ counts }: Slice, signal: AbortSignal): Promise<void> {
    for (const [tenant, count] of counts) {
      for (;;) {
        const taken = preparation.take(tenant, count);
        if (taken === undefined || taken.allowed) break;
        await delay(taken.retryAfterMs, undefined, { signal });
      }
    }
  }

  /**
   * Hands the events in. What the queue has no room for is refused at once, and for some time
   * handed in again before anything behind it; all else takes a commit, and the order is settled.
   */
  async function offer({ events }: Slice, signal: AbortSignal) {
    const admitted = events.filter((event): event is NewEvent => !(event instanceof Problem));
    const deadline = performance.now() + queueFullMaxMs;
    for (;;) {
      const answer = appender.append(admitted);
      const atOnce = await Promise.race([answer, Promise.resolve(undefined)]);
      const isRefused = atOnce?.some((result) => result.kind === "unavailable") === true;
      // In an object, since the caller is not to wait for it.
      if (!isRefused || performance.now() >= deadline) return { answer };
      await delay(queueFullPauseMs, undefined, { signal });
    }
  }
}
