/**
 * The open streams of this process: takes new ones in, shows that they are alive, and ends them
 * when their time is over, their connection does not drain, their caller loses the key, or the
 * process stops. Whatever ends one, its client resumes after the last event that it has whole.
 */
import type { ServerResponse } from "node:http";
import type { Feed } from "../feed/feed.ts";
import type { Mark, Marks, Refused } from "../feed/marks.ts";
import { scan, type Scan } from "../feed/scan.ts";
import { createTurns } from "../feed/turns.ts";
import type { Directory, Tenant, Ticket } from "../http/auth.ts";
import { ClientGone } from "../http/body.ts";
import type { ApiRequest } from "../http/request.ts";
import type { Selection } from "../http/selection.ts";
import { Problem } from "../problem.ts";
import type { Logger } from "../telemetry/logger.ts";
import { commentBlock, problemBlock, retryField } from "./blocks.ts";
import { createCallers } from "./callers.ts";
import { createCatchUp, pageBounds } from "./catch-up.ts";
import { createChannels } from "./channels.ts";
import { chunkOf } from "./chunk.ts";
import { redeem } from "./redeem.ts";
import { createSharedBlocks } from "./shared-blocks.ts";
import { createStreamLog } from "./stream-log.ts";
import { isReady, send } from "./stream.ts";
import type { Caller, Channel, Stream, StreamEnd } from "./stream.ts";

/** Everything that tests want faster. */
export type StreamTimes = {
  /** Signs of life; proxies close what is silent for a minute, some for 20 s. */
  beatMs: number;
  /** Streams are spread anew over the processes this often. Varied by a fifth either way. */
  lifetimeMs: number;
  /** For a connection that takes nothing. */
  drainMs: number;
  /** Between two looks at all streams. */
  tickMs: number;
  /** Between two checks of the callers: with 2 s of a directory's memory, below 5 s together. */
  checkMs: number;
  /** How long clients wait before they connect again. Varied by a fifth either way. */
  retryMs: number;
};

const defaultTimes: StreamTimes = {
  beatMs: 15_000,
  lifetimeMs: 300_000,
  drainMs: 15_000,
  tickMs: 1_000,
  checkMs: 2_000,
  retryMs: 2_000,
};

/** About 20 kB each. Beyond it new ones are refused, so that the open ones go on. */
const defaultStreamsMax = 20_000;

/** What clients are told to wait that come back and find the process full. */
const overloadRetryMs = 30_000;

const comment = chunkOf([Buffer.from(commentBlock)]);

const headers = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache, no-store, no-transform",
  // For nginx, which would hold events back to fill its buffers.
  "x-accel-buffering": "no",
};

export type OpenRequest = {
  readonly tenant: Tenant;
  readonly selection: Selection;
  /**
   * The client was connected before, and its selection starts at its `Last-Event-ID`. It obeys
   * `retry`, where a plain 503 would end it.
   */
  readonly again: boolean;
  /** The id of the caller's key, or of that which made the ticket. */
  readonly key?: string | undefined;
  /** In place of a key. */
  readonly ticket?: Ticket | undefined;
};

export type Streams = ReturnType<typeof createStreams>;

export function createStreams(options: {
  feed: Feed;
  marks: Marks;
  directory: Directory;
  logger: Logger;
  times?: Partial<StreamTimes>;
  streamsMax?: number;
}) {
  const { feed, marks, directory, logger, streamsMax = defaultStreamsMax } = options;
  const times = { ...defaultTimes, ...options.times };
  const streams = new Set<Stream>();
  const logOf = createStreamLog(logger);
  const blocks = createSharedBlocks(marks);
  const callers = createCallers({
    directory,
    refuse: (stream, problem) => end(stream, "refused", problem),
    logger,
  });
  const catchUp = createCatchUp({
    feed,
    blocks,
    logger,
    join: (stream, wakes) => channels.join(stream, wakes),
    refuse: (stream, refused) => void refuse([stream], stream.channel, refused),
  });
  const channels = createChannels({
    feed,
    blocks,
    logger,
    fallBehind: catchUp.add,
    refuse: (refusedStreams, channel, refused) => void refuse(refusedStreams, channel, refused),
  });
  // Those that came together are all due together, and others must not wait for all of them.
  const beating = createTurns(beat);
  const ticking = setInterval(tick, times.tickMs);
  const checking = setInterval(() => void callers.check(), times.checkMs);
  /** Streams that are over, by what ended them. */
  const ended = {
    ...{ client_left: 0, expired: 0, not_drained: 0, refused: 0, replaced: 0, stopping: 0 },
  };
  let opening = 0;
  let stopped = false;

  return { open, size: () => streams.size, ended: () => ended, recheck, stop };

  /** Checks all callers now: some key or tenant may be gone. */
  function recheck(): void {
    void callers.recheck();
  }

  /** Answers the request with a stream. Throws what refuses it, before anything is sent. */
  async function open(request: ApiRequest, wanted: OpenRequest): Promise<void> {
    if (stopped) return turnAway(request, wanted, "this process is stopping", times.retryMs);
    if (streams.size + opening >= streamsMax) {
      const detail = "this process serves as many streams as it can";
      return turnAway(request, wanted, detail, overloadRetryMs);
    }
    opening += 1;
    try {
      await read(request, wanted);
    } finally {
      opening -= 1;
    }
  }

  /** Reads the first page and begins the stream with it. */
  async function read(request: ApiRequest, wanted: OpenRequest): Promise<void> {
    const { tenant, selection } = wanted;
    const { mark, filter } = await marks.start(tenant.id, selection);
    // What fails from here on has used it up: the other order would open two streams with one.
    if (wanted.ticket !== undefined) await redeem(wanted.ticket, { ...wanted, marks, mark });
    // Followed before the first read: what is appended in between wakes.
    const channel = channels.enter(tenant, filter, mark);
    const { wakes } = channel;
    let stream: Stream;
    let first: Scan;
    try {
      first = await scan(marks.firstRead(tenant.id, mark), mark, { filter, ...pageBounds });
      if (first.kind !== "events") throw await marks.refusal(tenant.id, filter, first);
      if (request.outgoing.destroyed) throw new ClientGone();
      if (stopped) throw unavailable("this process is stopping", times.retryMs);
      stream = begin(request, channel, mark, wanted);
    } catch (error) {
      channels.leave(channel);
      throw error;
    }
    catchUp.advance(stream, first, wakes);
    // At once, so that a client that is cut before its first event does not start anew.
    if (first.events.length === 0) beat(stream);
  }

  function begin(
    request: ApiRequest,
    channel: Channel,
    mark: Mark,
    { selection: { start }, ticket, key }: OpenRequest,
  ): Stream {
    sendAsOne(request.outgoing);
    const response = request.takeOver(200, headers);
    const openedAt = performance.now();
    const stream: Stream = {
      ...{ response, channel, request: request.id, key: key ?? null },
      ...{ reason: undefined, problem: undefined },
      caller: callerOf(request, channel.tenant, ticket),
      mark,
      told: start.kind === "cursor" ? mark.sequence : untold,
      events: 0,
      blockedAt: undefined,
      drained: () => resume(stream),
      ending: false,
      reason: undefined,
      openedAt,
      endsAt: openedAt + vary(times.lifetimeMs),
      beatsAt: openedAt + times.beatMs,
      pages: 1,
    };
    streams.add(stream);
    stream.caller.streams.add(stream);
    const log = logOf(stream);
    response.on("close", () => {
      close(stream);
      log();
    });
    response.on("error", () => {}); // a write that crossed the client's leaving; "close" follows
    // Opens the first block, whichever that will be.
    response.write(retryField(Math.round(vary(times.retryMs))));
    return stream;
  }

  function callerOf(request: ApiRequest, tenant: Tenant, ticket: Ticket | undefined): Caller {
    if (ticket === undefined) return callers.withKey(request.header("authorization"), tenant);
    const caller = callers.withTicket(ticket, tenant);
    // One stream: whoever reconnects has lost it, or leaves it now. Other processes do not know.
    for (const before of caller.streams) end(before, "replaced");
    return caller;
  }

  function resume(stream: Stream): void {
    if (stream.ending) return;
    stream.blockedAt = undefined;
    catchUp.add(stream);
  }

  /** Says that the stream is alive, and where it is when the client cannot know. */
  function beat(stream: Stream): void {
    if (!isReady(stream)) return;
    send(stream, isTold(stream) ? comment : blocks.ofCursor(stream.channel, stream.mark));
    stream.told = stream.mark.sequence;
  }

  function tick(): void {
    const now = performance.now();
    for (const stream of streams) {
      if (stream.blockedAt !== undefined) {
        if (now - stream.blockedAt > times.drainMs) cut(stream);
      } else if (now >= stream.endsAt) {
        end(stream, "expired");
      } else if (now >= stream.beatsAt) {
        stream.beatsAt = now + times.beatMs;
        beating.add(stream);
      }
    }
    channels.retry();
    catchUp.retry();
  }

  function cut(stream: Stream): void {
    stream.reason ??= "not_drained";
    stream.response.destroy();
  }

  /** Ends it cleanly, with the problem if there is one to tell. What it was given may still drain. */
  function end(stream: Stream, reason: StreamEnd, problem?: Problem): void {
    if (stream.ending) return;
    stream.reason = reason;
    stream.problem = problem;
    if (!isTold(stream)) beat(stream);
    stream.ending = true;
    stream.blockedAt ??= performance.now();
    stream.channel.live.delete(stream);
    catchUp.drop(stream);
    stream.response.end(problem === undefined ? "" : problemBlock(problem));
  }

  function close(stream: Stream): void {
    stream.ending = true;
    if (streams.delete(stream)) ended[stream.reason ?? "client_left"] += 1;
    stream.channel.live.delete(stream);
    catchUp.drop(stream);
    callers.release(stream);
    channels.leave(stream.channel);
  }

  /**
   * The log was restored or has expired under these streams, or its tenant is gone: that is told to
   * those who may not read any more.
   */
  async function refuse(refusedStreams: readonly Stream[], channel: Channel, refused: Refused) {
    try {
      await callers.checkThese([...new Set(refusedStreams.map(({ caller }) => caller))]);
      const problem = await marks.refusal(channel.tenant.id, channel.filter, refused);
      for (const stream of refusedStreams) end(stream, "refused", problem);
    } catch (error) {
      logger.warn({ err: error, tenant: channel.tenant.name }, "streams end without a reason");
      for (const stream of refusedStreams) end(stream, "refused");
    }
  }

  /** Ends all streams cleanly; new ones are turned away. The server cuts what does not drain. */
  function stop(): void {
    stopped = true;
    clearInterval(ticking);
    clearInterval(checking);
    for (const stream of streams) end(stream, "stopping");
  }
}

/** What a response is given in this turn: its head and its first blocks. */
function sendAsOne({ socket }: ServerResponse): void {
  if (socket === null) return;
  socket.cork();
  process.nextTick(() => socket.uncork());
}

/** The client holds no cursor yet, not even that of the beginning. */
const untold = -1;

function isTold(stream: Stream): boolean {
  return stream.told >= stream.mark.sequence;
}

function turnAway(
  request: ApiRequest,
  { again }: OpenRequest,
  detail: string,
  retryAfterMs: number,
): void {
  const problem = unavailable(detail, retryAfterMs);
  if (!again) throw problem;
  request.takeOver(200, headers).end(retryField(retryAfterMs) + problemBlock(problem));
}

function unavailable(detail: string, retryAfterMs: number): Problem {
  return new Problem("unavailable", detail, {
    headers: { "retry-after": String(retryAfterMs / 1_000) },
  });
}

function vary(milliseconds: number): number {
  return milliseconds * (0.8 + 0.4 * Math.random());
}
