/**
 * An HTTP server that does next to nothing: requests with a content-length, one at a time on each
 * connection, from the clients of the benchmark and the gateway. It is the other end of what is
 * measured, so it must cost as little as it can and is no server for anything else.
 */
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";

export type RawRequest = { readonly head: string; readonly body: Buffer };

export type RawServer = {
  readonly url: string;
  /** Refuses connections from now on, and breaks those that there are. */
  close(): Promise<void>;
};

const headEnd = "\r\n\r\n";
const nothing = Buffer.alloc(0);

/** Listens on a port of the loopback interface, a free one unless it is named. */
export async function listenRaw(
  answer: (request: RawRequest, socket: Socket) => void,
  port = 0,
  host = "127.0.0.1",
): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    let unread = nothing;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.setNoDelay(true);
    socket.on("error", () => {}); // The other side went away: it does so at the end of a turn.
    socket.on("data", (chunk) => {
      unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk]);
      for (let end = endOfFirst(unread); end !== undefined; end = endOfFirst(unread)) {
        const bodyAt = unread.indexOf(headEnd) + headEnd.length;
        const head = unread.toString("latin1", 0, bodyAt);
        answer({ head, body: unread.subarray(bodyAt, end) }, socket);
        unread = unread.subarray(end);
      }
    });
  });
  server.listen(port, host);
  await once(server, "listening");
  return { url: `http://${host}:${(server.address() as AddressInfo).port}`, close };

  async function close(): Promise<void> {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  }
}

/** Where the first request ends, if all of it is there. */
function endOfFirst(unread: Buffer): number | undefined {
  const headAt = unread.indexOf(headEnd);
  if (headAt === -1) return undefined;
  const length = /\r\ncontent-length: *(\d+)/i.exec(unread.toString("latin1", 0, headAt))?.[1] ?? 0;
  const end = headAt + headEnd.length + Number(length);
  return end <= unread.length ? end : undefined;
}
