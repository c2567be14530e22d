/**
 * One open stream. It has no queue: when its connection stops taking what it is given, nothing
 * more is given to it, and when the connection drains it reads on from its mark.
 *
 *     catching up ──► live ──► blocked ──► catching up …
 *          └────────────┴─────────┴──► ending ──► closed
 *
 * Live streams are served together by their channel, the others one by one; a blocked or ending
 * one that does not drain in time is cut by the shared tick.
 */
import type { ServerResponse } from "node:http";
import type { Mark } from "../feed/marks.ts";
import type { Principal, Tenant } from "../http/auth.ts";
import type { Sequence } from "../log/event.ts";
import type { CompiledFilter } from "../log/filter.ts";
import type { Problem } from "../problem.ts";
import { writeChunk, type Chunk } from "./chunk.ts";

/** `refused`: its caller may not read any more, or its log is not what it was. */
export type StreamEnd = "expired" | "not_drained" | "refused" | "replaced" | "stopping";

export type Stream = {
  readonly response: ServerResponse;
  /** The id of the request that opened it, and of the caller's key. */
  readonly request: string;
  readonly key: string | null;
  readonly channel: Channel;
  readonly caller: Caller;
  /** Up to here it was scanned. */
  mark: Mark;
  /** Up to here the client holds a cursor. */
  told: Sequence;
  /** Events sent. */
  events: number;
  /** Since when it waits for its connection to drain, by `performance.now()`. */
  blockedAt: number | undefined;
  /** Lets it read on when its connection has drained. */
  readonly drained: () => void;
  ending: boolean;
  /** Why it is being ended from here; undefined: its client left. */
  reason: StreamEnd | undefined;
  /** What its client is told of that. */
  problem: Problem | undefined;
  readonly openedAt: number;
  /** When its time is over. */
  readonly endsAt: number;
  /** When it next says that it is alive. */
  beatsAt: number;
  /** How many pages it is read for at once while it catches up. */
  pages: number;
};

/** Who opened streams, and with what. */
export type Caller = {
  /** Credential and tenant: tells it from all others. */
  readonly name: string;
  readonly tenant: Tenant;
  /** Who it is by now; throws 401 when its credential is worth nothing any more. */
  authenticate(): Promise<Principal>;
  readonly streams: Set<Stream>;
};

/** The streams of one tenant with one filter. */
export type Channel = {
  readonly tenant: Tenant;
  readonly filter: CompiledFilter;
  /** Tenant and filter, as one text. */
  readonly key: string;
  /** Up to here its live streams were served, or are being served. */
  mark: Mark;
  readonly live: Set<Stream>;
  /** Streams that hold the channel open, live or not. */
  members: number;
  /** Times the feed said that there may be more. */
  wakes: number;
  reading: boolean;
  run: Run | undefined;
  readonly unfollow: () => void;
};

/** A run of events on its way to the live streams of a channel. */
export type Run = {
  readonly from: Sequence;
  readonly to: Mark;
  /** Undefined when nothing in it matched. */
  readonly chunk: Chunk | undefined;
  /** The last event that matched. */
  readonly told: Sequence;
  readonly events: number;
  /** Those that have not been given it yet. */
  readonly streams: Iterator<Stream>;
  /** There was more to read when it was read. */
  readonly more: boolean;
  readonly wakes: number;
};

/** Gives a chunk to the connection. Afterwards the stream may be blocked, and is not live then. */
export function send(stream: Stream, chunk: Chunk): void {
  if (writeChunk(stream.response, chunk, stream.drained)) return;
  stream.blockedAt ??= performance.now();
  stream.channel.live.delete(stream);
}

/** Whether it can be given more now. */
export function isReady(stream: Stream): boolean {
  return stream.blockedAt === undefined && !stream.ending;
}
