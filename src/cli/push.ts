/**
 * One push as the gateway makes it: the same headers, the same bytes, one deadline that includes the
 * response, no redirects. It reports what came of it and never throws for a receiver.
 */
import { request as requestHttp, type IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { sign, signPlace } from "../client/verify.ts";
import { version } from "./version.ts";

export type Push = {
  readonly url: URL;
  /** `whsec_…`. */
  readonly secret: string;
  readonly endpoint: string;
  readonly contentType: string;
  /** Of the event. */
  readonly id: string;
  /** As in the envelope. */
  readonly sequence: string;
  /** Of the event before it that was pushed; undefined for the first. */
  readonly previous: string | undefined;
  readonly cursor: string | undefined;
  readonly body: string;
};

export type PushOutcome = {
  readonly ok: boolean;
  readonly status: number | undefined;
  readonly error: string | undefined;
  readonly ms: number;
};

const noSequence = "0".repeat(20);

/** What an error shows of a response. */
const saidMaxCharacters = 200;

export async function push(
  it: Push,
  options: { timeoutMs: number; insecure: boolean; signal: AbortSignal },
): Promise<PushOutcome> {
  const body = Buffer.from(it.body);
  const place = {
    ...(await sign(it.secret, it.id, body)),
    "tidegate-sequence": it.sequence,
    "tidegate-previous-sequence": it.previous ?? noSequence,
    "tidegate-attempt": "1",
    "tidegate-endpoint": it.endpoint,
    ...(it.cursor !== undefined && { "tidegate-cursor": it.cursor }),
  };
  const headers = {
    "content-type": it.contentType,
    "content-length": String(body.length),
    "user-agent": `Tidegate/${version}`,
    ...place,
    ...(await signPlace(it.secret, place)),
  };
  const startedAt = performance.now();
  const ms = () => Math.round(performance.now() - startedAt);
  try {
    const { status, text } = await post(it.url, headers, body, options);
    if (status >= 200 && status < 300) return { ok: true, status, error: undefined, ms: ms() };
    const said = text.trim().slice(0, saidMaxCharacters);
    return { ok: false, status, error: said === "" ? undefined : said, ms: ms() };
  } catch (error) {
    return { ok: false, status: undefined, error: faultOf(error, options.timeoutMs), ms: ms() };
  }
}

/** Each on a connection of its own: receivers in development are restarted all the time. */
function post(
  url: URL,
  headers: Record<string, string>,
  body: Buffer,
  { timeoutMs, insecure, signal }: { timeoutMs: number; insecure: boolean; signal: AbortSignal },
): Promise<{ status: number; text: string }> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
  const common = { method: "POST", headers, agent: false, signal: deadline } as const;
  return new Promise((resolve, reject) => {
    const begin = (response: IncomingMessage): void => {
      readText(response).then(
        (text) => resolve({ status: response.statusCode ?? 0, text }),
        reject,
      );
    };
    const request =
      url.protocol === "https:"
        ? requestHttps(url, { ...common, rejectUnauthorized: !insecure }, begin)
        : requestHttp(url, common, begin);
    request.on("error", (error) => reject(deadline.aborted ? deadline.reason : error));
    request.end(body);
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) {
    if (text.length < saidMaxCharacters) text += String(chunk);
  }
  return text;
}

function faultOf(error: unknown, timeoutMs: number): string {
  const { name, code, message } = error as NodeJS.ErrnoException;
  if (name === "TimeoutError") return `no answer within ${timeoutMs / 1_000} s`;
  switch (code) {
    case "ECONNREFUSED":
      return "connection refused: nothing listens there";
    case "ECONNRESET":
      return "the connection broke before there was an answer";
    case "ENOTFOUND":
      return "there is no host of that name";
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return "its certificate is nobody's who is trusted; --insecure takes any";
    default:
      return message || (code ?? name);
  }
}
