/** Puts replies and problems on the wire. */
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { type Problem, problemBody } from "../problem.ts";
import { mergeHeaders } from "./headers.ts";
import type { ApiRequest } from "./request.ts";
import type { AlreadySent, Reply, TextReply } from "./route.ts";

export const problemMediaType = "application/problem+json";

export function problemReply(problem: Problem): TextReply {
  return {
    status: problem.status,
    text: JSON.stringify(problemBody(problem)),
    contentType: problemMediaType,
    headers: problem.headers,
  };
}

/** Headers stay a plain object all the way, which is what Node writes fastest. */
export function toResponse(reply: Reply, request: ApiRequest): Response {
  if ("alreadySent" in reply) return RESPONSE_ALREADY_SENT;
  const { status } = reply;
  const headers = mergeHeaders(request.commonHeaders(), reply.headers);
  const content = contentOf(reply);
  if (content === undefined) return new Response(null, { status, headers });
  headers["content-type"] = content.type;
  if (request.incoming.method === "HEAD") {
    headers["content-length"] = String(Buffer.byteLength(content.text));
  }
  return new Response(content.text, { status, headers });
}

/** The same without the framework. Nothing is written to a client that has gone. */
export function writeReply(reply: Reply, request: ApiRequest): void {
  const { outgoing } = request;
  if ("alreadySent" in reply || outgoing.destroyed) return;
  const headers = mergeHeaders(request.commonHeaders(), reply.headers);
  const content = contentOf(reply);
  if (content !== undefined) {
    headers["content-type"] = content.type;
    headers["Content-Length"] = String(Buffer.byteLength(content.text));
  }
  outgoing.writeHead(reply.status, headers);
  outgoing.end(content?.text);
}

type Content = { text: string | Uint8Array<ArrayBuffer>; type: string };

function contentOf(reply: Exclude<Reply, AlreadySent>): Content | undefined {
  if ("text" in reply) return { text: reply.text, type: reply.contentType ?? "application/json" };
  if (reply.body === undefined) return undefined;
  return { text: JSON.stringify(reply.body), type: "application/json" };
}
