/**
 * One stream of events, from its request to its end. It is read no faster than it is asked for, so
 * what the consumer has no time for stays in the network and then with the gateway. It notices
 * what proxies do to streams: hold them back, answer in their place, or let them die in silence.
 */
import { createDeadline, known, type Connection } from "./connection.ts";
import { ConnectionError, ProblemError, toProblemError } from "./errors.ts";
import { isEvent, type TidegateEvent } from "./event.ts";
import type { Batch, Item } from "./page.ts";
import { createSseParser, type Block } from "./sse.ts";

export type StreamEnd = {
  /**
   * `ended`: as it should. `cut`: it broke. `blocked`: no stream got through. `refused`: the
   * gateway said why in `error`.
   */
  readonly kind: "ended" | "cut" | "blocked" | "refused";
  readonly error: ProblemError | ConnectionError | undefined;
  readonly livedMs: number;
  /** When to come back, if the gateway has said it. */
  readonly retryMs: number | undefined;
  /** The consumer took so long that the gateway may have ended it for that. */
  readonly wasSlow: boolean;
};

export type StreamTimes = {
  /** The gateway says something at once; if it does not come, somebody holds it back. */
  readonly firstBytesMs: number;
  /** A sign of life comes every 15 s. After three of them missing the connection is dead. */
  readonly silenceMs: number;
};

export type StreamOptions = StreamTimes & {
  readonly signal: AbortSignal;
  /** Something of the stream has come. */
  readonly onOpen: () => void;
};

/** The gateway ends a stream whose connection takes nothing for 15 s. */
const slowConsumerMs = 10_000;

const mediaType = "text/event-stream";

/** Ends with how it ended; throws nothing but what the signal's owner and the consumer throw. */
export async function* readStream(
  connection: Connection,
  query: Readonly<Record<string, string | undefined>>,
  { firstBytesMs, silenceMs, signal, onOpen }: StreamOptions,
): AsyncGenerator<Batch, StreamEnd> {
  const openedAt = Date.now();
  const deadline = createDeadline(signal);
  let retryMs: number | undefined;
  let wasSlow = false;
  let hasBegun = false;
  try {
    deadline.set(firstBytesMs);
    const request = { path: "/events/stream", query, signal: deadline.signal, accept: mediaType };
    const response = await connection.open(request);
    const contentType = response.headers.get("content-type") ?? "none";
    if (!contentType.startsWith(mediaType) || response.body === null) {
      return end("blocked", new ConnectionError(`the stream came as ${contentType}`));
    }
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    const parse = createSseParser();
    for (;;) {
      deadline.set(hasBegun ? silenceMs : firstBytesMs);
      const { done, value } = await reader.read();
      deadline.set(undefined);
      if (done) return end("ended");
      if (!hasBegun) onOpen();
      hasBegun = true;
      const {
        batch,
        problem,
        retryMs: told,
      } = readBlocks(parse(decoder.decode(value, { stream: true })));
      retryMs = told ?? retryMs;
      if (batch !== undefined) {
        const givenAt = Date.now();
        yield batch;
        wasSlow ||= Date.now() - givenAt > slowConsumerMs;
      }
      if (problem !== undefined) return end("refused", problem);
    }
  } catch (error) {
    return endOf(error);
  } finally {
    // Whatever ended it, and also when the consumer wants no more.
    deadline.cut();
    deadline.clear();
  }

  function end(kind: StreamEnd["kind"], error?: ProblemError | ConnectionError): StreamEnd {
    return { kind, error, livedMs: Date.now() - openedAt, retryMs, wasSlow };
  }

  function endOf(thrown: unknown): StreamEnd {
    const error = known(thrown, deadline.signal);
    // A problem is the gateway's word; what else refuses a stream stands before it.
    if (error instanceof ProblemError) {
      return end(error.type === "about:blank" ? "blocked" : "refused", error);
    }
    const wasSilent = deadline.signal.aborted && !signal.aborted;
    return end(wasSilent && !hasBegun ? "blocked" : "cut", error);
  }
}

type Read = { batch?: Batch; problem?: ProblemError; retryMs?: number };

/** What a piece of the stream brought. After a problem comes nothing. */
function readBlocks(blocks: readonly Block[]): Read {
  const items: Item[] = [];
  const read: Read = {};
  let last: string | undefined;
  for (const { event, data, id, retryMs } of blocks) {
    if (retryMs !== undefined) read.retryMs = retryMs;
    if (event === "problem") {
      const fallback = { status: 503, title: "The stream was ended" };
      read.problem = toProblemError(parse(data), fallback, retryMs);
      break;
    }
    if (event === "message" && data !== undefined) {
      if (id === undefined)
        throw new ConnectionError("the stream brought an event without a cursor");
      items.push({ event: eventOf(data), cursor: id });
    }
    last = id ?? last;
  }
  if (last !== undefined) read.batch = { items, cursor: last };
  return read;
}

function eventOf(data: string): TidegateEvent {
  const value = parse(data);
  if (isEvent(value)) return value;
  throw new ConnectionError("the stream brought something that is no event");
}

function parse(data: string | undefined): unknown {
  try {
    return JSON.parse(data ?? "");
  } catch (error) {
    throw new ConnectionError("the stream brought something that is not JSON", error);
  }
}
