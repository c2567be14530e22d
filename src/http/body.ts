/**
 * Reads request bodies. A body is judged by progress rather than by total time: a slow line may
 * take as long as it needs, a silent one is cut. Never holds more than the limit.
 *
 * What is left unread after an early answer is thrown away by the server for at most half a
 * second, so that the client sees the answer instead of a reset, and then the connection is cut.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Problem } from "../problem.ts";
import type { BodyShare } from "./body-budget.ts";

/** The client left before its request was complete. There is nobody to answer. */
export class ClientGone extends Error {
  constructor(cause?: unknown) {
    super("the client closed the connection", { cause });
    this.name = "ClientGone";
  }
}

/** The whole body; throws 413 above the limit, before reading where the length is announced. */
export async function readBody(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  limitBytes: number,
  idleMs: number,
  share: BodyShare,
): Promise<Buffer> {
  const announcedBytes = Number(incoming.headers["content-length"] ?? 0);
  if (announcedBytes > limitBytes) throw tooLarge(limitBytes);
  share.expect(announcedBytes);
  prepare(incoming, outgoing);
  if (hasArrived(incoming, announcedBytes)) return takeArrived(incoming, limitBytes, share);
  return await collect(incoming, limitBytes, idleMs, share);
}

/**
 * Most bodies come in one piece with their head. Node lets us run between its last byte and its end,
 * so `complete` alone would hardly ever say so.
 */
function hasArrived({ complete, readableLength }: IncomingMessage, announcedBytes: number) {
  return complete || (announcedBytes > 0 && readableLength === announcedBytes);
}

/** To wait for it would cost listeners and a timer. */
function takeArrived(incoming: IncomingMessage, limitBytes: number, share: BodyShare): Buffer {
  const arrivedBytes = incoming.readableLength;
  if (arrivedBytes > limitBytes) throw tooLarge(limitBytes);
  share.hold(arrivedBytes);
  const whole = (incoming.read() as Buffer | null) ?? Buffer.alloc(0);
  // Its end is still to come, and only who takes it lets go of the request.
  if (!incoming.complete) incoming.resume();
  return whole;
}

function collect(
  incoming: IncomingMessage,
  limitBytes: number,
  idleMs: number,
  share: BodyShare,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let receivedBytes = 0;
    const idle = setTimeout(() => settle(() => reject(timedOut(idleMs))), idleMs);

    incoming.on("data", onData);
    incoming.on("end", onEnd);
    incoming.on("error", onGone);
    incoming.on("close", onGone);

    function onData(chunk: Buffer): void {
      receivedBytes += chunk.length;
      if (receivedBytes > limitBytes) return settle(() => reject(tooLarge(limitBytes)));
      try {
        share.hold(receivedBytes);
      } catch (error) {
        return settle(() => reject(error));
      }
      chunks.push(chunk);
      idle.refresh();
    }
    function onEnd(): void {
      const [first] = chunks;
      const whole = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
      settle(() => resolve(whole));
    }
    function onGone(cause?: unknown): void {
      settle(() => reject(new ClientGone(cause)));
    }
    function settle(finish: () => void): void {
      clearTimeout(idle);
      incoming.off("data", onData);
      incoming.off("end", onEnd);
      incoming.off("error", onGone);
      incoming.off("close", onGone);
      if (!incoming.readableEnded) incoming.pause();
      finish();
    }
  });
}

/**
 * The body piece by piece. The next piece is only taken in when the reader asks for it. A body that
 * cannot be read at all is refused at once, while there is still an answer to be given.
 */
export function bodyChunks(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  idleMs: number,
  mayBeSilent: () => boolean = () => false,
): AsyncGenerator<Buffer, void, undefined> {
  prepare(incoming, outgoing);
  return piecesOf(incoming, idleMs, mayBeSilent);
}

async function* piecesOf(
  incoming: IncomingMessage,
  idleMs: number,
  mayBeSilent: () => boolean,
): AsyncGenerator<Buffer, void, undefined> {
  const iterator = incoming.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      const next = await beforeIdle(iterator.next(), idleMs, mayBeSilent);
      if (next.done === true) return;
      yield next.value as Buffer;
    }
  } finally {
    void iterator.return?.(); // behind an idle `next` it never settles, so nothing waits for it
  }
}

async function beforeIdle<T>(
  next: Promise<T>,
  idleMs: number,
  mayBeSilent: () => boolean,
): Promise<T> {
  const { promise: idle, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    if (mayBeSilent()) timer.refresh();
    else reject(timedOut(idleMs));
  }, idleMs);
  try {
    return await Promise.race([next, idle]);
  } catch (error) {
    throw error instanceof Problem ? error : new ClientGone(error);
  } finally {
    clearTimeout(timer);
  }
}

function prepare(incoming: IncomingMessage, outgoing: ServerResponse): void {
  if (incoming.destroyed) throw new ClientGone();
  const encoding = incoming.headers["content-encoding"];
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
    throw new Problem("unsupported-media-type", "send the body without a content encoding");
  }
  // A client that announced `Expect: 100-continue` holds its body back until it is wanted.
  if (incoming.headers.expect !== undefined) outgoing.writeContinue();
}

function tooLarge(limitBytes: number): Problem {
  return new Problem("payload-too-large", `the body may have ${limitBytes} bytes`, {
    members: { limit_bytes: limitBytes },
  });
}

function timedOut(idleMs: number): Problem {
  return new Problem("request-timeout", `the body made no progress for ${idleMs / 1000} s`, {
    headers: { connection: "close" },
  });
}
