/**
 * What stands between a consumer and a gateway and understands HTTP: a proxy that may hold answers
 * back, answer in the gateway's place, lose an answer after the request was served, or cut it.
 */
import { once } from "node:events";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Meddling =
  | "pass"
  /** Answers with headers and nothing after them. */
  | "hold"
  /** The gateway does what is asked, and nobody learns of it. */
  | "lose-answer"
  /** The gateway is not asked. */
  | "refuse"
  | { readonly cutAfterBytes: number }
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    };

export type Middlebox = AsyncDisposable & {
  readonly url: string;
  /** Method and target of each request, in order. */
  readonly requests: readonly string[];
  /** Requests whose answer has not ended. */
  open(): number;
};

/** Asks for each request what to do with it; the last number counts the requests, from 0. */
export async function startMiddlebox(
  target: string,
  meddle: (target: string, count: number) => Meddling,
): Promise<Middlebox> {
  const requests: string[] = [];
  const open = new Set<ServerResponse>();
  const server = createServer((incoming, outgoing) => {
    open.add(outgoing);
    outgoing.on("close", () => open.delete(outgoing));
    outgoing.on("error", () => {}); // Being cut is what this is for.
    const path = incoming.url ?? "";
    requests.push(`${incoming.method} ${path}`);
    carry(incoming, outgoing, meddle(path, requests.length - 1));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    open: () => open.size,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };

  function carry(incoming: IncomingMessage, outgoing: ServerResponse, meddling: Meddling): void {
    if (meddling === "refuse") return void outgoing.destroy();
    if (typeof meddling === "object" && "status" in meddling) {
      incoming.resume();
      outgoing.writeHead(meddling.status, meddling.headers).end(meddling.body ?? "");
      return;
    }
    const { method, headers } = incoming;
    const url = new URL(incoming.url ?? "/", target);
    const onward = request(url, { method, headers: { ...headers, host: url.host } }, (answer) => {
      if (meddling === "lose-answer") {
        answer.resume().on("end", () => outgoing.destroy());
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      outgoing.flushHeaders();
      if (meddling === "hold") return void answer.resume();
      answer.on("error", () => outgoing.destroy());
      if (meddling === "pass") return void answer.pipe(outgoing);
      cutAfter(meddling.cutAfterBytes, answer, outgoing);
    });
    onward.on("error", () => outgoing.destroy());
    outgoing.on("close", () => onward.destroy());
    incoming.pipe(onward);
  }
}

function cutAfter(bytes: number, answer: IncomingMessage, outgoing: ServerResponse): void {
  let left = bytes;
  answer.on("data", (chunk: Buffer) => {
    const piece = chunk.subarray(0, left);
    left -= piece.length;
    // The piece goes out first: a cut in the middle is the hard one.
    if (left > 0) outgoing.write(piece);
    else outgoing.write(piece, () => outgoing.destroy());
  });
  answer.on("end", () => outgoing.end());
}
