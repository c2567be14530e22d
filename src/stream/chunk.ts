/**
 * Bytes on their way to many connections, as a chunk of HTTP that is framed once. A response
 * frames what it is given each time, in four writes that it gathers and sends when the turn is
 * over; here each connection is given the same piece in one write. Only a stream's bytes go this
 * way below the framework, between its head and its end.
 */
import type { ServerResponse } from "node:http";

export type Chunk = {
  /** As it goes over the connection. */
  readonly framed: Buffer;
  /** The part of it that the client is told. */
  readonly body: Buffer;
};

const lineEnd = "\r\n";

/** The pieces in one. There has to be something in them: a chunk of no length is the last. */
export function chunkOf(pieces: readonly Uint8Array[]): Chunk {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const size = length.toString(16) + lineEnd;
  const framed = Buffer.allocUnsafe(size.length + length + lineEnd.length);
  let at = framed.write(size, "latin1");
  for (const piece of pieces) {
    framed.set(piece, at);
    at += piece.length;
  }
  framed.write(lineEnd, at, "latin1");
  return { framed, body: framed.subarray(size.length, at) };
}

/**
 * Gives a chunk to the connection of a response whose head was sent. False: it should be given no
 * more until it has drained, which `drained` is then told of once.
 */
export function writeChunk(
  response: ServerResponse,
  { framed, body }: Chunk,
  drained: () => void,
): boolean {
  // HTTP/1.0 knows no chunks; without a socket the connection still has another answer to send.
  const { socket } = response;
  const isDirect = socket !== null && response.chunkedEncoding;
  const target = isDirect ? socket : response;
  // A large one counts as too much before it is tried, and may be with the system all the same.
  if (target.write(isDirect ? framed : body) || target.writableLength === 0) return true;
  target.once("drain", drained);
  return false;
}
