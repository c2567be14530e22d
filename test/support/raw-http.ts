/**
 * HTTP as bytes, for requests that no client would send and for looking at every byte of what
 * comes: a client for one request, and a receiver of pushes.
 */
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { waitUntil } from "./wait.ts";

export type RawAnswer = {
  readonly status: number;
  /** In order, names in lower case. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Buffer;
};

export type RawPush = {
  /** The request line, then a header a line. */
  readonly head: readonly string[];
  readonly body: Buffer;
};

/** Other tests may keep the machine busy meanwhile. */
const pushDeadlineMs = 20_000;

const headEnd = "\r\n\r\n";

/**
 * The first answer to these bytes. Of a stream it has the first block. Undefined when there was
 * none before the connection was closed or the time was over.
 */
export function exchange(
  port: number,
  bytes: Buffer,
  { method, deadlineMs = 30_000 }: { method: string; deadlineMs?: number },
): Promise<RawAnswer | undefined> {
  const { promise, resolve } = Promise.withResolvers<RawAnswer | undefined>();
  const socket = connect({ port, host: "127.0.0.1" });
  let received = Buffer.alloc(0);
  const deadline = setTimeout(() => finish(undefined), deadlineMs);
  socket.on("data", (chunk) => {
    received = Buffer.concat([received, chunk]);
    const answer = readAnswer(received, method, false);
    if (answer !== undefined) finish(answer);
  });
  socket.on("error", () => {}); // "close" follows
  socket.on("close", () => finish(readAnswer(received, method, true)));
  socket.write(bytes);
  return promise;

  function finish(answer: RawAnswer | undefined): void {
    clearTimeout(deadline);
    socket.destroy();
    resolve(answer);
  }
}

function readAnswer(received: Buffer, method: string, closed: boolean): RawAnswer | undefined {
  const end = received.indexOf(headEnd);
  if (end === -1) return undefined;
  const [line = "", ...lines] = received.toString("latin1", 0, end).split("\r\n");
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1]);
  const rest = received.subarray(end + headEnd.length);
  if (status === 100) return readAnswer(rest, method, closed);
  const headers = lines.map(readHeader);
  const of = (name: string) => headers.find(([each]) => each === name)?.[1];
  if (method === "HEAD" || status === 204 || status === 304) {
    return { status, headers, body: Buffer.alloc(0) };
  }
  const length = of("content-length");
  const body =
    length !== undefined
      ? plainBody(rest, Number(length))
      : of("transfer-encoding") === "chunked"
        ? chunkedBody(rest, of("content-type") === "text/event-stream")
        : closed && rest;
  return body === undefined || body === false ? undefined : { status, headers, body };
}

/** A line that is no header is one all the same, so that whoever looks at names finds it. */
function readHeader(line: string): readonly [string, string] {
  const [, name = line, value = ""] =
    /^([!#$%&'*+.^_`|~\w-]+): ?([\t\x20-\x7e]*)$/.exec(line) ?? [];
  return [name.toLowerCase(), value];
}

function plainBody(rest: Buffer, length: number): Buffer | undefined {
  return rest.length >= length ? rest.subarray(0, length) : undefined;
}

function chunkedBody(given: Buffer, isStream: boolean): Buffer | undefined {
  const pieces: Buffer[] = [];
  for (let rest = given; ;) {
    const lineEnd = rest.indexOf("\r\n");
    const size = Number.parseInt(rest.toString("latin1", 0, Math.max(lineEnd, 0)), 16);
    const end = lineEnd + 2 + size;
    if (isStream && pieces.some((piece) => piece.includes("\n\n"))) return Buffer.concat(pieces);
    if (lineEnd === -1 || rest.length < end + 2) return undefined;
    if (size === 0) return Buffer.concat(pieces);
    pieces.push(rest.subarray(lineEnd + 2, end));
    rest = rest.subarray(end + 2);
  }
}

export type RawReceiver = Awaited<ReturnType<typeof startRawReceiver>>;

/** Answers every push with 200, and keeps it until it is taken. */
export async function startRawReceiver() {
  let pushes: RawPush[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("close", () => sockets.delete(socket)));
    socket.on("error", () => {}); // the gateway closes connections as it likes
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/hook`;
  return { url, take, left: () => pushes.length, [Symbol.asyncDispose]: stop };

  function serve(socket: Socket): void {
    let unread = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      unread = Buffer.concat([unread, chunk]);
      for (;;) {
        const end = unread.indexOf(headEnd);
        if (end === -1) return;
        const head = unread.toString("latin1", 0, end).split("\r\n");
        const length = head.map((line) => /^content-length: (\d+)$/i.exec(line)?.[1]).find(Boolean);
        const bodyEnd = end + headEnd.length + Number(length ?? 0);
        if (unread.length < bodyEnd) return;
        pushes.push({ head, body: unread.subarray(end + headEnd.length, bodyEnd) });
        unread = unread.subarray(bodyEnd);
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
      }
    });
  }

  /** Those with these ids, in their order. */
  async function take(ids: readonly string[]): Promise<RawPush[]> {
    const all = () => ids.flatMap((id) => pushes.find((push) => idOf(push) === id) ?? []);
    const what = `receiving ${ids.length} pushes`;
    await waitUntil(() => all().length === ids.length, { what, deadlineMs: pushDeadlineMs });
    const taken = all();
    pushes = pushes.filter((push) => !taken.includes(push));
    return taken;
  }

  async function stop(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

function idOf({ head }: RawPush): string | undefined {
  return head.find((line) => line.startsWith("webhook-id: "))?.slice("webhook-id: ".length);
}
