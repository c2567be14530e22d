/**
 * Very many connections to one server, each as cheap as Node allows: one buffer takes what any of
 * them reads, and nobody parses more than its reader does. The server is the gateway or stands in
 * for it; this is no client for anything else.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export type Sockets = {
  /** Breaks all of them off. */
  close(): void;
};

/** A server accepts so many at once without turning any away. */
const connectingMax = 128;

/** More than a socket's buffer holds is read in several pieces. */
const readBytes = 64 << 10;

/**
 * One address has about 28,000 ports to come from, which others need too: every few thousand
 * connections come from the next address of the loopback network.
 */
const socketsPerAddress = 4_000;

/** `onBytes` gets bytes that are others' when it returns; `onEnd` is told of what ends by itself. */
export async function openSockets(given: {
  url: string;
  count: number;
  onOpen: (socket: Socket) => void;
  onBytes: (index: number, bytes: Buffer, socket: Socket) => void;
  onEnd: (error: Error) => void;
}): Promise<Sockets> {
  const { url, count, onOpen, onBytes, onEnd } = given;
  const { hostname: host, port } = new URL(url);
  const shared = Buffer.allocUnsafe(readBytes);
  const sockets: Socket[] = [];
  let closed = false;
  let begun = 0;
  await Promise.all(Array.from({ length: Math.min(connectingMax, count) }, connectNext));
  return { close };

  async function connectNext(): Promise<void> {
    while (begun < count) {
      const index = begun;
      begun += 1;
      const address = Math.floor(index / socketsPerAddress);
      const socket = connect({
        ...{ host, port: Number(port), noDelay: true },
        ...(address > 0 && { localAddress: `127.0.0.${1 + address}` }),
        onread: {
          buffer: shared,
          callback: (length, bytes) => {
            onBytes(index, (bytes as Buffer).subarray(0, length), socket);
            return true;
          },
        },
      });
      await once(socket, "connect");
      sockets.push(socket);
      socket.on("error", (error) => closed || onEnd(error));
      socket.on("close", () => closed || onEnd(new Error("the server closed a connection")));
      onOpen(socket);
    }
  }

  /** By a reset, so that no port waits for a minute until it is free. */
  function close(): void {
    closed = true;
    for (const socket of sockets) socket.resetAndDestroy();
  }
}
