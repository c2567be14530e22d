/**
 * Appends events, many at a time and each once. While a request of a tenant is under way, what is
 * appended meanwhile gathers, and the next request takes it all: an event that comes alone goes at
 * once, and under load the batches form by themselves.
 *
 * Every event has a key, so a request whose answer was lost is repeated without doubling anything.
 * A tenant's events stand in the log in the order in which they were appended here. One that is
 * refused fails alone, and those behind it go on without it.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import type { components } from "./api.ts";
import { createConnection, type ConnectionOptions } from "./connection.ts";
import type { ConnectionError, ProblemError } from "./errors.ts";
import { startLane, type Appended, type Entry, type Lane } from "./lane.ts";
import { webCrypto } from "./web-crypto.ts";

/** An event to append. Its `key` is made up unless given. */
export type NewEvent = components["schemas"]["NewEvent"];

export type ProducerOptions = ConnectionOptions & {
  /** Ends everything: what was not appended fails with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** What is appended comes back with a cursor. */
  readonly cursors?: boolean | undefined;
  /** Events that may wait; 10,000 unless given. */
  readonly queueMaxEvents?: number | undefined;
  /** An event that could not be appended for so long fails; an hour unless given. */
  readonly giveUpAfterMs?: number | undefined;
  /** Before each further try. */
  readonly onRetry?: ((error: ProblemError | ConnectionError, delayMs: number) => void) | undefined;
};

export type Producer = AsyncDisposable & {
  /**
   * Resolves when the event is durable, rejects with what stands against it: a `ProblemError`
   * that will not pass, the last error when it is given up, a `QueueFullError` at once when too
   * much waits already.
   */
  append(event: NewEvent): Promise<Appended>;
  /** Resolves when there is room: await it before each `append` that is not awaited. */
  ready(): Promise<void>;
  /** Resolves when all that was appended so far is settled, one way or the other. */
  flush(): Promise<void>;
  /** Takes no more events, and resolves like `flush`. */
  close(): Promise<void>;
  /** Events that are not settled. */
  size(): number;
};

/** Nothing more is taken until some of what waits is settled. */
export class QueueFullError extends Error {
  constructor() {
    super("too many events wait already: await ready() before append()");
    this.name = "QueueFullError";
  }
}

const defaultQueueMaxEvents = 10_000;

/** Of the JSON text that waits: large events fill the memory before their number does. */
const queueMaxCharacters = 64 << 20;

/** The gateway forgets keys after a day; repeated after that, an event would be another one. */
const giveUpMaxMs = 23 * 3_600_000;
const defaultGiveUpMs = 3_600_000;

/** Over all tenants. Only an operator's producer has more than one. */
const requestsMax = 16;

export function createProducer(options: ProducerOptions): Producer {
  const { signal, tenant: ownTenant, queueMaxEvents = defaultQueueMaxEvents } = options;
  // Each event names its tenant itself.
  const connection = createConnection({ ...options, tenant: undefined });
  const inTurn = createTurns(requestsMax);
  const lanes = new Map<string, Lane>();
  const unsettled = new Set<Promise<Appended>>();
  const waiters: (() => void)[] = [];
  let characters = 0;
  let isClosed = false;

  return { append, ready, flush, close, size: () => unsettled.size, [asyncDispose()]: close };

  async function append(event: NewEvent): Promise<Appended> {
    signal?.throwIfAborted();
    if (isClosed) throw new Error("the producer is closed");
    if (isFull()) throw new QueueFullError();
    const { tenant = ownTenant, key = webCrypto().randomUUID() } = event;
    const text = JSON.stringify({ ...event, tenant, key });
    let settle = () => {};
    const settled = new Promise<Appended>((resolve, reject) => {
      enqueue(tenant ?? "", {
        ...{ text, since: Date.now(), faults: 0 },
        resolve(appended) {
          settle();
          resolve(appended);
        },
        reject(error) {
          settle();
          reject(error);
        },
      });
    });
    unsettled.add(settled);
    characters += text.length;
    settle = () => {
      unsettled.delete(settled);
      characters -= text.length;
      wake();
    };
    return await settled;
  }

  function enqueue(tenant: string, entry: Entry): void {
    const lane = lanes.get(tenant);
    if (lane !== undefined) return lane.add(entry);
    const started = startLane(
      {
        ...{ connection, inTurn, signal, onRetry: options.onRetry },
        cursors: options.cursors === true,
        giveUpAfterMs: Math.min(options.giveUpAfterMs ?? defaultGiveUpMs, giveUpMaxMs),
        onEnd: () => lanes.delete(tenant),
      },
      entry,
    );
    lanes.set(tenant, started);
  }

  function isFull(): boolean {
    return unsettled.size >= queueMaxEvents || characters >= queueMaxCharacters;
  }

  async function ready(): Promise<void> {
    if (isFull() || waiters.length > 0) await new Promise<void>((resolve) => waiters.push(resolve));
  }

  /** One for each event that has gone: more would find it full again. All, when nothing is left. */
  function wake(): void {
    if (unsettled.size === 0) for (const waiter of waiters.splice(0)) waiter();
    else if (!isFull()) waiters.shift()?.();
  }

  async function flush(): Promise<void> {
    await Promise.allSettled(unsettled);
  }

  async function close(): Promise<void> {
    isClosed = true;
    await flush();
  }
}

/** Lets so many run at once, the others in the order in which they came. */
function createTurns(max: number) {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async <Value>(request: () => Promise<Value>): Promise<Value> => {
    if (running >= max) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await request();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

/** Where the runtime does not know it yet, a compiler's own is found by this name. */
function asyncDispose(): typeof Symbol.asyncDispose {
  return (Symbol.asyncDispose as symbol | undefined) === undefined
    ? (Symbol.for("Symbol.asyncDispose") as typeof Symbol.asyncDispose)
    : Symbol.asyncDispose;
}
