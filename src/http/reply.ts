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

type Content = { text: string | Uint8Array<ArrayBuffer>; type: string };

function contentOf(reply: Exclude<Reply, AlreadySent>): Content | undefined {
  if ("text" in reply) return { text: reply.text, type: reply.contentType ?? "application/json" };
  if (reply.body === undefined) return undefined;
  return { text: JSON.stringify(reply.body), type: "application/json" };
}
