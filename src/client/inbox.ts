/**
 * The hybrid receiver: give it the pushes, and it brings every event of an endpoint to `handle`
 * once, whichever way it came. It verifies pushes, refuses repetitions by what its store remembers,
 * notices what is missing and reads that from the feed, reads the feed while pushes stay away, and
 * tells the gateway what is handled.
 *
 * Once means: the effects that `handle` has inside the store's transaction happen exactly once,
 * over any number of processes that share the store, kills and restarts. What it does outside of
 * the transaction may happen again, when the transaction fails after it. With `ordered` events are
 * handled one at a time by sequence, and one that cannot be handled holds up those behind it.
 */
import { createConnection, type Fetch } from "./connection.ts";
import type { Engine } from "./inbox/engine.ts";
import {
  createHandling,
  type Handle,
  type InboxCounts,
  type OnError,
  type Verdict,
} from "./inbox/handling.ts";
import { createOrdered } from "./inbox/ordered.ts";
import { createPages, type PageStart } from "./inbox/pages.ts";
import { createPump } from "./inbox/pump.ts";
import { readPush, type Push } from "./inbox/push.ts";
import { createReceipts } from "./inbox/receipts.ts";
import { replaysKept, type InboxState, type InboxStore, type Position } from "./inbox/store.ts";
import { createUnordered } from "./inbox/unordered.ts";

export type InboxFeed = {
  /** Where the gateway is, `https://tidegate.example.com`. */
  readonly url: string | URL;
  /** A key with the scope `receive`. */
  readonly key: string;
  /** Whose pushes these are, `ep_…`. What is missing is read by its filter. */
  readonly endpoint: string;
  /** For operator keys; a tenant's key need not name it. */
  readonly tenant?: string;
  /** Reads these types (none: all) instead of by the endpoint's own filter, which has the same. */
  readonly types?: readonly string[];
  readonly fetch?: Fetch;
};

export type InboxOptions<Transaction> = {
  /** Of the endpoint, `whsec_…` or `whpk_…`; several while it is rotated. */
  readonly secret: string | readonly string[];
  readonly feed: InboxFeed;
  readonly store: InboxStore<Transaction>;
  readonly handle: Handle<Transaction>;
  /** One at a time, by sequence. */
  readonly ordered?: boolean;
  /** Whether a deliberate replay of what was handled is handled again; `ignore` unless given. */
  readonly replays?: "ignore" | "handle";
  /**
   * Where an inbox begins that its store does not know: with the oldest event that the log has
   * (unless given), with what is appended after it was started or comes with the first push
   * (`latest`), at an append time, or after a cursor. What is before is not handled, also when it is
   * pushed.
   */
  readonly from?: PageStart | "latest" | { readonly cursor: string };
  /** When events were dropped before they were read: stop reading (unless given), or go on. */
  readonly onExpired?: "fail" | "skip";
  /** The name in the store; the endpoint's id unless given. */
  readonly name?: string;
  /** Written to the console unless given. */
  readonly onError?: OnError;
  /** How far the time of a push may be from now; 300 unless given. */
  readonly toleranceSeconds?: number;
  /** Pushes stay away when none has come for this long; 5,000 unless given. */
  readonly pollAfterMs?: number;
  /** How long a hole may close itself before it is read from the feed; 250 unless given. */
  readonly holePatienceMs?: number;
  /** Below the endpoint's time-out, which is 5 s unless set otherwise; 3,000 unless given. */
  readonly answerWithinMs?: number;
};

export type Inbox = AsyncDisposable & {
  /** Answers a push. Its body must not have been read. */
  fetch(request: Request): Promise<Response>;
  /** Catches up and polls from now on, until the signal or `stop` ends it. Returns the inbox. */
  start(signal?: AbortSignal): Inbox;
  /** Takes no further pushes, and resolves when what is being handled is done. */
  stop(): Promise<void>;
  readonly counts: Readonly<InboxCounts>;
};

/** A push that is to come again comes when the gateway's schedule says, and not before this. */
const retryAfterSeconds = 1;

export function createInbox<Transaction>(options: InboxOptions<Transaction>): Inbox {
  const { feed, store, ordered = false, replays = "ignore", from = "earliest" } = options;
  const { onError = logError, name = feed.endpoint } = options;
  const connection = createConnection(feed);
  const handling = createHandling({ name, store, handle: options.handle, onError });
  const receipts = createReceipts({ connection, endpoint: feed.endpoint, handling });
  const { types } = feed;
  const selection =
    types === undefined
      ? { endpoint: feed.endpoint }
      : { types: types.length === 0 ? undefined : types.join(",") };
  // Where there is no cursor yet, what is below the position is read and left out.
  const start = typeof from === "object" && "time" in from ? from : "earliest";
  const pages = createPages(connection, selection, start);
  const times = {
    patienceMs: options.holePatienceMs ?? 250,
    answerWithinMs: options.answerWithinMs ?? 3_000,
  };
  const pump = createPump({
    engine: (signal) => engine(signal),
    ...{ pages, report: handling.report },
    pollAfterMs: options.pollAfterMs ?? 5_000,
    onExpired: options.onExpired ?? "fail",
  });
  const stopping = new AbortController();
  const underWay = new Set<Promise<unknown>>();
  let opening: Promise<Engine> | undefined;
  let opened: Engine | undefined;
  let stopped: Promise<void> | undefined;

  const inbox: Inbox = {
    fetch,
    start(signal) {
      if (signal?.aborted === true) void stop();
      else signal?.addEventListener("abort", () => void stop(), { once: true });
      pump.start();
      return inbox;
    },
    stop,
    counts: handling.counts,
    [Symbol.asyncDispose]: stop,
  };
  return inbox;

  async function fetch(request: Request): Promise<Response> {
    if (stopping.signal.aborted) return again(503, "stopping");
    const answering = answer(request);
    underWay.add(answering);
    try {
      return await answering;
    } finally {
      underWay.delete(answering);
    }
  }

  async function answer(request: Request): Promise<Response> {
    const { counts, report } = handling;
    try {
      const { secret, toleranceSeconds } = options;
      const reading = await readPush(request, {
        ...{ secret, toleranceSeconds, endpoint: feed.endpoint },
      });
      switch (reading.kind) {
        case "refused":
          counts.refused += 1;
          if (reading.error !== undefined) report(reading.error, { during: "push" });
          return reading.response;
        case "test":
          return new Response("ok");
        case "push": {
          const verdict = await accept(reading.push);
          return responseTo(verdict);
        }
      }
    } catch (error) {
      report(error, { during: "push" });
      counts.postponed += 1;
      return again(500, "failed");
    }
  }

  async function accept(push: Push): Promise<Verdict> {
    const given = await engine(stopping.signal, push);
    pump.pushed(Date.parse(push.event.time));
    const isReplay = replays === "handle" && push.replay !== undefined;
    const verdict = await given.accept(isReplay ? push : { ...push, replay: undefined });
    if (!isReplay || verdict !== "duplicate") return verdict;
    return await acceptAgain(push, given.sequence() + replaysKept);
  }

  /** A replay of what was handled: once for each replay. */
  async function acceptAgain(push: Push, sequence: number): Promise<Verdict> {
    const { event, replay = "", attempt } = push;
    const place = { sequence, previous: sequence, cursor: undefined };
    const entry = { id: `${event.id}@${replay}`, ...place, as: "again" } as const;
    const { kind } = await handling.once(event, entry, { by: "push", attempt, replay });
    return kind === "handled" || kind === "duplicate" ? kind : "failed";
  }

  function responseTo(verdict: Verdict): Response {
    const { counts } = handling;
    switch (verdict) {
      case "handled":
        return new Response("ok");
      case "duplicate":
        counts.duplicates += 1;
        return new Response("ok, again");
      case "failed":
        counts.postponed += 1;
        return again(500, "failed");
      case "later":
        counts.postponed += 1;
        return again(503, "not its turn yet");
    }
  }

  /** Opens the inbox in its store; the first time where it is to begin. */
  async function engine(signal: AbortSignal, push?: Push): Promise<Engine> {
    if (opened !== undefined) return opened;
    opening ??= open(signal, push).finally(() => {
      opening = undefined;
    });
    return await opening;
  }

  async function open(signal: AbortSignal, push: Push | undefined): Promise<Engine> {
    const found = await store.open(name);
    const state = found ?? (await store.open(name, await firstPosition(signal, push)));
    if (state === undefined) throw new Error("the store opened no inbox");
    opened = engineFor(state);
    const { sequence, cursor } = state.position;
    // What was handled before may not have been told any more.
    if (found !== undefined && cursor !== undefined) receipts.through(sequence, cursor, false);
    return opened;
  }

  function engineFor(state: InboxState): Engine {
    const { wake } = pump;
    const parts = { state, store, handling, receipts, wake, times };
    return ordered ? createOrdered(parts) : createUnordered(parts);
  }

  async function firstPosition(signal: AbortSignal, push: Push | undefined): Promise<Position> {
    if (from === "earliest") return { sequence: 0, cursor: undefined };
    if (from !== "latest")
      return await positionAt("cursor" in from ? from.cursor : undefined, signal);
    if (push !== undefined) return { sequence: push.sequence - 1, cursor: undefined };
    const { complete, cursor } = await pages.end(signal);
    return { sequence: complete, cursor };
  }

  /** Right before the first event that counts: pushes of what is before are told by that. */
  async function positionAt(cursor: string | undefined, signal: AbortSignal): Promise<Position> {
    const page = await pages.read({ cursor, limit: 1, waitSeconds: 0, signal });
    const [first] = page.events;
    if (first === undefined) return { sequence: page.complete, cursor: page.cursor };
    return { sequence: Number(first.sequence) - 1, cursor };
  }

  function stop(): Promise<void> {
    stopped ??= end();
    return stopped;
  }

  async function end(): Promise<void> {
    stopping.abort();
    opened?.close();
    await pump.stop();
    await Promise.allSettled(underWay);
    await handling.idle();
    await receipts.stop();
  }
}

function again(status: 500 | 503, text: string): Response {
  const headers = { "retry-after": String(retryAfterSeconds) };
  return new Response(text, { status, headers: status === 503 ? headers : {} });
}

const logError: OnError = (error, { during, event }) => {
  console.error(`tidegate inbox: ${during}${event === undefined ? "" : ` ${event.id}`}:`, error);
};
