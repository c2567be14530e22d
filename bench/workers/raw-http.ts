/**
 * An HTTP server that does next to nothing: requests with a content-length, one at a time on each
 * connection, from the clients of the benchmark and the gateway. It is the other end of what is
 * measured, so it must cost as little as it can and is no server for anything else.
 */
import { createServer, type AddressInfo, type Socket } from "node:net";

export type RawRequest = { readonly head: string; readonly body: Buffer };

const headEnd = "\r\n\r\n";
const nothing = Buffer.alloc(0);

/** Listens on a free port of the loopback interface, for as long as the process lives. */
export async function listenRaw(
  answer: (request: RawRequest, socket: Socket) => void,
): Promise<string> {
  const server = createServer((socket) => {
    let unread = nothing;
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
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}`;
}

/** Where the first request ends, if all of it is there. */
function endOfFirst(unread: Buffer): number | undefined {
  const headAt = unread.indexOf(headEnd);
  if (headAt === -1) return undefined;
  const length = /\r\ncontent-length: *(\d+)/i.exec(unread.toString("latin1", 0, headAt))?.[1] ?? 0;
  const end = headAt + headEnd.length + Number(length);
  return end <= unread.length ? end : undefined;
}
